"""kit/database: what only one living process may do at a time."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.dialects.postgresql import insert

from kit.database.engine import Database
from kit.database.tables import leases


class Lease:
    """That this process alone does something for now; `lost` is set when that is no longer sure."""

    def __init__(self, lost: asyncio.Event) -> None:
        self.lost = lost


@asynccontextmanager
async def lease(database: Database, name: str) -> AsyncIterator[Lease]:
    """Wait until no living process holds the lease, then hold it until the end or until death."""
    async with database.locks.hold(f"lease:{name}") as lost:
        holder = f"{socket.gethostname()}:{os.getpid()}"
        row = insert(leases).values(name=name, holder=holder)
        async with database.begin() as connection:
            await connection.execute(
                row.on_conflict_do_update(
                    index_elements=["name"],
                    set_={"holder": row.excluded.holder, "taken_at": row.excluded.taken_at},
                )
            )
        yield Lease(lost)
