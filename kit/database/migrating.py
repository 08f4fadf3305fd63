"""kit/database: brings a database to the newest state, once, however many processes start together."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from dbos import DBOS
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from kit.database.columns import SCHEMA

_OWN = Path(__file__).parent / "migrations"
_LOCK = 7_000_001  # an advisory lock of ours: the process that starts second waits


def migrate(url: str, *locations: str) -> None:
    """Run kit's migrations, those at the extra version locations, and the workflow engine's own."""
    logging.getLogger("dbos").addHandler(logging.NullHandler())
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
            guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            guard.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            with engine.connect() as connection:
                command.upgrade(_config(connection, locations), "heads")
        # Outside our lock, for it has its own, and builds indices concurrently: that waits for every open
        # snapshot, also for that of a process which waits for our lock.
        DBOS.migrate(url)
    finally:
        engine.dispose()


def _config(connection: object, locations: tuple[str, ...]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_OWN))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join([str(_OWN / "versions"), *locations]))
    config.attributes["connection"] = connection
    return config
