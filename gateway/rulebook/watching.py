"""Watching: a change of the policy files is read once it is whole, and put in force or refused."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.rulebook import FILES, Rulebook, parse_rulebook, read_texts
from kit.settings import SettingsError
from kit.telemetry import log

_log = log(__name__)

Signature = tuple[tuple[int, int, int], ...]
Adopt = Callable[[Rulebook], Awaitable[None]]
Refuse = Callable[[SettingsError], None]


def signature(folder: Path) -> Signature:
    """What changes whenever a policy file does: inode, time of change and size of each."""
    found = []
    for name in FILES:
        try:
            status = (folder / name).stat()
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(found)


class Watcher:
    """Looks at the files of a folder every so often; `adopt` and `refuse` are told what came of a change."""

    def __init__(self, folder: Path, adopt: Adopt, refuse: Refuse, every_seconds: float) -> None:
        self._folder = folder
        self._adopt = adopt
        self._refuse = refuse
        self._every = every_seconds
        self._seen: Signature = ()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - a fault here must not end the watching for good
                _log.error("policy not looked at", exc_info=error)

    async def look(self) -> None:
        """Read the files if they have changed; what changes while it is read waits for the next look."""
        now = signature(self._folder)
        if now == self._seen:
            return
        try:
            texts = await asyncio.to_thread(read_texts, self._folder)
            if signature(self._folder) != now:
                return
            self._seen = now
            await self._adopt(parse_rulebook(self._folder, texts))
        except SettingsError as error:
            self._seen = now
            self._refuse(error)
