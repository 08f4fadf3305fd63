"""What a view declares of itself, and how it is rebuilt from the events."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.inbox import InboxRow, replay
from process_apis.module import FlowDependencies

Projector = Callable[[AsyncConnection, InboxRow], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class View:
    """Tables that a projector fills from events of some types, and the API that reads them.

    An event may come to the projector more than once. It writes the tables in their order here, in which a
    rebuild locks them. `service` makes the implementation of `interface`.
    """

    name: str
    tables: tuple[Table, ...]
    types: tuple[str, ...]
    projector: Projector
    interface: type
    service: Callable[[FlowDependencies], Any]

    async def rebuild(self, connection: AsyncConnection) -> int:
        """Fill the emptied tables from all events, in the caller's transaction; how many those were.

        Deliveries wait meanwhile. Those of events that were included here come again, in their order.
        """
        names = ", ".join(map(str, self.tables))
        await connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
        for table in self.tables:
            await connection.execute(table.delete())
        count = 0
        async for row in replay(connection, self.types):
            await self.projector(connection, row)
            count += 1
        return count
