"""An account's overview: its customer, and its projects as far as the caller may see them."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import ActivationUpdated
from contracts.process.projects import AccountOverview, AccountProject
from kit.database.rows import Bounds, bounds, own
from process_apis.views.customers.table import customers
from process_apis.views.projects.table import accounts, projects


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
    own_project = sa.and_(
        projects.c.instance == accounts.c.instance,
        projects.c.account_id == accounts.c.account_id,
        *own(projects, bound),
    )
    return (
        sa.select(
            accounts.c.name,
            accounts.c.seen_at,
            customers.c.id.label("customer_id"),
            customers.c.legal_name,
            customers.c.status.label("customer_status"),
            projects.c.activation_id,
            projects.c.opportunity_id,
            projects.c.status,
            projects.c.document,
            projects.c.updated_at,
        )
        .select_from(accounts.outerjoin(customers, own_customer).outerjoin(projects, own_project))
        .where(
            accounts.c.instance == sa.bindparam("instance"),
            accounts.c.account_id == sa.bindparam("account_id"),
            *own(accounts, bound),
        )
        .order_by(projects.c.updated_at)
    )


_OVERVIEW = _overview({})


def _project(row: Any) -> AccountProject:
    activation = msgspec.convert(row.document, ActivationUpdated)
    return AccountProject(
        contract_id=activation.contract_id,
        project_id=activation.project_id,
        project_name=activation.name,
        opportunity_id=row.opportunity_id,
        contract_value=activation.value,
        activation_status=row.status,
        start=activation.start,
        end=activation.end,
        billing_schedule=activation.billing_schedule,
    )
