"""kit/inbox: the worker that hands each event to each subscriber, in order per key, in a transaction each."""

# ruff: noqa: A002 - an id, a type and an object are called what they are

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.exception import OPERATIONS, reason_of
from contracts.problems import Problem, Unavailable
from kit import context, exceptions
from kit.background import run_background, stop_background
from kit.context import new_correlation_id, new_id
from kit.database import Database
from kit.database.tables import deliveries
from kit.exceptions.login import failed_login, wait_for_login
from kit.inbox.deliveries import any_due, claim, claim_batch, fan_out, mark
from kit.inbox.receiving import InboxRow

Handler = Callable[[AsyncConnection, InboxRow], Awaitable[None]]
BatchHandler = Callable[[AsyncConnection, Sequence[InboxRow]], Awaitable[None]]
Claim = Callable[[AsyncConnection], Awaitable[tuple[str, list[InboxRow]] | None]]
logger = logging.getLogger(__name__)


class InboxSettings(msgspec.Struct, frozen=True):
    """How patient the worker is: seconds between looks, tries per event, the first wait between tries."""

    poll_seconds: float = 0.2
    attempts: int = 5
    first_wait_seconds: float = 1.0
    lanes: int = 4


class _Batches(msgspec.Struct, frozen=True):
    """How many deliveries a subscriber takes together at most, and how long the first waits for others."""

    most: int
    wait: float


class InboxWorker:
    """Runs in every process with the role `worker`; several share the work.

    A handler gets the connection of the transaction in which its delivery is marked as done. One that fails
    too often becomes an exception, and holds back its own key at its own subscriber only.
    """

    def __init__(self, database: Database, settings: InboxSettings = InboxSettings()) -> None:  # noqa: B008 - frozen
        self._database = database
        self._settings = settings
        self._handlers: dict[str, BatchHandler] = {}
        self._batches: dict[str, _Batches] = {}
        self._subscribers: defaultdict[str, list[str]] = defaultdict(list)
        self._news = asyncio.Event()

    def subscribe(self, type: str, handler: Handler, name: str = "") -> None:
        """Hand every event of a type to a handler, under a name that is the same in all workers."""

        async def one(connection: AsyncConnection, rows: Sequence[InboxRow]) -> None:
            for row in rows:
                await handler(connection, row)

        self._subscribe(type, name or name_of(handler), one)

    def subscribe_batch(
        self, type: str, handler: BatchHandler, *, most: int, wait: float, name: str = ""
    ) -> None:
        """Hand events of a type to a handler together: `most` of them, or what came in `wait` seconds.

        A batch that fails is tried again event by event, so that a failing event blocks no other.
        """
        subscriber = self._subscribe(type, name or name_of(handler), handler)
        self._batches[subscriber] = _Batches(most, wait)

    def _subscribe(self, type: str, name: str, handler: BatchHandler) -> str:
        name = f"{type} to {name}"
        name += f" #{len(self._subscribers[type]) + 1}" if name in self._handlers else ""
        self._handlers[name] = handler
        self._subscribers[type].append(name)
        return name

    def wake(self) -> None:
        """Wake the worker at once, because an event was received."""
        self._news.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; waits for an absent database."""
        lanes = [
            run_background(f"inbox lane {number}", partial(self._lane, stop, number))
            for number in range(self._settings.lanes)
        ]
        try:
            await stop.wait()
            self._news.set()
            await asyncio.gather(*lanes)
        finally:
            # The transaction of a cancelled lane is rolled back before the database is closed.
            await stop_background(*lanes)

    async def drain(self) -> int:
        """Handle all that can be handled now; how many that was."""
        count = 0
        while await self.handle_one():
            count += 1
        return count

    async def handle_one(self) -> bool:
        """Hand out the oldest event, handle the oldest delivery and what is to be taken together.

        False when there is none of these.
        """
        async with self._database.begin() as connection:
            handed_out = await fan_out(connection, self._subscribers)
        handled = await self._handle_next(partial(claim, names=self._handlers, batched=self._batches))
        for name, batches in self._batches.items():
            together = partial(claim_batch, name=name, most=batches.most, wait=batches.wait)
            handled |= await self._handle_next(together)
        return handed_out or handled

    async def _handle_next(self, claim_next: Claim) -> bool:
        """Handle what is claimed, in one transaction; False when that is nothing."""
        claimed: tuple[str, list[InboxRow]] | None = None
        try:
            async with self._database.begin() as connection:
                claimed = await claim_next(connection)
                if claimed is not None:
                    await self._handle(connection, *claimed)
        except Unavailable:
            raise
        except Exception as error:  # a poisoned event must not stop the others, whatever it does
            if claimed is None:
                raise
            subscriber, rows = claimed
            for row in rows:
                await self._failed(subscriber, row, error)
        return claimed is not None

    async def _lane(self, stop: asyncio.Event, number: int) -> None:
        # One lane looks for the others, who cost nothing while nothing comes.
        pause = self._settings.poll_seconds if number == 0 else None
        polls = False
        while not stop.is_set():
            self._news.clear()
            try:
                if (not polls or await self._any_due()) and await self.handle_one():
                    polls = False
                    self._news.set()
                    continue
            except Unavailable:
                logger.warning("The inbox waits for the database")
            try:
                await asyncio.wait_for(self._news.wait(), pause)
                polls = False
            except TimeoutError:
                polls = True

    async def _any_due(self) -> bool:
        """Whether a look at the work itself may find any: one statement in the place of many."""
        async with self._database.connect() as connection:
            return await any_due(connection, self._handlers)

    async def _handle(self, connection: AsyncConnection, subscriber: str, rows: list[InboxRow]) -> None:
        correlation_id = rows[0].correlation_id if len(rows) == 1 else new_correlation_id()
        actor = f"inbox:{rows[0].source}"
        with context.use(context.Context(correlation_id=correlation_id, actor=actor, lane="batch")):
            await self._handlers[subscriber](connection, rows)
        await mark(connection, [row.seq for row in rows], subscriber, status="done", error="")

    async def _failed(self, subscriber: str, row: InboxRow, error: Exception) -> None:
        logger.warning("An event of type %s failed: %s", row.type, type(error).__name__, exc_info=error)
        attempts = row.attempts + 1
        wait = self._settings.first_wait_seconds * 2 ** (attempts - 1)
        values: dict[str, Any] = {
            "attempts": attempts,
            "error": error.code if isinstance(error, Problem) else type(error).__name__,
            "next_at": func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, wait),
        }
        # Between the rollback and now another lane may have taken the delivery, and succeeded.
        mine = (
            (deliveries.c.seq == row.seq)
            & (deliveries.c.subscriber == subscriber)
            & (deliveries.c.status == "new")
            & (deliveries.c.attempts == row.attempts)
        )
        async with self._database.begin() as connection:
            pending = await connection.execute(select(deliveries.c.seq).where(mine).with_for_update())
            if pending.scalar() is None:
                return
            if attempts >= self._settings.attempts:
                parked = await _raise(connection, subscriber, row, error)
                values |= {"status": "parked", "exception_id": parked}
            await mark(connection, [row.seq], subscriber, **values)


def name_of(handler: Callable[..., Any]) -> str:
    """A handler's name in all workers."""
    return f"{handler.__module__}.{handler.__qualname__}"


async def _raise(connection: AsyncConnection, subscriber: str, row: InboxRow, error: Exception) -> str:
    problem = error if isinstance(error, Problem) else None
    resume = exceptions.Resume(kind="inbox", inbox_seq=row.seq, subscriber=subscriber)
    if problem is not None and failed_login(problem):
        waiter = new_id("inbox")
        return await wait_for_login(
            connection, problem, waiter=waiter, resume=resume, correlation_id=row.correlation_id
        )
    return await exceptions.raise_exception(
        connection,
        kind="contract_violation",
        flow="inbox",
        subject=row.key,
        stopped=f"An event from {row.source} about {row.key} could not be taken in",
        why=problem.detail if problem else f"Taking it in failed ({type(error).__name__})",
        what_next="Correct the record or the configuration and replay, or skip the event",
        owner=OPERATIONS,
        correlation_id=row.correlation_id,
        resume=resume,
        errors=problem.errors if problem else (),
        reason=reason_of(problem) if problem else type(error).__name__,
    )
