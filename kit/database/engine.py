"""kit/database: one pool of connections to PostgreSQL, and what its absence means to a caller."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import msgspec
from sqlalchemy import ExceptionContext, event, exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kit.database.locks import SessionLocks
from kit.database.refusals import DISK_FULL, READ_ONLY, DatabaseRefusal, problem_of, refusal_of
from kit.database.spans import record_queries
from kit.telemetry import records_spans

_encode = msgspec.json.Encoder(decimal_format="string").encode
_REMEMBERED_SECONDS = 2.0


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
            hide_parameters=True,  # an error is logged, and must not quote what is about persons
            json_serializer=to_json,
            json_deserializer=msgspec.json.decode,
            connect_args={"connect_timeout": 5, "application_name": name},
        )
        event.listen(self.engine.sync_engine, "handle_error", leave_read_only)
        if records_spans():
            record_queries(self.engine.sync_engine)
        self._refused: tuple[DatabaseRefusal, float] | None = None

    @property
    def write_refused(self) -> DatabaseRefusal | None:
        """Why a write of this process was refused in the last seconds; by what lasts: disk, read-only."""
        if self._refused is None or time.monotonic() - self._refused[1] > _REMEMBERED_SECONDS:
            return None
        return self._refused[0]

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that is committed at the end; raises Unavailable, with its cause."""
        with self._translated():
            async with self.engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read with; raises Unavailable, with its cause."""
        with self._translated():
            async with self.engine.connect() as connection:
                yield connection

    async def close(self) -> None:
        await self.locks.close()
        await self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise what the database refuses as Unavailable; a faulty statement stays what it is."""
        try:
            yield
        except (exc.DBAPIError, exc.TimeoutError) as error:
            problem = problem_of(error)
            if problem is None:
                raise
            refusal = refusal_of(error)
            if refusal in (DISK_FULL, READ_ONLY):
                self._refused = refusal, time.monotonic()
            raise problem from error


def leave_read_only(context: ExceptionContext) -> None:
    """Have a read-only server's connections closed: after a failover the next ones reach the primary."""
    if refusal_of(context.original_exception) is READ_ONLY:
        context.is_disconnect = True
