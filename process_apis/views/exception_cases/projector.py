"""Exception cases follow the events of the queue, each of which has the exception as it then was."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import EXCEPTION_RAISED, EXCEPTION_RESOLVED, ExceptionChanged
from kit.inbox import InboxRow
from process_apis.views.exception_cases.table import exception_cases
from process_apis.views.writing import put_row

TYPES = (EXCEPTION_RAISED, EXCEPTION_RESOLVED)


async def take(connection: AsyncConnection, row: InboxRow) -> None:
    """Write the exception that an event has; events of earlier releases do not say when it was raised."""
    changed = msgspec.convert(row.data, ExceptionChanged)
    if changed.raised_at is None:
        return
    known = msgspec.structs.asdict(changed) | {"customer_id": changed.customer}
    values = {column.name: known[column.name] for column in exception_cases.c}
    await put_row(connection, exception_cases, values)
