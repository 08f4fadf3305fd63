"""kit/database: one pool of connections to PostgreSQL, and what its absence means to a caller."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from contracts.problems import Unavailable
from kit.database.locks import SessionLocks

_encode = msgspec.json.Encoder(decimal_format="string").encode
# What a lost, restarting or overrun server looks like; a faulty statement looks different.
_ABSENT = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)


def to_json(value: Any) -> str:
    """A value, Structs included, as JSON text."""
    return _encode(value).decode()


class Database:
    """PostgreSQL through one small pool, shared by the whole process."""

    def __init__(self, url: str, *, pool_size: int = 15, name: str = "enfilade") -> None:
        self.url = url
        self.locks = SessionLocks(url, f"{name} locks")
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            # One beyond the pool would be closed when it is returned: a server process for each request.
            max_overflow=0,
            pool_timeout=20,
            pool_pre_ping=True,
            json_serializer=to_json,
            json_deserializer=msgspec.json.decode,
            connect_args={"connect_timeout": 5, "application_name": name},
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that is committed at the end; raises Unavailable without a server."""
        try:
            async with self.engine.begin() as connection:
                yield connection
        except _ABSENT as error:
            raise Unavailable("The database does not answer", retry_after=1) from error

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read with; raises Unavailable without a server."""
        try:
            async with self.engine.connect() as connection:
                yield connection
        except _ABSENT as error:
            raise Unavailable("The database does not answer", retry_after=1) from error

    async def close(self) -> None:
        await self.locks.close()
        await self.engine.dispose()
