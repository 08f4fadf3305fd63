"""Projects follow the events of their activations: the terms from one type, the status from both."""

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import (
    ACTIVATION_UPDATED,
    WORKFLOW_STATUS_CHANGED,
    ActivationUpdated,
    WorkflowStatusChanged,
)
from kit.inbox import InboxRow
from process_apis.views.projects.table import projects

TYPES = (ACTIVATION_UPDATED, WORKFLOW_STATUS_CHANGED)
_KEY = ("instance", "opportunity_id")


async def take(connection: AsyncConnection, row: InboxRow) -> None:
    """Write what an event says of a project; a run that is no activation, or has no terms yet, has none."""
    if row.type == ACTIVATION_UPDATED:
        await put(connection, msgspec.convert(row.data, ActivationUpdated), row.occurred_at)
    else:
        await _set_status(connection, msgspec.convert(row.data, WorkflowStatusChanged), row.occurred_at)


async def put(connection: AsyncConnection, activation: ActivationUpdated, at: dt.datetime) -> None:
    """Write a project as its activation has it."""
    row: dict[str, Any] = {
        "instance": activation.instance,
        "opportunity_id": activation.opportunity_id,
        "activation_id": activation.activation_id,
        "account_id": activation.account_id,
        "entity": activation.selling_entity,
        "status": activation.status,
        "document": msgspec.to_builtins(activation),
        "updated_at": at,
    }
    changed = {name: value for name, value in row.items() if name not in _KEY}
    written = insert(projects).values(row)
    await connection.execute(written.on_conflict_do_update(index_elements=_KEY, set_=changed))


async def _set_status(connection: AsyncConnection, changed: WorkflowStatusChanged, at: dt.datetime) -> None:
    this = projects.c.activation_id == changed.workflow_id
    await connection.execute(sa.update(projects).where(this).values(status=changed.status, updated_at=at))
