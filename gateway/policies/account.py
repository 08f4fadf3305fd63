"""Account: metrics of all calls, and audit records of writes and denials."""

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from contracts.problems import Problem
from gateway.exchange import Asked, Exchange, Reply, Route, Rule, Step
from gateway.streams import BodyStream
from kit import audit, clock
from kit.background import run_background, stop_background
from kit.batches import CLOSE_SECONDS, BatchWriter
from kit.database import Database
from kit.telemetry import Histogram, Sample, gauge, log, meter
from kit.texts import storable

_FORBIDDEN = 403
_MAX_NOTE = 120
_WORST = 20
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_log = log(__name__)
_meter = meter(__name__)
_duration = Histogram("http.server.request.duration", "Duration of requests at the gateway")
_streamed = _meter.create_counter(
    "enfilade.gateway.streamed", unit="By", description="Bytes of streams that have ended, by outcome"
)
_refusals = _meter.create_counter(
    "enfilade.gateway.refusals", description="Requests refused before anybody was identified, by problem code"
)


class AccountSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long rows wait to be written as a batch, its size, and how many rows may wait in all.

    Rows that cannot be written wait for the database; beyond `max_waiting` the oldest are dropped, counted.
    """

    flush_seconds: Annotated[float, Meta(gt=0)] = 0.5
    batch: Annotated[int, Meta(ge=1)] = 200
    max_waiting: Annotated[int, Meta(ge=100)] = 20_000


class Account:
    """Measures every call; records writes, streams, and denials of identified callers, in the audit trail."""

    def __init__(self, settings: AccountSettings, database: Database | None) -> None:
        self.settings = settings
        self._database = database
        self._rows: BatchWriter[audit.Entry] = BatchWriter(
            "enfilade.gateway.audit",
            self._write,
            self._set_aside,
            batch=settings.batch,
            most=settings.max_waiting,
        )
        # Rows are numbered, so that a verification detects those that were never written.
        self._writer = secrets.token_hex(8)
        self._noted = 0
        self._unknown: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._series: dict[tuple[str, int, str, str], Any] = {}
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._stop = asyncio.Event()
        gauge(
            "enfilade.gateway.in_flight",
            "Requests that are being answered",
            lambda: [Sample(self._in_flight)],
        )

    def wrap(self, _: Route | None, call_next: Step) -> Step:
        async def account(exchange: Exchange) -> Reply:
            self._in_flight += 1
            try:
                reply = await call_next(exchange)
            except BaseException:
                self._leave()
                raise
            if reply.stream is not None:
                reply.stream.at_end(partial(self._end_stream, exchange, reply.status, reply.stream))
                return reply
            self._leave()
            self._measure(exchange, reply.status)
            route = exchange.route
            if exchange.caller is None:
                if exchange.problem is not None:
                    self._count_unidentified(exchange, exchange.problem)
            elif reply.status == _FORBIDDEN or (
                route is not None and route.operation is not None and route.operation.access != "read"
            ):
                self._note(exchange, reply.status)
            return reply

        return account

    def explain(self, asked: Asked) -> list[Rule]:
        operation = asked.route.operation
        if self._database is None or operation is None:
            return [Rule("measured", "account")]
        recorded = operation.access != "read" or operation.streams
        audited = "recorded in the audit trail" if recorded else "denials are audited"
        return [Rule(f"measured; {audited}", "account")]

    def _leave(self) -> None:
        self._in_flight -= 1
        if not self._in_flight:
            self._idle.set()

    def _end_stream(self, exchange: Exchange, status: int, stream: BodyStream) -> None:
        """Account for an answer that has streamed: its duration, its bytes, and how it ended."""
        self._leave()
        exchange.problem = stream.problem
        self._measure(exchange, status)
        route, caller = exchange.route, exchange.caller
        labels = {
            "http.route": route.template if route else "",
            "consumer": caller.consumer if caller else "",
        }
        _streamed.add(stream.sent, {**labels, "outcome": stream.outcome})
        seconds = round(time.perf_counter() - exchange.started, 3)
        self._note(exchange, status, {"ended": stream.outcome, "bytes": stream.sent, "seconds": seconds})

    def _measure(self, exchange: Exchange, status: int) -> None:
        name = exchange.route.name if exchange.route else ""
        consumer = exchange.caller.consumer if exchange.caller else ""
        code = exchange.problem.code if exchange.problem else ""
        key = (name, status, consumer, code)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _duration.series(**_labels(exchange.route, status, consumer, code))
        series.record(time.perf_counter() - exchange.started)

    def _count_unidentified(self, exchange: Exchange, problem: Problem) -> None:
        _refusals.add(1, {"code": problem.code})
        if len(self._unknown) < self.settings.max_waiting or exchange.source in self._unknown:
            self._unknown[exchange.source] += 1

    def _note(self, exchange: Exchange, status: int, more: Mapping[str, Any] = _NOTHING) -> None:
        caller, route = exchange.caller, exchange.route
        if self._database is None or caller is None or route is None:
            return
        self._noted += 1
        number = audit.numbered(self._writer, self._noted)
        detail: dict[str, Any] = {"method": exchange.method, "status": status, **more, **number}
        callers_id = exchange.headers.get(b"correlation-id")
        if callers_id:  # only recorded: the gateway uses an id of its own
            detail["caller_correlation_id"] = callers_id.decode("latin-1")[:_MAX_NOTE]
        self._rows.add(
            audit.Entry(
                action=route.name,
                outcome=exchange.problem.code if exchange.problem else str(status),
                actor=caller.subject,
                consumer=caller.consumer,
                subject=exchange.path,
                detail=detail,
                correlation_id=exchange.correlation_id,
                personal={"source": exchange.source},
            )
        )

    async def idle(self) -> None:
        """Wait until no request is being answered."""
        while self._in_flight:
            self._idle.clear()
            await self._idle.wait()

    async def start(self) -> None:
        """Start writing records in the background."""
        if self._database is not None:
            self._task = run_background("writing of the audit", self._write_on)

    async def close(self) -> None:
        """Write the waiting rows; logs those that could not be written."""
        self._stop.set()
        if self._task is not None:
            # A batch under way may finish: when cancelled, it would be unknown whether it was written.
            await asyncio.wait({self._task}, timeout=CLOSE_SECONDS)
            await stop_background(self._task)
        await self._rows.close(CLOSE_SECONDS)
        await self._log_unidentified()

    async def flush(self) -> None:
        """Write the waiting rows; they stay when the database is away."""
        try:
            await self._rows.flush()
        except Exception as error:  # noqa: BLE001 - a fault here must not end the writing for good
            _log.warning("audit waits", rows=len(self._rows), reason=type(error).__name__)

    async def _write(self, rows: Sequence[audit.Entry]) -> None:
        if self._database is not None:
            async with self._database.begin() as connection:
                await audit.write_all(connection, rows)

    async def _set_aside(self, row: audit.Entry, error: Exception) -> None:
        await self._write([audit.set_aside(row, error)])

    async def _write_on(self) -> None:
        logged_at = time.monotonic()
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self.settings.flush_seconds)
            await self.flush()
            if time.monotonic() - logged_at >= 60:  # noqa: PLR2004 - a minute
                logged_at = time.monotonic()
                await self._log_unidentified()

    async def _log_unidentified(self) -> None:
        """Log and store the most frequent sources of denials before identity, counted per minute."""
        worst = dict(self._unknown.most_common(_WORST))
        self._unknown.clear()
        if not worst:
            return
        _log.info("refused before identity", sources=worst)
        if self._database is not None:
            counts = {storable(source): count for source, count in worst.items()}
            try:
                async with asyncio.timeout(CLOSE_SECONDS), self._database.begin() as connection:
                    await audit.note_refusals(connection, clock.now(), counts)
            except Exception as error:  # noqa: BLE001 - counts, not lines: a minute may be missing
                _log.warning("refusals not counted", reason=type(error).__name__)


def _labels(route: Route | None, status: int, consumer: str, code: str) -> dict[str, str]:
    """Bounded labels: known routes, consumers and codes only; all unknown addresses share one."""
    return {
        "http_request_method": route.method if route else "_OTHER",
        "http_route": route.template if route else "",
        "http_response_status_code": str(status),
        "consumer": consumer,
        "problem": code,
    }
