"""kit/database: how Alembic runs: on the connection that `migrate` opened, all heads in one transaction."""

from alembic import context

from kit.database.columns import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
