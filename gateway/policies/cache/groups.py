"""Groups: which kept answers a write or an event outdates, and the ear for the house's events."""

import asyncio
from collections.abc import Callable, Iterable

from contracts.problems import Problem
from kit import inbox
from kit.background import run_background, stop_background
from kit.database import Database
from kit.telemetry import log

_LISTEN_SECONDS = 1.0
_log = log(__name__)


class Group:
    """The answers of one read at one place; those of an earlier epoch are outdated."""

    __slots__ = ("epoch", "outdated_by")

    def __init__(self, outdated_by: tuple[str, ...]) -> None:
        self.epoch = 0
        self.outdated_by = outdated_by

    def outdate(self) -> None:
        """What is kept, and what is on its way, will be given to nobody who asks from now on."""
        self.epoch += 1

    def hear(self, kinds: Iterable[str]) -> None:
        """Events of these types have happened."""
        if not self.outdated_by or any(kind in self.outdated_by for kind in kinds):
            self.outdate()


class Ear:
    """Reads the house's events as they come, in whatever process they were written, for whatever is kept.

    `groups` gives those of the policy in force; where there are none, nothing is read. While the database is
    away nothing is heard, and answers live out their time: that bound always holds.
    """

    def __init__(self, database: Database, groups: Callable[[], list[Group]]) -> None:
        self._database = database
        self._groups = groups
        self._cursor: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = run_background("listening for what outdates the cache", self._listen)

    async def close(self) -> None:
        """End it."""
        await stop_background(self._task)

    async def listen_once(self) -> None:
        """Hear what has happened since the last time."""
        groups = self._groups()
        if not groups:
            return
        async with self._database.begin() as connection:
            if self._cursor is None:
                self._cursor = await inbox.latest(connection)
                for group in groups:  # what happened until now was not heard
                    group.outdate()
            kinds: set[str] = set()
            while (page := await inbox.read(connection, self._cursor)).items:
                kinds |= {event.type for event in page.items}
                self._cursor = page.next_cursor
        if kinds:
            for group in self._groups():
                group.hear(kinds)

    async def _listen(self) -> None:
        while True:
            try:
                await self.listen_once()
            except Problem as problem:
                _log.warning("no events are heard", code=problem.code)
            except Exception as error:  # noqa: BLE001 - a fault here must not end the listening for good
                _log.error("no events are heard", exc_info=error)
            await asyncio.sleep(_LISTEN_SECONDS)
