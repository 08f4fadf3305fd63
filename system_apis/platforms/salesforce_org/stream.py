"""system_apis: a Salesforce org's change events (Change Data Capture over the Pub/Sub API), with replay."""

import asyncio
import datetime as dt
import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import msgspec

from contracts.problems import ContractViolation, VendorUnavailable
from kit import context, telemetry
from system_apis.connector import CursorStore, Receive
from system_apis.connector.change import Change
from system_apis.connector.cursor_poll import report
from system_apis.connector.polling import in_background, pause
from system_apis.platforms.salesforce_org.change_events import ChangeEvent, changed_names
from system_apis.platforms.salesforce_org.changed_records import ChangedRecords
from system_apis.platforms.salesforce_org.connection import OrgProfile
from system_apis.platforms.salesforce_org.events import Events, ReplayIdRefused
from system_apis.platforms.salesforce_org.proto import pubsub_api_pb2 as wire
from system_apis.platforms.salesforce_org.records import ChangeEventHeader

_log = telemetry.log(__name__)

_LONGEST_PAUSE = 30.0  # seconds
_GIVE_UP = 20  # failures in a row, after which the failure is raised to the caller
_REMEMBERED = 5000
_AT_ONCE = 200  # records that one query reads by id
_LONG_TRANSACTION = dt.timedelta(hours=1)


def topic_of(sobject: str) -> str:
    """The topic of an object's change events."""
    return f"/data/{sobject}ChangeEvent"


class Stream:
    """One object's change events, each at least once: the position is saved after the events were stored.

    `changes` gives the changes of an event with data; of others the records are read.
    """

    def __init__(
        self,
        profile: OrgProfile,
        events: Events,
        sobject: str,
        records: ChangedRecords,
        changes: Callable[[ChangeEvent], Awaitable[Iterable[Change]]],
    ) -> None:
        self.name = f"{profile.name}:stream:{sobject}"
        self._topic = topic_of(sobject)
        self._origin = f"client={profile.connection.client_name}"
        self._events = events
        self._records = records
        self._changes = changes
        self._first: OrderedDict[str, int] = OrderedDict()

    async def begin(self, cursor: CursorStore) -> None:
        """Nothing: the bus sends events from the subscription on; the poll covers the time before."""

    async def run(self, receive: Receive, cursor: CursorStore, stop: asyncio.Event) -> None:
        """Until `stop`. A broken stream resumes at its position; the org's refusals are raised."""
        failures = 0
        earliest = False
        while not stop.is_set():
            try:
                with context.use(in_background(self.name)):
                    async for _ in self._listen(receive, cursor, stop, earliest=earliest):
                        failures, earliest = 0, False
            except ReplayIdRefused:
                # Older than the bus's retention: read all that it has, the poll reports the rest.
                _log.warning("the stream starts from the oldest retained event", source=self.name)
                await cursor.set(self.name, "")
                earliest = True
            except VendorUnavailable as problem:
                failures += 1
                if failures >= _GIVE_UP:
                    raise
                wait = min(_LONGEST_PAUSE, 0.25 * 2**failures) * random.uniform(0.5, 1)  # noqa: S311 - jitter
                _log.warning("the stream broke", source=self.name, code=problem.code, why=problem.detail)
                await pause(stop, max(wait, problem.retry_after or 0))

    async def _listen(
        self, receive: Receive, cursor: CursorStore, stop: asyncio.Event, *, earliest: bool
    ) -> AsyncIterator[None]:
        """Subscribe and report; yields after each answer of the bus."""
        stored = await cursor.get(self.name)
        place = bytes.fromhex(stored) if stored else None
        async with self._events.subscribe(self._topic, place, earliest=earliest) as answers:
            async for answer in _until(stop, answers):
                for event in answer.events:
                    await self._take(event.event, receive)
                place = answer.events[-1].replay_id if answer.events else answer.latest_replay_id
                if place:
                    await cursor.set(self.name, place.hex())
                yield

    async def _take(self, event: wire.ProducerEvent, receive: Receive) -> None:
        try:
            payload, schema = await self._events.decode(event)
            header = msgspec.convert(payload.get("ChangeEventHeader"), ChangeEventHeader)
            names = changed_names(header.changed_fields, schema)
        except (ContractViolation, LookupError, ValueError, ArithmeticError) as error:
            self._skip(event, error)
            return
        if header.change_type.startswith("GAP_") or any(name.endswith("*") for name in header.record_ids):
            await self._read_up(header, receive)
            return
        by_us = self._origin in header.change_origin.split(";")
        try:
            changes = await self._changes(ChangeEvent(header, payload, names, by_us))
        except ValueError as error:  # an instant of its payload
            self._skip(event, error)
            return
        for one in changes:
            await report(receive, self._distinct(one, header))

    def _skip(self, event: wire.ProducerEvent, error: Exception) -> None:
        """One unreadable event may not stop those behind it; the poll finds the record's change."""
        why = type(error).__name__
        _log.error("a change event is unreadable", source=self.name, event=event.id, error=why)

    async def _read_up(self, header: ChangeEventHeader, receive: Receive) -> None:
        """An event without data, or even without ids: the records are read instead."""
        known = [record_id for record_id in header.record_ids if not record_id.endswith("*")]
        if header.change_type == "GAP_OVERFLOW" or len(known) < len(header.record_ids):
            # A margin for a long transaction, whose records have instants before its commit.
            since = dt.datetime.fromtimestamp(header.commit_timestamp / 1000, dt.UTC) - _LONG_TRANSACTION
            async for page in self._records.pages(since):
                for one in page.changes:
                    await report(receive, one)
            return
        for start in range(0, len(known), _AT_ONCE):
            for one in await self._records.by_ids(known[start : start + _AT_ONCE]):
                await report(receive, one)

    def _distinct(self, change: Change, header: ChangeEventHeader) -> Change:
        """A second change of a record within one second is another change; the poll can only see one."""
        first = self._first.setdefault(change.dedupe_id, header.commit_number)
        if len(self._first) > _REMEMBERED:
            self._first.popitem(last=False)
        if first == header.commit_number:
            return change
        return change._replace(dedupe_id=f"{change.dedupe_id}:{header.commit_number}")


async def _until(
    stop: asyncio.Event, answers: AsyncIterator[wire.FetchResponse]
) -> AsyncIterator[wire.FetchResponse]:
    """The answers, until `stop`: a quiet stream would not notice."""
    stopped = asyncio.create_task(stop.wait())
    coming: asyncio.Future[wire.FetchResponse] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(answers))
            await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                return
            try:
                yield coming.result()
            except StopAsyncIteration:
                return
    finally:
        stopped.cancel()
        if coming is not None and not coming.done():
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
