"""bench: the load: wrk where it is installed, else a small built-in generator in its own process.

`python -m bench.load URL --seconds S --connections N --header 'Name: value'` prints how many were answered.
"""

import argparse
import asyncio
import re
import shutil
import sys
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

CONNECTIONS = 16
HOW_TO_GET_WRK = "apt-get install wrk"
_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Answered(msgspec.Struct, frozen=True):
    """How many requests were answered with 200, and how many otherwise or not.

    `p99` is how long the slowest hundredth took at least, in milliseconds.
    """

    good: int
    bad: int
    p99: float = 0.0


def generator() -> str:
    """Which generator this machine has."""
    return "wrk" if shutil.which("wrk") else "built in"


async def run(
    url: str,
    headers: Mapping[str, str],
    seconds: float,
    connections: int = CONNECTIONS,
    *,
    ramp_seconds: float = 0.0,
) -> Answered:
    """Load a server for a while; raises RuntimeError when the generator itself fails.

    With `ramp_seconds` the connections open one after the other in that time, which wrk cannot do.
    """
    own = _own(url, headers, seconds, connections, ramp_seconds)
    command = own if ramp_seconds else _wrk(url, headers, seconds, connections) or own
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    printed, complaint = await child.communicate()
    if child.returncode:
        raise RuntimeError(f"the load generator failed: {complaint.decode()[-500:]}")
    return (
        read_wrk(printed.decode())
        if command[0].endswith("wrk")
        else msgspec.json.decode(printed, type=Answered)
    )


def _wrk(url: str, headers: Mapping[str, str], seconds: float, connections: int) -> list[str]:
    wrk = shutil.which("wrk")
    # wrk counts in whole seconds.
    if wrk is None or seconds < 1:
        return []
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    return [wrk, "-t1", "--latency", f"-c{connections}", f"-d{int(seconds)}s", *given, url]


def _own(
    url: str, headers: Mapping[str, str], seconds: float, connections: int, ramp_seconds: float
) -> list[str]:
    given = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
    shape = ["--seconds", str(seconds), "--connections", str(connections)]
    shape += ["--ramp", str(ramp_seconds)]
    return [sys.executable, "-m", "bench.load", url, *shape, *given]


def read_wrk(printed: str) -> Answered:
    """What wrk prints, read."""
    total = re.search(r"([0-9]+) requests in", printed)
    wrong = re.search(r"Non-2xx or 3xx responses: ([0-9]+)", printed)
    bad = int(wrong.group(1)) if wrong else 0
    slow = re.search(r"99%\s+([0-9.]+)(us|ms|s|m)\b", printed)
    p99 = float(slow.group(1)) * _MILLISECONDS[slow.group(2)] if slow else 0.0
    return Answered(int(total.group(1)) - bad if total else 0, bad, p99)


class _Connection(asyncio.Protocol):
    """Sends a request, reads the whole answer, and repeats until the time has elapsed."""

    def __init__(self, request: bytes, until: float) -> None:
        self.good = self.bad = 0
        self.waits: list[float] = []
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._until = until
        self._asked_at = 0.0
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # pyright: ignore[reportAttributeAccessIssue] - of a TCP connection
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, end)
        whole = end + 4 + (int(length.group(1)) if length else 0)
        if len(self._buffer) < whole:
            return
        good = self._buffer.startswith(b"HTTP/1.1 200")
        self.good, self.bad = self.good + good, self.bad + (not good)
        self.waits.append(time.monotonic() - self._asked_at)
        self._buffer = self._buffer[whole:]
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the count shows it
        if not self.closed.done():
            self.closed.set_result(None)

    def _ask(self) -> None:
        if self._transport is None:
            return
        if time.monotonic() < self._until:
            self._asked_at = time.monotonic()
            self._transport.write(self._request)
        else:
            self._transport.close()


async def _generate(options: argparse.Namespace) -> Answered:
    address = urlsplit(options.url)
    lines = [f"GET {address.path} HTTP/1.1", f"Host: {address.netloc}", *options.header]
    request = "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")
    until = time.monotonic() + options.seconds
    loop = asyncio.get_running_loop()
    connections: list[_Connection] = []
    for _ in range(options.connections):
        _, opened = await loop.create_connection(
            lambda: _Connection(request, until), address.hostname, address.port
        )
        connections.append(opened)
        await asyncio.sleep(options.ramp / options.connections)
    await asyncio.wait_for(asyncio.gather(*(one.closed for one in connections)), options.seconds + 30)
    waits = sorted(wait for one in connections for wait in one.waits)
    p99 = waits[len(waits) * 99 // 100] * 1000 if waits else 0.0
    return Answered(sum(one.good for one in connections), sum(one.bad for one in connections), p99)


def main() -> None:
    """Generate load by the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--ramp", type=float, default=0.0)
    parser.add_argument("--header", action="append", default=[])
    answered = asyncio.run(_generate(parser.parse_args()))
    sys.stdout.write(msgspec.json.encode(answered).decode())


if __name__ == "__main__":
    main()
