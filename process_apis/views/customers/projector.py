"""Customers follow the events of customer master, each of which has the customer as a whole."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import CUSTOMER_APPROVED, CustomerApproved
from kit.inbox import InboxRow
from process_apis.views.customers.table import customers
from process_apis.views.writing import put_row

TYPES = (CUSTOMER_APPROVED,)


async def take(connection: AsyncConnection, row: InboxRow) -> None:
    """Write the customer that an event has; events of earlier releases have none."""
    customer = msgspec.convert(row.data, CustomerApproved).customer
    if customer is None:
        return
    values = {
        "id": customer.id,
        "status": customer.status,
        "legal_name": customer.legal_name,
        "document": msgspec.to_builtins(customer),
        "updated_at": customer.updated_at,
    }
    await put_row(connection, customers, values)
