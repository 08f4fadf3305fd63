"""tests/conformance: listens to an instance's sources of changes, and remembers what they report."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from contracts.events.kinds import RecordChanged
from system_apis.app import Instance

SECONDS = 20


@dataclass(frozen=True)
class Report:
    """One change, as the inbox gets it."""

    dedupe_id: str
    type: str
    key: str
    change: RecordChanged
    at: dt.datetime


@dataclass
class Inbox:
    """What was reported, each dedupe id once; and the sources' positions, which outlive a process."""

    reports: dict[str, Report] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(
        self,
        dedupe_id: str,
        type: str,  # noqa: A002 - as the port has it
        key: str,
        change: RecordChanged,
        occurred_at: dt.datetime,
    ) -> bool:
        fresh = dedupe_id not in self.reports
        self.reports.setdefault(dedupe_id, Report(dedupe_id, type, key, change, occurred_at))
        self.news.set()
        return fresh

    async def get(self, name: str) -> str | None:
        return self.positions.get(name)

    async def set(self, name: str, value: str) -> None:
        self.positions[name] = value

    def of(self, ident: str) -> list[Report]:
        """All reports of a record."""
        return [report for report in self.reports.values() if report.change.id == ident]

    async def begin(self, instance: Instance) -> None:
        for source in instance.opened.changes:
            await source.begin(self)

    async def listen(
        self,
        instance: Instance,
        until: Callable[[], bool],
        what: str,
        again: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Run every source until a condition holds; fails with `what` where it never does.

        What is done `again` is done whenever there was no news for a while: a stream begins when it is ready.
        """
        stop = asyncio.Event()
        sources = [asyncio.create_task(source.run(self, self, stop)) for source in instance.opened.changes]
        assert sources, "nothing watches the account"
        try:
            async with asyncio.timeout(SECONDS):
                while not until():
                    self.news.clear()
                    news = asyncio.create_task(self.news.wait())
                    if again is not None:
                        await again()
                    patience = None if again is None else 1
                    await asyncio.wait(
                        {news, *sources}, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                    )
                    news.cancel()
                    for failed in [source for source in sources if source.done()]:
                        await failed
        except TimeoutError:
            raise AssertionError(f"{what} was never reported") from None
        finally:
            stop.set()
            await asyncio.gather(*sources)
