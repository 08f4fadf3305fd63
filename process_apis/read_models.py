"""Read models: customers and engagements as the screens ask for them, written by the flows as they go."""

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.contract import BillingLine
from contracts.canonical.customer import Customer
from contracts.canonical.values import Money
from contracts.canonical.workflow import WorkflowStatus
from contracts.process.opportunity_to_project import AccountOverview, AccountProject
from kit import clock
from kit.database import metadata
from kit.database.declaring import declare
from kit.database.rows import Bounds, Rows, bounds, own

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("customer_id", sa.Text),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("accounts_by_customer", "customer_id"),
)

customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("legal_name", sa.Text, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
)

project_summaries = sa.Table(
    "project_summaries",
    metadata,
    sa.Column("activation_id", sa.Text, primary_key=True),
    sa.Column("instance", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("opportunity_id", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("project_summaries_by_account", "instance", "account_id"),
)

# Of an account where it has a customer or a project that the caller may see: the three are read in one join.
declare(
    customers,
    rows=Rows(
        entity=customers.c.document["selling_entity"].astext,
        instance=lambda names: sa.or_(
            sa.false(), *(customers.c.document.contains({"refs": [{"instance": name}]}) for name in names)
        ),
        customer=customers.c.id,
        partner=None,
    ),
    retention="as long as the customer is known",
)
declare(
    project_summaries,
    rows=Rows(
        entity=project_summaries.c.document["selling_entity"].astext,
        instance=project_summaries.c.instance,
        customer=accounts.c.customer_id,
        partner=None,
    ),
    retention="as long as the account is known",
)
declare(
    accounts,
    rows=Rows(
        entity=lambda _: sa.or_(customers.c.id.is_not(None), project_summaries.c.activation_id.is_not(None)),
        instance=accounts.c.instance,
        customer=lambda _: customers.c.id.is_not(None),
        partner=None,
    ),
    retention="as long as the account is known",
)


class ProjectSummary(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the read model keeps of one activation."""

    opportunity_name: str
    value: Money
    selling_entity: str = ""
    contract_id: str = ""
    project_id: str = ""
    start: dt.date | None = None
    end: dt.date | None = None
    billing_schedule: tuple[BillingLine, ...] = ()


async def put_account(connection: AsyncConnection, instance: str, account_id: str, name: str) -> None:
    """Remember that an account was seen."""
    row = {"instance": instance, "account_id": account_id, "name": name, "seen_at": clock.now()}
    statement = insert(accounts).values(row)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["instance", "account_id"], set_={"name": name, "seen_at": row["seen_at"]}
        )
    )


async def set_account_customer(
    connection: AsyncConnection, instance: str, account_id: str, customer_id: str
) -> None:
    """Remember which customer of ours an account is."""
    await connection.execute(
        sa.update(accounts)
        .where(accounts.c.instance == instance, accounts.c.account_id == account_id)
        .values(customer_id=customer_id)
    )


async def upsert_customer(connection: AsyncConnection, customer: Customer) -> None:
    """Write a customer as it stands now."""
    row: dict[str, Any] = {
        "id": customer.id,
        "status": customer.status,
        "legal_name": customer.legal_name,
        "document": msgspec.to_builtins(customer),
        "updated_at": customer.updated_at,
    }
    changed = {name: value for name, value in row.items() if name != "id"}
    await connection.execute(
        insert(customers).values(row).on_conflict_do_update(index_elements=["id"], set_=changed)
    )


async def get_customer(connection: AsyncConnection, customer_id: str) -> Customer | None:
    """The customer by our id, if it is one of the caller's."""
    query = sa.select(customers.c.document).where(customers.c.id == customer_id, *own(customers))
    found = await connection.scalar(query)
    return None if found is None else msgspec.convert(found, Customer)


async def put_project_summary(
    connection: AsyncConnection,
    *,
    activation_id: str,
    instance: str,
    account_id: str,
    opportunity_id: str,
    status: WorkflowStatus,
    summary: ProjectSummary,
) -> None:
    """Write an activation as it stands now."""
    row: dict[str, Any] = {
        "activation_id": activation_id,
        "instance": instance,
        "account_id": account_id,
        "opportunity_id": opportunity_id,
        "status": status,
        "document": msgspec.to_builtins(summary),
        "updated_at": clock.now(),
    }
    changed = {name: value for name, value in row.items() if name != "activation_id"}
    await connection.execute(
        insert(project_summaries)
        .values(row)
        .on_conflict_do_update(index_elements=["activation_id"], set_=changed)
    )


async def get_overview(connection: AsyncConnection, instance: str, account_id: str) -> AccountOverview | None:
    """What the caller may know of an account, in one round trip; None for one unseen or not its own."""
    bound = bounds()
    query = _OVERVIEW if not bound else _overview(bound)
    rows = (await connection.execute(query, {"instance": instance, "account_id": account_id})).all()
    if not rows:
        return None
    first = rows[0]
    items = tuple(_project(row) for row in rows if row.activation_id is not None)
    return AccountOverview(
        instance=instance,
        account_id=account_id,
        as_of=max([first.seen_at, *(row.updated_at for row in rows if row.updated_at is not None)]),
        customer_id=first.customer_id or "",
        customer_name=first.legal_name or first.name,
        customer_status=first.customer_status or "prospect",
        items=items,
    )


def _overview(bound: Bounds) -> sa.Executable:
    own_customer = sa.and_(customers.c.id == accounts.c.customer_id, *own(customers, bound))
    own_summary = sa.and_(
        project_summaries.c.instance == accounts.c.instance,
        project_summaries.c.account_id == accounts.c.account_id,
        *own(project_summaries, bound),
    )
    return (
        sa.select(
            accounts.c.name,
            accounts.c.seen_at,
            customers.c.id.label("customer_id"),
            customers.c.legal_name,
            customers.c.status.label("customer_status"),
            project_summaries.c.activation_id,
            project_summaries.c.opportunity_id,
            project_summaries.c.status,
            project_summaries.c.document,
            project_summaries.c.updated_at,
        )
        .select_from(accounts.outerjoin(customers, own_customer).outerjoin(project_summaries, own_summary))
        .where(
            accounts.c.instance == sa.bindparam("instance"),
            accounts.c.account_id == sa.bindparam("account_id"),
            *own(accounts, bound),
        )
        .order_by(project_summaries.c.updated_at)
    )


_OVERVIEW = _overview({})


def _project(row: Any) -> AccountProject:
    summary = msgspec.convert(row.document, ProjectSummary)
    return AccountProject(
        contract_id=summary.contract_id,
        project_id=summary.project_id,
        project_name=summary.opportunity_name,
        opportunity_id=row.opportunity_id,
        contract_value=summary.value,
        activation_status=row.status,
        start=summary.start,
        end=summary.end,
        billing_schedule=summary.billing_schedule,
    )
