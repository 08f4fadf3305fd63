"""bench/read: the modules behind the three interfaces: a connector, a flow and an audience."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec

from bench.read.interfaces import (
    BenchRecord,
    BenchSummary,
    Line,
    Note,
    Record,
    Row,
    Screen,
    Summary,
)
from contracts.canonical.values import Money
from contracts.problems import NotFound
from contracts.system.instance import InstanceReport
from system_apis.connector import ChangeSource, Connector, ConnectorContext, Profile, WebhookReceiver

INSTANCE = "bench-main"
HUNG = "bench-hung"
CAPABILITY = "bench-record"
RECORD_ID = "agr_0001"


class MemoryProfile(Profile, frozen=True, kw_only=True):
    """A profile of records in memory: it connects to nothing."""

    hangs: bool = False


class Memory:
    """The vendor's adapter over a dictionary."""

    def __init__(self) -> None:
        self._records = {RECORD_ID: _record(RECORD_ID)}

    async def get_record(self, record_id: str) -> Record:
        record = self._records.get(record_id)
        if record is None:
            raise NotFound(f"There is no record {record_id}")
        return record


class Hanging:
    """The adapter of a vendor that does not answer."""

    async def get_record(self, record_id: str) -> Record:
        await asyncio.Event().wait()
        raise NotFound(f"There is no record {record_id}")


class OpenMemory:
    """The open instance."""

    changes: tuple[ChangeSource, ...] = ()
    webhook: WebhookReceiver | None = None

    def __init__(self, profile: MemoryProfile) -> None:
        self._profile = profile
        self.capabilities: Mapping[str, Any] = {CAPABILITY: Hanging() if profile.hangs else Memory()}

    async def check(self) -> InstanceReport:
        return InstanceReport(self._profile.name, self._profile.vendor, self._profile.environment, ())


@asynccontextmanager
async def _open(profile: MemoryProfile, _: ConnectorContext) -> AsyncIterator[OpenMemory]:
    yield OpenMemory(profile)


def _as_given(_: str, given: str) -> str:
    return given


CONNECTOR = Connector(
    name="bench",
    title="Memory",
    capabilities=(CAPABILITY,),
    profile=MemoryProfile,
    open=_open,
    canonical_id=_as_given,
)
PROFILES = tuple(
    MemoryProfile(
        name=name, vendor="bench", environment="test", capabilities=(CAPABILITY,), hangs=name == HUNG
    )
    for name in (INSTANCE, HUNG)
)


class Flow:
    """Works out the totals of a record."""

    def __init__(self, records: BenchRecord) -> None:
        self._records = records

    async def get_summary(self, record_id: str) -> Summary:
        record = await self._records.get_record(record_id)
        return Summary(record, _sum(record.lines), _sum([line for line in record.lines if line.billed]))


class Audience:
    """Composes the screen."""

    def __init__(self, summaries: BenchSummary) -> None:
        self._summaries = summaries

    async def get_screen(self, record_id: str) -> Screen:
        return compose(await self._summaries.get_summary(record_id))

    async def add_note(self, record_id: str, body: Note) -> Note:  # noqa: ARG002 - all records accept notes
        return body


def compose(summary: Summary) -> Screen:
    """A summary as its reader sees it."""
    record = summary.record
    return Screen(
        id=record.id,
        title=f"{record.number} · {record.customer}",
        start=record.start,
        end=record.end,
        value=summary.value,
        billed=summary.billed,
        rows=tuple(Row(line.description, line.due, line.amount) for line in record.lines),
    )


def answer() -> Screen:
    """The screen that the read answers with, precomputed."""
    record = _record(RECORD_ID)
    billed = [line for line in record.lines if line.billed]
    return compose(Summary(record, _sum(record.lines), _sum(billed)))


def note() -> bytes:
    """A note of about a kilobyte, as it is sent."""
    return msgspec.json.encode(Note("sofia-marsh", ("What was said and decided at the table. " * 4,) * 6))


def _sum(lines: tuple[Line, ...] | list[Line]) -> Money:
    return Money(sum((line.amount.amount for line in lines), Decimal(0)), "USD")


def _record(record_id: str) -> Record:
    lines = tuple(
        Line(f"Milestone {number}", dt.date(2027, number, 28), Money(Decimal("30000.00"), "USD"), number < 3)  # noqa: PLR2004
        for number in range(1, 7)
    )
    dates = dt.date(2027, 1, 11), dt.date(2027, 6, 30)
    return Record(record_id, "SO1042", "Globex Corporation", *dates, lines)
