"""kit: buffers rows in memory and writes them in batches, in which a bad row does not block the others."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from contracts.problems import Problem
from kit.telemetry import Sample, gauge, log, meter

T = TypeVar("T")
Write = Callable[[Sequence[T]], Awaitable[None]]
SetAside = Callable[[T, Exception], Awaitable[None]]
CLOSE_SECONDS = 5.0
"""What a process that ends has to write the rest in."""
_LIMIT = "54"
"""The class of SQLSTATE of a row that exceeds a limit of PostgreSQL, as a key too long for its index."""
_log = log(__name__)
_meter = meter(__name__)


def is_the_rows_fault(error: Exception) -> bool:
    """Whether a write failed for what its rows are, and not because the database does not write."""
    if isinstance(error, Problem | OSError):
        return False
    if isinstance(error, DBAPIError) and not isinstance(error, DataError | IntegrityError):
        # PostgreSQL gives every error a state; without one the driver could not even send the values.
        state = getattr(error.orig, "sqlstate", None)
        return state.startswith(_LIMIT) if state else not error.connection_invalidated
    return True


async def write_apart(rows: "deque[T]", write: Write[T], set_aside: SetAside[T]) -> None:
    """Write rows together, in order, taking away what is done; a row that alone is refused is set aside.

    Where a batch is refused, half of it is tried. Raises the error of a database that does not write: the
    rows that are left then can be written later.
    """
    size = len(rows)
    while rows:
        part = [rows[place] for place in range(min(size, len(rows)))]
        try:
            await write(part)
        except Exception as error:
            if not is_the_rows_fault(error):
                raise
            if len(part) > 1:
                size = len(part) // 2
                continue
            await set_aside(part[0], error)
        for _ in part:
            rows.popleft()
        size *= 2


class BatchWriter(Generic[T]):
    """Rows that wait to be written together; `add` never waits and never fails.

    `write` writes some in one transaction. `set_aside` stores one that `write` can never write, in a form
    that can be. While the database is away rows wait, `most` of them: beyond that the oldest are dropped.
    `metric` is the beginning of three metrics' names: rows that wait, were set aside, and were lost.
    """

    def __init__(
        self, metric: str, write: Write[T], set_aside: SetAside[T], *, batch: int = 200, most: int = 20_000
    ) -> None:
        self._name = metric
        self._write = write
        self._set_aside_row = set_aside
        self._batch = batch
        self._most = most
        self._rows: deque[T] = deque()
        self._busy: deque[T] = deque()
        self._writing = asyncio.Lock()
        self._lost = _meter.create_counter(f"{metric}.lost", description="Rows that were never written")
        self._aside = _meter.create_counter(
            f"{metric}.set_aside", description="Rows that could not be written as they were"
        )
        gauge(f"{metric}.waiting", "Rows that wait to be written", lambda: [Sample(len(self))])

    def __len__(self) -> int:
        return len(self._rows) + len(self._busy)

    def add(self, row: T) -> None:
        """Let a row be written with the next batch."""
        self._rows.append(row)
        self._trim()

    def _trim(self) -> None:
        excess = len(self) - self._most
        dropped = min(max(excess, 0), len(self._rows))
        for _ in range(dropped):
            self._rows.popleft()
        if dropped:
            self._lost.add(dropped)

    async def flush(self) -> None:
        """Write all buffered rows; raises the database's error, and then the rows stay buffered."""
        async with self._writing:
            while self._rows:
                self._busy.extend(self._rows.popleft() for _ in range(min(self._batch, len(self._rows))))
                try:
                    await write_apart(self._busy, self._write, self._set_aside)
                finally:
                    self._rows.extendleft(reversed(self._busy))
                    self._busy.clear()

    async def close(self, seconds: float) -> None:
        """Write all buffered rows within some seconds; logs how many could not be written."""
        try:
            async with asyncio.timeout(seconds):
                await self.flush()
        except Exception as error:  # noqa: BLE001 - closing continues after any failure, and logs what is lost
            _log.error("rows not written", what=self._name, rows=len(self), reason=type(error).__name__)
            self._lost.add(len(self))

    async def _set_aside(self, row: T, error: Exception) -> None:
        # The driver's message quotes the row, which may be about a person: the log has its kind only.
        reason = type(error).__name__
        try:
            await self._set_aside_row(row, error)
        except Exception as again:
            if not is_the_rows_fault(again):
                raise
            _log.error("row lost", what=self._name, reason=reason)
            self._lost.add(1)
        else:
            _log.error("row set aside", what=self._name, reason=reason)
            self._aside.add(1)
