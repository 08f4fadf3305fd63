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
    """The answers of one read at one place; those of an earlier generation are invalid."""

    __slots__ = ("generation", "outdated_by")

    def __init__(self, outdated_by: tuple[str, ...]) -> None:
        self.generation = 0
        self.outdated_by = outdated_by

    def invalidate(self) -> None:
        """What is cached, and what is on its way, answers no later request."""
        self.generation += 1

    def invalidate_on(self, kinds: Iterable[str]) -> None:
        """Events of these types have happened."""
        if not self.outdated_by or any(kind in self.outdated_by for kind in kinds):
            self.invalidate()


class InvalidationListener:
    """Reads the events as they come, whichever process wrote them, and invalidates cached answers.

    `tags` gives those of the policy in force; where there are none, nothing is read. While the database is
    away nothing is read, and answers live out their time: that bound always holds.
    """

    def __init__(self, database: Database, tags: Callable[[], list[CacheTag]]) -> None:
        self._database = database
        self._tags = tags
        self._cursor: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = run_background("listening for what outdates the cache", self._listen)

    async def close(self) -> None:
        """End it."""
        await stop_background(self._task)

    async def listen_once(self) -> None:
        """Read what has happened since the last time."""
        tags = self._tags()
        if not tags:
            return
        async with self._database.begin() as connection:
            if self._cursor is None:
                self._cursor = await inbox.latest(connection)
                for tag in tags:  # what happened until now was not read
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
