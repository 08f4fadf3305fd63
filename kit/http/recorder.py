"""The record of every call to a vendor: durable rows in batches, so that a trace can be told later."""

import asyncio
import datetime as dt
from collections import deque

import msgspec
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from contracts.problems import Unavailable
from kit import telemetry
from kit.background import run_background, stop_background
from kit.database import Database
from kit.database.tables import vendor_calls

_log = telemetry.log(__name__)

_duration = telemetry.Histogram("enfilade.vendor.call.duration", "Duration of calls to vendors")

_EVERY = 0.2  # seconds
_BATCH = 200
_MOST = 50_000  # rows kept while the database is away; then the oldest go

_ABSENT = (SQLAlchemyError, OSError, Unavailable)


class VendorCall(msgspec.Struct, frozen=True):
    """One request to a vendor and what came of it; `problem` is its code, empty when all is well."""

    at: dt.datetime
    correlation_id: str
    workflow_id: str
    step: str
    instance: str
    lane: str
    method: str
    template: str
    status: int | None
    problem: str
    vendor_request_id: str
    seconds: float


class Recorder:
    """Buffers rows and writes them; a failing database keeps the rows waiting, not the calls."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: deque[VendorCall] = deque(maxlen=_MOST)
        self._task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    def record(self, row: VendorCall) -> None:
        """Keep a row; it is written within a fraction of a second."""
        self._rows.append(row)
        _duration.series(
            instance=row.instance, method=row.method, status=str(row.status or ""), problem=row.problem
        ).record(row.seconds)
        if self._task is None or self._task.done():
            self._task = run_background("recording of vendor calls", self._write_soon)

    async def flush(self) -> None:
        """Write all that is buffered; raises what the database raises, and keeps the rows then."""
        async with self._writing:
            while self._rows:
                batch = [self._rows.popleft() for _ in range(min(_BATCH, len(self._rows)))]
                try:
                    async with self._database.begin() as connection:
                        await connection.execute(
                            insert(vendor_calls), [msgspec.structs.asdict(row) for row in batch]
                        )
                except BaseException:
                    self._rows.extendleft(reversed(batch))
                    raise

    async def close(self) -> None:
        """Write what is left; one line in the log if the database does not take it."""
        await stop_background(self._task)
        try:
            await self.flush()
        except _ABSENT as error:
            _log.error("vendor calls could not be recorded", rows=len(self._rows), error=type(error).__name__)

    async def _write_soon(self) -> None:
        while self._rows:
            await asyncio.sleep(_EVERY)  # lets a batch gather
            try:
                await self.flush()
            except _ABSENT as error:
                _log.warning("vendor calls wait for the database", error=type(error).__name__)
