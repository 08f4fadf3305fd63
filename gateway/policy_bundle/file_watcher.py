"""A file watcher: reads a complete change of the policy files, and activates or refuses it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.policy_bundle import FILES, PolicyBundle, parse_bundle, read_texts
from kit.settings import SettingsError
from kit.telemetry import log

_log = log(__name__)

Mark = tuple[int, int, int]
Signature = tuple[Mark, ...]
Adopt = Callable[[PolicyBundle], Awaitable[None]]
Refuse = Callable[[SettingsError], None]


def signature(folder: Path) -> Signature:
    """A value that changes whenever a policy file does."""
    return tuple(_mark(folder / name) for name in FILES)


def _mark(path: Path) -> Mark:
    """Inode, time of change and size; zeros for a missing file."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_ino, status.st_mtime_ns, status.st_size)


def _others(folder: Path) -> dict[str, Mark]:
    """Every other file of the configuration, by its name in the folder."""
    paths = (path for path in folder.rglob("*.toml") if path.parent != folder or path.name not in FILES)
    return {str(path.relative_to(folder)): _mark(path) for path in paths}


class Watcher:
    """Polls the files of a folder; calls `adopt` with a changed policy, or `refuse` with its faults."""

    def __init__(self, folder: Path, adopt: Adopt, refuse: Refuse, every_seconds: float) -> None:
        self._folder = folder
        self._adopt = adopt
        self._refuse = refuse
        self._every = every_seconds
        self._seen: Signature = ()
        self._others = _others(folder)

    def waiting(self) -> list[str]:
        """The files that were changed, added or deleted since the start, and that only a restart rereads."""
        now = _others(self._folder)
        return sorted(
            name for name in now.keys() | self._others.keys() if now.get(name) != self._others.get(name)
        )

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - a fault here must not end the watching for good
                _log.error("policy files not polled", exc_info=error)

    async def look(self) -> None:
        """Read the files if they have changed; a change during the read waits for the next poll."""
        now = signature(self._folder)
        if now == self._seen:
            return
        try:
            texts = await asyncio.to_thread(read_texts, self._folder)
            if signature(self._folder) != now:
                return
            self._seen = now
            await self._adopt(parse_bundle(self._folder, texts))
        except SettingsError as error:
            self._seen = now
            self._refuse(error)
