"""The accounts and the projects: one row per deal; and who may see them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from kit.database import metadata
from kit.database.declaring import declare
from kit.database.rows import Rows
from process_apis.views.customers.table import customers

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("customer_id", sa.Text),
    sa.Column("customer_since", sa.DateTime(timezone=True)),
    sa.Index("accounts_by_customer", "customer_id"),
)

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("opportunity_id", sa.Text, primary_key=True),
    sa.Column("activation_id", sa.Text, nullable=False, unique=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("customer_id", sa.Text, nullable=False, server_default=""),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("projects_by_account", "instance", "account_id"),
    sa.Index("projects_by_customer", "customer_id"),
)

declare(
    projects,
    rows=Rows(
        entity=projects.c.entity,
        instance=projects.c.instance,
        customer=projects.c.customer_id,
        partner=None,
    ),
    retention="as long as the account is known",
)
# An account is visible where it has a visible customer or project: one join reads the three.
declare(
    accounts,
    rows=Rows(
        entity=lambda _: sa.or_(customers.c.id.is_not(None), projects.c.activation_id.is_not(None)),
        instance=accounts.c.instance,
        customer=lambda _: customers.c.id.is_not(None),
        partner=None,
    ),
    retention="as long as the account is known",
)
