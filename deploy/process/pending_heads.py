"""deploy: bounds the connections that have not sent a whole head, of one address and together.

The server accepts so many connections at a time: whoever opens them and sends nothing, or half a head, would
make every other caller wait. It has no bound by address, so the sockets are looked at, and what is beyond a
bound is closed, the newest first (Linux; elsewhere the server's timer alone applies).
"""

import asyncio
import contextlib
import fcntl
import os
import socket
import struct
import termios
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from deploy.process.connection_draining import sockets_at
from deploy.process.slow_heads import Connection, SlowHeads, connection_of, progress_of
from gateway.peers import network_of, parse_address
from kit.background import run_background, stop_background
from kit.telemetry import log, meter

LOOK_SECONDS, LOOK_AGAIN_SECONDS = 0.25, 0.05
_ANYWAY = 10  # looks after which one is taken also where nothing was opened
_LOG_AGAIN_LOOKS = 240
_FILES = Path("/proc/self/fd")
_log = log(__name__)
_closed = meter(__name__).create_counter(
    "enfilade.connections.closed", description="Connections without a whole head that were beyond a bound"
)


class Bounds(NamedTuple):
    """How many connections may be without a whole head: of one address (of IPv6: one /64), and of all."""

    per_address: int
    together: int


class _Pending(NamedTuple):
    connection: Connection
    sent: int
    age: int
    descriptor: int

    @property
    def source(self) -> str:
        """What is bounded as one source."""
        return network_of(str(parse_address(self.connection[0]) or self.connection[0]))


class PendingHeads:
    """Closes what is beyond the bounds, and was so at two looks: a head that is on its way is not awaited.

    Between two looks the event loop takes up every request whose head has arrived, so a caller that sends its
    head at once is never closed, whatever others do at its address. `trusted` are the addresses of proxies,
    which speak for many callers: they are not bounded.
    """

    def __init__(
        self, port: int, heads: SlowHeads, bounds: Bounds, trusted: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._port = port
        self._heads = heads
        self._bounds = bounds
        self._trusted = trusted
        self._seen: dict[Connection, int] = {}
        self._others = 0  # open files that were no such connections at the last look
        self._passed = self._quiet = 0

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch for the length of the block."""
        watching = run_background("pending heads", self._watch)
        try:
            yield
        finally:
            await stop_background(watching)

    async def _watch(self) -> None:
        pause = LOOK_SECONDS
        while True:
            await asyncio.sleep(pause)
            closed = await asyncio.to_thread(self.look) if self._must_look() else 0
            pause = LOOK_AGAIN_SECONDS if closed else LOOK_SECONDS
            self._report(closed)

    def _must_look(self) -> bool:
        """Whether so much was opened since the last look that a bound may be exceeded: a look is not free."""
        self._passed += 1
        if _open_files() - self._others <= min(self._bounds) and self._passed < _ANYWAY:
            return False
        self._passed = 0
        return True

    def look(self) -> int:
        """Close what is beyond the bounds; how many that was."""
        descriptors = sockets_at(self._port, listening=False)
        pending = list(self._pending(descriptors))
        self._others = _open_files() - len(pending)
        closed = sum(_close(each) for each in self._beyond(pending))
        self._seen = {each.connection: each.sent for each in pending}
        return closed

    def _pending(self, descriptors: set[int]) -> Iterator[_Pending]:
        for descriptor in descriptors:
            with (
                contextlib.suppress(OSError),  # it was closed meanwhile
                socket.socket(fileno=os.dup(descriptor)) as opened,
            ):
                connection = connection_of(opened)
                if connection in self._heads.answering or _unread(opened):
                    continue
                progress = progress_of(opened)
                if progress is not None and progress.awaits_head:
                    yield _Pending(connection, progress.sent, progress.since_sent, descriptor)

    def _beyond(self, pending: list[_Pending]) -> Iterator[_Pending]:
        """Those to close: what is too much of each address, then of all, of what the last look saw too."""
        bounded = [each for each in pending if not self._trusted(each.connection[0])]
        counts = Counter(each.source for each in bounded)
        together = len(bounded)
        for each in sorted(bounded, key=lambda one: one.age):
            if self._seen.get(each.connection) != each.sent:
                continue
            if counts[each.source] > self._bounds.per_address or together > self._bounds.together:
                counts[each.source] -= 1
                together -= 1
                yield each

    def _report(self, closed: int) -> None:
        self._quiet = max(0, self._quiet - 1)
        if not closed:
            return
        _closed.add(closed)
        if not self._quiet:
            self._quiet = _LOG_AGAIN_LOOKS
            _log.warning(
                "connections without a whole head closed",
                closed=closed,
                per_address=self._bounds.per_address,
                together=self._bounds.together,
            )


def _open_files() -> int:
    return sum(1 for _ in _FILES.iterdir()) if _FILES.exists() else 0


def _unread(opened: socket.socket) -> bool:
    """Whether the server has not read yet what was sent: it is late then, and not its caller."""
    return struct.unpack("i", fcntl.ioctl(opened, termios.FIONREAD, b"\0" * 4))[0] > 0


def _close(pending: _Pending) -> bool:
    with (
        contextlib.suppress(OSError),  # it was closed meanwhile
        socket.socket(fileno=os.dup(pending.descriptor)) as opened,
    ):
        # The descriptor may stand for another connection by now.
        if connection_of(opened) == pending.connection:
            opened.shutdown(socket.SHUT_RDWR)
            return True
    return False
