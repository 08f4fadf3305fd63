"""tests of the connector: a poll over coarse clocks reports every change once, none from before."""

import datetime as dt
from collections.abc import AsyncIterator

from contracts.events.kinds import CUSTOMER_CHANGED, RecordChanged
from kit import clock
from system_apis.connector.change import Change
from system_apis.connector.cursor_poll import CursorPoll, Page, Watched
from system_apis.connector.profile import Polling


class Vendor:
    """Records by id, with the last change and the content, at a vendor whose clock counts minutes."""

    def __init__(self, *, versions: bool) -> None:
        self.versions = versions
        self.records: dict[str, tuple[dt.datetime, str]] = {}
        self.reported: list[tuple[str, str]] = []
        self.cursors: dict[str, str] = {}

    def save(self, ident: str, content: str) -> None:
        self.records[ident] = (clock.now().replace(second=0, microsecond=0), content)

    async def pages(self, since: dt.datetime) -> AsyncIterator[Page]:
        rows = sorted((at, ident, content) for ident, (at, content) in self.records.items() if at >= since)
        if rows:
            yield Page.of([self.change(*row) for row in rows])

    def change(self, at: dt.datetime, ident: str, content: str) -> Change:
        change = RecordChanged("toy", "customer", ident, content, changed_at=at)
        if self.versions:
            return Change(f"{ident}:{content}", CUSTOMER_CHANGED, change, at)
        return Change(f"{ident}:{at}", CUSTOMER_CHANGED, change, at, content)

    async def newest(self) -> dt.datetime:
        return max(at for at, _ in self.records.values())

    async def get(self, name: str) -> str | None:
        return self.cursors.get(name)

    async def set(self, name: str, value: str) -> None:
        self.cursors[name] = value

    async def receive(
        self,
        dedupe_id: str,
        type: str,  # noqa: A002
        key: str,
        change: RecordChanged,
        occurred_at: dt.datetime,
    ) -> bool:
        self.reported.append((change.id, change.version))
        return bool(dedupe_id and type and key and occurred_at)

    def poll(self, *, states_newest: bool) -> CursorPoll:
        watched = Watched(self.pages, self.newest) if states_newest else Watched(self.pages)
        return CursorPoll("toy:poll", {"": watched}, Polling(overlap_seconds=300))


async def check_one_minute(*, versions: bool, states_newest: bool) -> None:
    vendor = Vendor(versions=versions)
    vendor.save("1", "a")
    vendor.save("2", "a")
    poll = vendor.poll(states_newest=states_newest)
    await poll.begin(vendor)
    await poll.look(vendor.receive, vendor)
    assert vendor.reported == []
    for content in ("b", "c"):
        vendor.save("1", content)
        await poll.look(vendor.receive, vendor)
        await poll.look(vendor.receive, vendor)
    assert vendor.reported == [("1", "b"), ("1", "c")]


async def test_a_known_record_that_changes_within_the_first_instant() -> None:
    """A change in the minute of the beginning is reported, also twice, by its version or by its content."""
    for versions in (True, False):
        for states_newest in (True, False):
            await check_one_minute(versions=versions, states_newest=states_newest)
