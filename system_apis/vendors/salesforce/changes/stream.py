"""system_apis: a Salesforce org's change events (Change Data Capture over the Pub/Sub API), with replay."""

import asyncio
import datetime as dt
import random
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from contracts.problems import ContractViolation, VendorUnavailable
from kit import context, telemetry
from system_apis.connector import CursorStore, Receive
from system_apis.connector.change import Change
from system_apis.connector.polling import in_background, pause
from system_apis.vendors.salesforce.changes.report import Reporter, hour_before
from system_apis.vendors.salesforce.client import soql
from system_apis.vendors.salesforce.client.events import Events, ReplayIdRefused
from system_apis.vendors.salesforce.mapping.changes import SObject, changed_names, from_event
from system_apis.vendors.salesforce.proto import pubsub_api_pb2 as wire
from system_apis.vendors.salesforce.records import ChangeEventHeader

_log = telemetry.log(__name__)

_LONGEST_PAUSE = 30.0  # seconds
_GIVE_UP = 20  # failures in a row, after which the failure is raised to the caller
_REMEMBERED = 5000
_AT_ONCE = 200  # records that one query reads by id


class Stream:
    """One object's change events, each at least once: the position is saved after the events were stored."""

    def __init__(self, reporter: Reporter, events: Events, sobject: SObject) -> None:
        self.name = f"{reporter.profile.name}:stream:{sobject}"
        self._topic = f"/data/{sobject}ChangeEvent"
        self._sobject: SObject = sobject
        self._reporter = reporter
        self._events = events
        self._won: frozenset[str] = frozenset()
        self._stages: frozenset[str] = frozenset()
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
        except (ContractViolation, msgspec.ValidationError, LookupError, ValueError) as error:
            # One unreadable event may not stop those behind it; the poll finds the record's change.
            why = type(error).__name__
            _log.error("a change event is unreadable", source=self.name, event=event.id, error=why)
            return
        if header.change_type.startswith("GAP_") or any(name.endswith("*") for name in header.record_ids):
            await self._read_up(header, receive)
        else:
            await self._report(header, payload, names, receive)

    async def _read_up(self, header: ChangeEventHeader, receive: Receive) -> None:
        """An event without data, or even without ids: the records are read instead."""
        known = [record_id for record_id in header.record_ids if not record_id.endswith("*")]
        if header.change_type == "GAP_OVERFLOW" or len(known) < len(header.record_ids):
            committed = dt.datetime.fromtimestamp(header.commit_timestamp / 1000, dt.UTC)
            async for page in self._reporter.sweep(self._sobject, soql.since(hour_before(committed))):
                for record in page:
                    await self._reporter.report(receive, self._reporter.found(self._sobject, record))
            return
        for start in range(0, len(known), _AT_ONCE):
            await self._reporter.report_records(receive, self._sobject, known[start : start + _AT_ONCE])

    async def _report(
        self, header: ChangeEventHeader, payload: dict[str, Any], names: list[str], receive: Receive
    ) -> None:
        await self._learn_stage(payload.get("StageName"))
        maps, client_name = self._reporter.maps, self._reporter.profile.connection.client_name
        merged = await self._merged(header)
        changes = from_event(self._sobject, header, payload, names, self._won, maps, client_name, merged)
        await self._reporter.report(receive, [self._distinct(one, header) for one in changes])

    async def _merged(self, header: ChangeEventHeader) -> dict[str, str]:
        """The remaining account of each merged one; the event of its deletion does not name it."""
        if header.change_type != "DELETE" or self._sobject != "Account":
            return {}
        return {each: await self._reporter.client.merged_into(each) for each in header.record_ids}

    async def _learn_stage(self, stage: Any) -> None:
        """Read the org's stages once, and again for an unknown stage: an administrator may have added it."""
        if not isinstance(stage, str) or stage in self._stages:
            return
        stages = await self._reporter.client.stages()
        self._won = frozenset(
            name
            for row in stages
            if row.is_won and row.is_closed
            for name in (row.master_label, row.api_name)
            if name
        )
        # A stage may be any text: one that the table lacks is remembered, too, and is not won.
        self._stages |= {stage, *(row.api_name or row.master_label for row in stages)}

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
