"""deploy: closes connections on which the head of a request takes too long to arrive.

The server (hyper) has one timer for the time between two requests and for a head; it is set to the former. A
head that is being received is recognised by what the kernel counts on a connection on which no request is
being answered (`tcp_info`, Linux; elsewhere the server's timer alone applies).
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from deploy.process.connection_draining import sockets_at
from kit.background import run_background, stop_background

_INFO_BYTES = 160
_SINCE_SENT, _SINCE_RECEIVED, _RECEIVED, _SENT = 44, 52, 152, 156  # milliseconds, segments with data
_ESTABLISHED = 1
_LOOKS = 2

Connection = tuple[str, str]
"""The address and port of its other end."""


class SlowHeads:
    """Looks twice within `seconds` at every connection at a port: a head has between one and 1.5 times that.

    The time is counted in looks, not by the clock: a process that stood still meanwhile closes nothing.
    """

    def __init__(self, port: int, seconds: float) -> None:
        self._port = port
        self._pause = seconds / 2
        self.answering: set[Connection] = set()
        self._seen: dict[Connection, tuple[int, int]] = {}

    async def answer(self, app: Any, scope: Any, receive: Any, send: Any) -> None:
        """The application's answer to a request, whose head has arrived."""
        connection = scope["client"]
        self.answering.add(connection)
        try:
            await app(scope, receive, send)
        finally:
            self.answering.discard(connection)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch for the length of the block."""
        watching = run_background("slow heads", self._watch)
        try:
            yield
        finally:
            await stop_background(watching)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Close every connection on which a head was being received at the last two looks, too."""
        seen, self._seen = self._seen, {}
        for descriptor in sockets_at(self._port, listening=False):
            with (
                contextlib.suppress(OSError),  # it was closed meanwhile
                socket.socket(fileno=os.dup(descriptor)) as opened,
            ):
                self._judge(opened, seen)

    def _judge(self, opened: socket.socket, seen: dict[Connection, tuple[int, int]]) -> None:
        connection, progress = connection_of(opened), progress_of(opened)
        if progress is None or not progress.receives_head or connection in self.answering:
            return
        sent = progress.sent
        sent_before, looks = seen.get(connection, (sent, 0))
        looks = looks + 1 if sent == sent_before else 1
        if looks > _LOOKS:
            opened.shutdown(socket.SHUT_RDWR)
        else:
            self._seen[connection] = (sent, looks)


class Progress(NamedTuple):
    """What the kernel counts on a connection: segments with data, and milliseconds since the last of them."""

    established: bool
    since_sent: int
    since_received: int
    received: int
    sent: int

    @property
    def receives_head(self) -> bool:
        """Whether data was received since data was last sent, on a connection that is not being answered."""
        return bool(self.received) and (not self.sent or self.since_received < self.since_sent)

    @property
    def awaits_head(self) -> bool:
        """The same, also of a connection on which nothing was received; neither side has closed it."""
        return self.established and (not self.sent or self.receives_head)


def connection_of(opened: socket.socket) -> Connection:
    """The other end, as the server names it in a scope."""
    host, port = opened.getpeername()[:2]
    return host.partition("%")[0], str(port)


def progress_of(opened: socket.socket) -> Progress | None:
    """What is known of a connection; None where the kernel is too old to tell."""
    info = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    if len(info) < _INFO_BYTES:
        return None
    places = (_SINCE_SENT, _SINCE_RECEIVED, _RECEIVED, _SENT)
    return Progress(info[0] == _ESTABLISHED, *(struct.unpack_from("I", info, at)[0] for at in places))
