"""deploy: the workers of one deployment share their metrics: each answers the others' requests."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from kit.telemetry import Family, families, labelled, merged

MANY = 1024
ASK_SECONDS = 2.0

_decode = msgspec.json.Decoder(list[Family]).decode


class WorkerPeers:
    """The workers that share a folder, of which this is the one with `number`; alone without a folder."""

    def __init__(self, folder: Path | None, number: int = 0) -> None:
        self._folder = folder
        self._number = number

    async def families(self) -> list[Family]:
        """The metrics of all workers, labelled by worker; one that does not answer in time is omitted."""
        own = labelled(families(), worker=str(self._number))
        others = await asyncio.gather(*(_ask(path) for path in self._others()))
        answered = [peer for peer in others if peer is not None]
        return merged([*own, *(family for peer in answered for family in peer)])

    def _others(self) -> list[Path]:
        if self._folder is None:
            return []
        return [path for path in self._folder.glob("*.sock") if path.stem != str(self._number)]


async def _ask(path: Path) -> list[Family] | None:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(path))
            with contextlib.closing(writer):
                return labelled(_decode(await reader.read()), worker=path.stem)
    except (OSError, TimeoutError, msgspec.DecodeError):
        return None


@asynccontextmanager
async def join_peers(folder: Path | None) -> AsyncIterator[WorkerPeers]:
    """Be one of the workers of a folder, under the lowest free number, for the length of the block."""
    if folder is None:
        yield WorkerPeers(None)
        return
    number, lock = _take_number(folder)
    path = folder / f"{number}.sock"
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(_send_families, str(path))
    try:
        yield WorkerPeers(folder, number)
    finally:
        server.close()
        path.unlink(missing_ok=True)
        os.close(lock)


async def _send_families(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.closing(writer):
        writer.write(msgspec.json.encode(families()))
        await writer.drain()


def _take_number(folder: Path) -> tuple[int, int]:
    """A number that no running worker has, and its lock."""
    for number in range(MANY):
        lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return number, lock
    raise RuntimeError("there are more workers than numbers")
