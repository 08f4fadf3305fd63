"""tests/gateway: an API whose answers stream, and its tier, which says when it was stopped."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from contracts.canonical.values import Id
from contracts.operation import api, operation
from contracts.problems import Conflict, NotFound
from gateway.inventory import Mounted
from gateway.policies.hop import in_process
from kit import context, streaming
from kit.operations import document

FEED = "/experience/feed/v1"
LARGE = 64 * 1024


@api("experience", "feed", version=1, summary="What happens", audiences=("internal", "outside"))
class Feed(Protocol):
    """Events and exports of a topic."""

    @operation(
        "GET",
        "/topics/{topic}/events",
        summary="Watch a topic",
        streams="text/event-stream",
        problems=(NotFound,),
    )
    async def watch_topic(self, topic: Id) -> AsyncIterator[bytes]:
        """The events as they happen; NotFound for a topic that is none."""
        ...

    @operation(
        "GET",
        "/topics/{topic}/export",
        summary="Export a topic",
        streams="text/csv",
        deadline=0.5,
        problems=(Conflict,),
    )
    async def export_topic(self, topic: Id, rows: int = 3) -> AsyncIterator[bytes]:
        """Its rows as CSV."""
        ...


class FeedTier:
    """Streams what it is given, and counts what it made and what was stopped."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[int | Exception | None] = asyncio.Queue()
        self.made = 0
        self.open = 0
        self.callers: list[str] = []
        self.stopped = asyncio.Event()

    async def watch_topic(self, topic: str) -> AsyncIterator[bytes]:
        if topic == "none":
            raise NotFound
        return self._watch()

    async def export_topic(self, topic: str, rows: int = 3) -> AsyncIterator[bytes]:
        return self._export(topic, rows)

    async def _watch(self) -> AsyncIterator[bytes]:
        self.open += 1
        caller = context.current().caller
        self.callers.append(caller.consumer if caller else "")
        try:
            while (given := await self.events.get()) is not None:
                if isinstance(given, Exception):
                    raise given
                yield streaming.event({"number": given}, name="counted", event_id=str(given))
        finally:
            self.open -= 1
            self.stopped.set()

    async def _export(self, topic: str, rows: int) -> AsyncIterator[bytes]:
        self.open += 1
        try:
            if topic == "late":
                await asyncio.Event().wait()
            if topic == "refused":
                raise Conflict("It is being rebuilt")
            for number in range(rows):
                if topic == "broken" and number == 1:
                    raise Conflict("It was rebuilt meanwhile")
                self.made += 1
                yield b"%d,%s\n" % (number, b"x" * (LARGE if topic == "large" else 1))
        finally:
            self.open -= 1
            self.stopped.set()


def mounted(tier: FeedTier) -> Mounted:
    """The API where it stands."""
    return Mounted(Feed, document(Feed), in_process(Feed, tier))
