"""Cache tags: which cached answers a write or an event invalidates, and the listener for events."""

import asyncio
from collections.abc import Callable, Iterable

from contracts.problems import Problem
from kit import inbox
from kit.background import run_background, stop_background
from kit.database import Database
from kit.telemetry import log

_LISTEN_SECONDS = 1.0
_log = log(__name__)


class CacheTag:
    """The answers of one read operation of one instance; those of an earlier generation are invalid."""

    __slots__ = ("generation", "outdated_by")

    def __init__(self, outdated_by: tuple[str, ...]) -> None:
        self.generation = 0
        self.outdated_by = outdated_by

    def invalidate(self) -> None:
        """Invalidate what is cached and what is being fetched: neither answers a later request."""
        self.generation += 1

    def invalidate_on(self, kinds: Iterable[str]) -> None:
        """Invalidate when one of these event types concerns the read."""
        if not self.outdated_by or any(kind in self.outdated_by for kind in kinds):
            self.invalidate()


class InvalidationListener:
    """Reads the events of all processes and invalidates cached answers.

    `tags` returns those of the current policy; without any, no event is read. While the database is
    unavailable no event is read either, and answers stay valid until they expire.
    """

    def __init__(self, database: Database, tags: Callable[[], list[CacheTag]]) -> None:
        self._database = database
        self._tags = tags
        self._cursor: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start listening in the background."""
        self._task = run_background("listening for events that invalidate the cache", self._listen)

    async def close(self) -> None:
        """Stop listening."""
        await stop_background(self._task)

    async def listen_once(self) -> None:
        """Read the events since the last call, and invalidate what they concern."""
        tags = self._tags()
        if not tags:
            return
        async with self._database.begin() as connection:
            if self._cursor is None:
                self._cursor = await inbox.latest(connection)
                for tag in tags:  # earlier events were never read
                    tag.invalidate()
            kinds: set[str] = set()
            while (page := await inbox.read(connection, self._cursor)).items:
                kinds |= {event.type for event in page.items}
                self._cursor = page.next_cursor
        if kinds:
            for tag in self._tags():
                tag.invalidate_on(kinds)

    async def _listen(self) -> None:
        while True:
            try:
                await self.listen_once()
            except Problem as problem:
                _log.warning("invalidation events not read", code=problem.code)
            except Exception as error:  # noqa: BLE001 - a fault here must not end the listening for good
                _log.error("invalidation events not read", exc_info=error)
            await asyncio.sleep(_LISTEN_SECONDS)
