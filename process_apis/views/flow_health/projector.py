"""The runs that are counted follow the events of their status, each of which has the run as it then was."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import WORKFLOW_STATUS_CHANGED, WorkflowStatusChanged
from kit.inbox import InboxRow
from process_apis.views.flow_health.table import flow_runs
from process_apis.views.writing import put_row

TYPES = (WORKFLOW_STATUS_CHANGED,)


async def take(connection: AsyncConnection, row: InboxRow) -> None:
    """Write the run that an event has; events of earlier releases do not say when it began."""
    changed = msgspec.convert(row.data, WorkflowStatusChanged)
    if changed.started_at is None:
        return
    known = msgspec.structs.asdict(changed) | {"customer_id": changed.customer}
    await put_row(connection, flow_runs, {column.name: known[column.name] for column in flow_runs.c})
