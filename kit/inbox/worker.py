"""kit/inbox: the worker that hands events to whoever subscribed, in order per key, each in a transaction."""

# ruff: noqa: A002 - an id, a type and an object are called what they are

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.problems import Problem, Unavailable
from kit import context, exceptions
from kit.background import run_background, stop_background
from kit.database import Database
from kit.database.tables import inbox
from kit.inbox.receiving import InboxRow

Handler = Callable[[AsyncConnection, InboxRow], Awaitable[None]]
logger = logging.getLogger(__name__)


class InboxSettings(msgspec.Struct, frozen=True):
    """How patient the worker is: seconds between looks, tries per event, the first wait between tries."""

    poll_seconds: float = 0.2
    attempts: int = 5
    first_wait_seconds: float = 1.0
    lanes: int = 4


class InboxWorker:
    """Runs in every process with the role `worker`; several share the work.

    A handler gets the connection of the transaction in which its event is marked as handled. An event whose
    handlers keep failing becomes an exception and holds back its own key only.
    """

    def __init__(self, database: Database, settings: InboxSettings = InboxSettings()) -> None:  # noqa: B008 - frozen
        self._database = database
        self._settings = settings
        self._handlers: defaultdict[str, list[Handler]] = defaultdict(list)
        self._news = asyncio.Event()

    def subscribe(self, type: str, handler: Handler) -> None:
        """Hand every event of a type to a handler."""
        self._handlers[type].append(handler)

    def wake(self) -> None:
        """Say that something was received just now, so that nobody waits for the next look."""
        self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; an absent database is waited for."""
        lanes = [
            run_background(f"inbox lane {number}", partial(self._lane, stop, number))
            for number in range(self._settings.lanes)
        ]
        try:
            await stop.wait()
            self._news.set()
            await asyncio.gather(*lanes)
        finally:
            # What a cancelled lane had begun is rolled back before anybody closes the database.
            await stop_background(*lanes)

    async def drain(self) -> int:
        """Handle all that can be handled now; how many that was."""
        count = 0
        while await self.handle_one():
            count += 1
        return count

    async def handle_one(self) -> bool:
        """Handle the oldest event that nobody handles and whose key is free; False when there is none."""
        row: InboxRow | None = None
        try:
            async with self._database.begin() as connection:
                row = await _claim(connection)
                if row is not None:
                    await self._handle(connection, row)
        except Unavailable:
            raise
        except Exception as error:  # a poisoned event must not stop the others, whatever it does
            if row is None:
                raise
            await self._failed(row, error)
        return row is not None

    async def _lane(self, stop: asyncio.Event, number: int) -> None:
        # One lane looks for the others, who cost nothing while nothing comes.
        pause = self._settings.poll_seconds if number == 0 else None
        while not stop.is_set():
            self._news.clear()
            try:
                if await self.handle_one():
                    self._news.set()
                    continue
            except Unavailable:
                logger.warning("The inbox waits for the database")
            try:
                await asyncio.wait_for(self._news.wait(), pause)
            except TimeoutError:
                continue

    async def _handle(self, connection: AsyncConnection, row: InboxRow) -> None:
        handlers = self._handlers.get(row.type, [])
        here = context.Context(correlation_id=row.correlation_id, actor=f"inbox:{row.source}", lane="batch")
        with context.use(here):
            for handler in handlers:
                await handler(connection, row)
        done = update(inbox).where(inbox.c.seq == row.seq)
        status = "done" if handlers else "ignored"
        await connection.execute(done.values(status=status, handled_at=func.clock_timestamp(), error=""))

    async def _failed(self, row: InboxRow, error: Exception) -> None:
        logger.warning("An event of type %s failed: %s", row.type, type(error).__name__, exc_info=error)
        attempts = row.attempts + 1
        told = error.code if isinstance(error, Problem) else type(error).__name__
        wait = self._settings.first_wait_seconds * 2 ** (attempts - 1)
        values: dict[str, Any] = {
            "attempts": attempts,
            "error": told,
            "next_at": func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, wait),
        }
        # Between the rollback and now another lane may have taken the event, and succeeded.
        mine = (inbox.c.seq == row.seq) & (inbox.c.status == "new") & (inbox.c.attempts == row.attempts)
        async with self._database.begin() as connection:
            if (await connection.execute(select(inbox.c.seq).where(mine).with_for_update())).scalar() is None:
                return
            if attempts >= self._settings.attempts:
                values |= {"status": "parked", "exception_id": await _raise(connection, row, error)}
            await connection.execute(update(inbox).where(inbox.c.seq == row.seq).values(**values))


async def _claim(connection: AsyncConnection) -> InboxRow | None:
    """The oldest event that is due and first of its key, locked until the transaction ends."""
    earlier = inbox.alias("earlier")
    blocked = exists().where(
        earlier.c.key == inbox.c.key, earlier.c.seq < inbox.c.seq, earlier.c.status.in_(("new", "parked"))
    )
    query = (
        select(inbox)
        .where(inbox.c.status == "new", inbox.c.next_at <= text("clock_timestamp()"), ~blocked)
        .order_by(inbox.c.seq)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return InboxRow(
        seq=row.seq,
        source=row.source,
        id=row.id,
        type=row.type,
        key=row.key,
        data=row.data,
        occurred_at=row.occurred_at,
        correlation_id=row.correlation_id,
        attempts=row.attempts,
    )


async def _raise(connection: AsyncConnection, row: InboxRow, error: Exception) -> str:
    problem = error if isinstance(error, Problem) else None
    return await exceptions.raise_exception(
        connection,
        kind="contract_violation",
        flow="inbox",
        subject=row.key,
        stopped=f"An event from {row.source} about {row.key} could not be taken in",
        why=problem.detail if problem else f"Taking it in failed ({type(error).__name__})",
        what_next="Correct the record or the configuration and replay, or skip the event",
        owner="operations",
        correlation_id=row.correlation_id,
        resume=exceptions.Resume(kind="inbox", inbox_seq=row.seq),
        errors=problem.errors if problem else (),
    )
