"""What a view declares of itself, and how it is rebuilt from the events."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.inbox import InboxRow, replay

Projector = Callable[[AsyncConnection, InboxRow], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class View:
    """A table that a projector fills from events of some types; an event may come to it more than once."""

    name: str
    table: Table
    types: tuple[str, ...]
    projector: Projector

    async def rebuild(self, connection: AsyncConnection) -> int:
        """Fill the emptied table from all events, in the caller's transaction; how many those were.

        Deliveries wait meanwhile. Those of events that were included here come again, in their order.
        """
        await connection.execute(text(f"LOCK TABLE {self.table} IN SHARE ROW EXCLUSIVE MODE"))
        await connection.execute(self.table.delete())
        count = 0
        async for row in replay(connection, self.types):
            await self.projector(connection, row)
            count += 1
        return count
