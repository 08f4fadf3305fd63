"""The record of every call to a vendor: durable rows, written in batches, for traces."""

import asyncio
import datetime as dt
from collections.abc import Sequence

import msgspec
from sqlalchemy import insert

from kit import telemetry
from kit.background import run_background, stop_background
from kit.batches import CLOSE_SECONDS, BatchWriter
from kit.database import Database
from kit.database.tables import vendor_calls
from kit.texts import storable

_log = telemetry.log(__name__)

_duration = telemetry.Histogram("enfilade.vendor.call.duration", "Duration of calls to vendors")

_EVERY = 0.2  # seconds
_BATCH = 200
_MOST = 50_000  # rows buffered while the database is away; then the oldest are dropped


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
    """Buffers rows and writes them; a failing database delays the rows, not the calls."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: BatchWriter[VendorCall] = BatchWriter(
            "enfilade.vendor.calls", self._write, self._set_aside, batch=_BATCH, most=_MOST
        )
        self._task: asyncio.Task[None] | None = None

    def record(self, row: VendorCall) -> None:
        """Buffer a row; it is written within a fraction of a second."""
        self._rows.add(row)
        _duration.series(
            instance=row.instance, method=row.method, status=str(row.status or ""), problem=row.problem
        ).record(row.seconds)
        if self._task is None or self._task.done():
            self._task = run_background("recording of vendor calls", self._write_soon)

    async def flush(self) -> None:
        """Write all that is buffered; raises what the database raises, and then the rows stay buffered."""
        await self._rows.flush()

    async def close(self) -> None:
        """Write the remaining rows; logs one line if the database refuses them."""
        if self._task is not None:
            # A batch in flight is left to end: once cancelled, it is unknown whether it was written.
            await asyncio.wait({self._task}, timeout=_EVERY + CLOSE_SECONDS)
            await stop_background(self._task)
        await self._rows.close(CLOSE_SECONDS)

    async def _write(self, rows: Sequence[VendorCall]) -> None:
        async with self._database.begin() as connection:
            await connection.execute(insert(vendor_calls), [msgspec.structs.asdict(row) for row in rows])

    async def _set_aside(self, row: VendorCall, _: Exception) -> None:
        """Write a row with escapes in the place of what cannot be stored."""
        columns = msgspec.structs.asdict(row)
        texts = {name: storable(value) for name, value in columns.items() if isinstance(value, str)}
        await self._write([msgspec.structs.replace(row, **texts)])

    async def _write_soon(self) -> None:
        while self._rows:
            await asyncio.sleep(_EVERY)  # lets a batch gather
            try:
                await self.flush()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next batch is tried
                _log.warning("vendor calls wait for the database", error=type(error).__name__)
