"""tests of kit/http: a server of twenty lines that answers, waits or hangs up as a test tells it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """`drop` hangs up without an answer.

    `parts` is a body in parts, in chunks, or to the end of the connection where `framed` is false; `cut`
    hangs up before its last chunk.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    parts: Iterable[bytes] | None = None
    framed: bool = True
    cut: bool = False


@dataclass
class Stand:
    url: str
    asked: list[Asked]
    in_flight: int = 0
    most_in_flight: int = 0
    answer: Callable[[Asked], Awaitable[Reply]] = field(default=lambda _: _ok())

    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, asked: Asked) -> None:
        self.asked.append(asked)
        self._came.set()

    async def seen(self, count: int) -> None:
        """Until so many calls have come."""
        while len(self.asked) < count:
            self._came.clear()
            await self._came.wait()

    def script(self, *replies: Reply) -> None:
        """Answer these in turn, the last one for ever."""
        left = list(replies)

        async def answer(_: Asked) -> Reply:
            return left.pop(0) if len(left) > 1 else left[0]

        self.answer = answer


async def _ok() -> Reply:
    return Reply()


@asynccontextmanager
async def open_stand() -> AsyncIterator[Stand]:
    stand = Stand("", [])
    served: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        served.add(task)
        try:
            while await _one(stand, reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            served.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stand.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stand
    finally:
        server.close()
        for task in list(served):
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


async def _one(stand: Stand, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    asked = Asked(method, path, headers, body)
    stand.note(asked)
    stand.in_flight += 1
    stand.most_in_flight = max(stand.most_in_flight, stand.in_flight)
    try:
        reply = await stand.answer(asked)
    finally:
        stand.in_flight -= 1
    if reply.drop:
        return False
    if reply.parts is not None:
        await _in_parts(writer, reply, reply.parts)
        return reply.framed and not reply.cut
    lines = [f"HTTP/1.1 {reply.status} X", f"Content-Length: {len(reply.body)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + reply.body)
    await writer.drain()
    return True


async def _in_parts(writer: asyncio.StreamWriter, reply: Reply, parts: Iterable[bytes]) -> None:
    framing = "Transfer-Encoding: chunked" if reply.framed else "Connection: close"
    lines = [f"HTTP/1.1 {reply.status} X", framing, *(f"{k}: {v}" for k, v in reply.headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    for part in parts:
        writer.write(b"%x\r\n%s\r\n" % (len(part), part) if reply.framed else part)
        await writer.drain()
    if reply.framed and not reply.cut:
        writer.write(b"0\r\n\r\n")
    await writer.drain()
