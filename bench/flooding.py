"""bench: how long a caller waits while another address opens connections and never ends a head."""

import asyncio
import contextlib
import resource
import socket
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from bench.processes import Process

RATE = 260
"""Connections that the flood opens each second."""

ENDLESS = 1_000_000
"""A bound that bounds nothing."""

_HEAD = b"GET /health/live HTTP/1.1\r\nHost: bench\r\n"
_FLOODER, _CALLER = "127.0.0.2", "127.0.0.1"
_FILL_SECONDS = 6.0  # until an unbounded server has accepted all that it accepts
_TICK_SECONDS = 0.02
_PATIENCE_SECONDS = 20.0


class Flooding(msgspec.Struct, frozen=True):
    """The caller's slowest waits in milliseconds (99th percentile), round by round, each on a new connection.

    `alone` and `beside` the flood; `unbounded` is beside the same flood where connections are not bounded.
    """

    alone: tuple[float, ...]
    beside: tuple[float, ...]
    unbounded: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How much longer the caller waits beside the flood: 1 without an effect."""
        return _ratio(self.beside, self.alone)

    @property
    def ratio_unbounded(self) -> float:
        """The same without bounds."""
        return _ratio(self.unbounded, self.alone)


def _ratio(ones: tuple[float, ...], others: tuple[float, ...]) -> float:
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


async def measure(
    bounded: Process, unbounded: Process, *, rounds: int, seconds: float, progress: Callable[[str], None]
) -> Flooding:
    """The same caller in turns: alone, and beside the flood at a server with bounds and at one without."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    waits: list[tuple[float, float, float]] = []
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}: a caller alone, and beside a flood")
        alone = await _slowest(_port(bounded), seconds)
        async with _flood(_port(bounded)):
            beside = await _slowest(_port(bounded), seconds)
        async with _flood(_port(unbounded)):
            waits.append((alone, beside, await _slowest(_port(unbounded), seconds)))
    return Flooding(*zip(*waits, strict=True))


def _port(process: Process) -> int:
    return int(process.url.rpartition(":")[2])


@asynccontextmanager
async def _flood(port: int) -> AsyncIterator[None]:
    """A flood that has filled what it can fill, for the length of the block."""
    opened: list[socket.socket] = []
    flooding = asyncio.create_task(_open(port, opened))
    try:
        # What is measured is a rate: it has to go on for a while before its effect is there.
        await asyncio.sleep(_FILL_SECONDS)
        yield
    finally:
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        for one in opened:
            one.close()


async def _open(port: int, opened: list[socket.socket]) -> None:
    began = time.monotonic()
    while True:
        due = int((time.monotonic() - began) * RATE) - len(opened)
        for _ in range(due):
            one = socket.socket()
            one.settimeout(0)
            one.bind((_FLOODER, 0))
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.1", port))
            # On loopback it is connected by now, unless the queue is full: then it sends nothing.
            with contextlib.suppress(OSError):
                one.send(_HEAD)
            opened.append(one)
        await asyncio.sleep(_TICK_SECONDS)


async def _slowest(port: int, seconds: float) -> float:
    """The 99th percentile of the caller's waits, one request after the other, each on a new connection."""
    waits: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until or not waits:
        began = time.monotonic()
        await _ask(port)
        waits.append((time.monotonic() - began) * 1000)
    return sorted(waits)[int(len(waits) * 0.99)]


async def _ask(port: int) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(_CALLER, 0))
        writer.write(_HEAD + b"Connection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    if b" 200 " not in answer.partition(b"\r\n")[0]:
        raise RuntimeError(f"the caller got {answer[:80]!r}")
