"""kit/database: what only one living process may do at a time."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.dialects.postgresql import insert

from kit.database.engine import Database
from kit.database.locks import Hold
from kit.database.tables import leases


@asynccontextmanager
async def lease(database: Database, name: str) -> AsyncIterator[Hold]:
    """Wait until no living process holds the lease, then hold it until the end or until death."""
    async with database.locks.hold(f"lease:{name}") as held:
        holder = f"{socket.gethostname()}:{os.getpid()}"
        row = insert(leases).values(name=name, holder=holder)
        async with database.begin() as connection:
            await connection.execute(
                row.on_conflict_do_update(
                    index_elements=["name"],
                    set_={"holder": row.excluded.holder, "taken_at": row.excluded.taken_at},
                )
            )
        yield held
