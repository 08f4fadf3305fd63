"""Projects follow the events of their activations, accounts these and the events of their customers."""

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import (
    ACTIVATION_UPDATED,
    CUSTOMER_APPROVED,
    WORKFLOW_STATUS_CHANGED,
    ActivationUpdated,
    CustomerApproved,
    WorkflowStatusChanged,
)
from kit.inbox import InboxRow
from kit.workflows import number_of
from process_apis.views.projects.table import accounts, projects
from process_apis.views.writing import put_row

TYPES = (ACTIVATION_UPDATED, WORKFLOW_STATUS_CHANGED, CUSTOMER_APPROVED)


async def take(connection: AsyncConnection, row: InboxRow) -> None:
    """Write an event's values of an account or a project; a run without terms has no project."""
    if row.type == ACTIVATION_UPDATED:
        await put(connection, msgspec.convert(row.data, ActivationUpdated), row.occurred_at)
    elif row.type == CUSTOMER_APPROVED:
        await _set_customer(connection, msgspec.convert(row.data, CustomerApproved), row.occurred_at)
    else:
        await _set_status(connection, msgspec.convert(row.data, WorkflowStatusChanged), row.occurred_at)


async def put(connection: AsyncConnection, activation: ActivationUpdated, at: dt.datetime) -> None:
    """Write a project and its account as the activation has them; a later one of the deal is not replaced."""
    account = {
        "instance": activation.instance,
        "account_id": activation.account_id,
        "name": activation.account_name,
        "seen_at": at,
    }
    await _put_account(connection, account)
    project = {
        "instance": activation.instance,
        "opportunity_id": activation.opportunity_id,
        "activation_id": activation.activation_id,
        "account_id": activation.account_id,
        "entity": activation.selling_entity,
        "customer_id": activation.customer_id,
        "status": activation.status,
        "document": msgspec.to_builtins(activation),
        "updated_at": at,
    }
    shown = sa.cast(
        sa.func.coalesce(sa.func.substring(projects.c.activation_id, ":([0-9]+)$"), "1"), sa.Integer
    )
    await put_row(connection, projects, project, shown <= number_of(activation.activation_id))


async def _set_customer(connection: AsyncConnection, approved: CustomerApproved, at: dt.datetime) -> None:
    if not approved.account_id:
        return  # of an earlier release
    account = {
        "instance": approved.instance,
        "account_id": approved.account_id,
        "name": approved.account_name,
        "seen_at": at,
        "customer_id": approved.customer_id,
        "customer_since": at,
    }
    await _put_account(connection, account)


async def _put_account(connection: AsyncConnection, account: dict[str, Any]) -> None:
    """Write what is newer than what is known, for the events of an account come in any order.

    `seen_at` is when the account had its name: an event without one says nothing of it.
    """
    written, known = insert(accounts).values(account), accounts.c
    at = written.excluded.seen_at
    named = (written.excluded.name != "") & ((known.name == "") | (at >= known.seen_at))
    latest = sa.func.greatest(known.seen_at, at)
    changed: dict[str, Any] = {
        "name": sa.case((named, written.excluded.name), else_=known.name),
        "seen_at": sa.case((named, at), (known.name == "", latest), else_=known.seen_at),
    }
    if "customer_id" in account:
        since = written.excluded.customer_since
        newer = known.customer_since.is_(None) | (since >= known.customer_since)
        changed |= {
            "customer_id": sa.case((newer, written.excluded.customer_id), else_=known.customer_id),
            "customer_since": sa.func.greatest(known.customer_since, since),
        }
    keys = ["instance", "account_id"]
    await connection.execute(written.on_conflict_do_update(index_elements=keys, set_=changed))


async def _set_status(connection: AsyncConnection, changed: WorkflowStatusChanged, at: dt.datetime) -> None:
    this = projects.c.activation_id == changed.workflow_id
    await connection.execute(sa.update(projects).where(this).values(status=changed.status, updated_at=at))
