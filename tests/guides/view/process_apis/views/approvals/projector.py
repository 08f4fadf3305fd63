"""Approvals follow the events of customer master."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import CUSTOMER_APPROVED, CustomerApproved
from kit.inbox import InboxRow
from process_apis.views.approvals.table import approvals
from process_apis.views.writing import put_row

TYPES = (CUSTOMER_APPROVED,)


async def take(connection: AsyncConnection, row: InboxRow) -> None:
    """Write the approval that an event tells of; a later one of the same customer replaces it."""
    event = msgspec.convert(row.data, CustomerApproved)
    approval = {
        "customer_id": event.customer_id,
        "legal_name": event.legal_name,
        "entity": event.selling_entity,
        "approved_at": row.occurred_at,
    }
    await put_row(connection, approvals, approval)
