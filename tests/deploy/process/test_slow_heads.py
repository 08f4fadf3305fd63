"""tests/deploy: which connections are closed because the head of a request takes too long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from deploy.process.draining import http1
from deploy.process.slow_heads import SlowHeads, progress_of
from deploy.settings import read_settings

LOOKS = 4
HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Server:
    """Accepts connections in this process; what it reads and answers is for the test to say."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.port = 0
        self.opened: list[asyncio.StreamWriter] = []
        self.accepted: asyncio.Queue[Streams] = asyncio.Queue()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.accepted.put((reader, writer))

    async def connect(self, sends: bytes, local: str | None = None) -> tuple[Streams, Streams]:
        """A connection as client and server have it, after the server has received what the client sends."""
        at = (local, 0) if local else None
        client = await asyncio.open_connection(self.host, self.port, local_addr=at)
        server = await self.accepted.get()
        self.opened += [client[1], server[1]]
        client[1].write(sends)
        await server[0].readexactly(len(sends))
        return client, server


@pytest.fixture(params=["127.0.0.1", "::1"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    found = Server(request.param)
    listening = await asyncio.start_server(found.accept, found.host, 0)
    found.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield found
        for writer in found.opened:
            writer.close()
        await asyncio.gather(*(each.wait_closed() for each in found.opened), return_exceptions=True)


async def until_closed(*clients: Streams) -> None:
    """Until the server has closed these connections."""
    async with asyncio.timeout(15):
        await asyncio.gather(*(client[0].read() for client in clients))


def is_open(client: Streams) -> bool:
    """Whether the server has the connection, as far as this end knows."""
    with contextlib.suppress(OSError):  # this end is closed as well
        progress = progress_of(client[1].get_extra_info("socket"))
        return progress is not None and progress.established
    return False


async def test_only_a_head_that_does_not_end_is_given_up(server: Server):
    """A new connection, an idle one and one whose request is being answered stay; half a head does not."""
    heads = SlowHeads(server.port, seconds=60)
    (slow, _), (new, _) = await server.connect(HEAD), await server.connect(b"")
    (idle, answered), (busy, waiting) = await server.connect(HEAD), await server.connect(HEAD)
    answered[1].write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await idle[0].readline()
    await idle[0].readline()
    peer = waiting[1].get_extra_info("peername")
    done = asyncio.Event()

    async def app(*_: object) -> None:
        await done.wait()

    scope = {"client": (peer[0], str(peer[1]))}
    answering = asyncio.create_task(heads.answer(app, scope, None, None))
    await asyncio.sleep(0)
    for _ in range(LOOKS):
        heads.look()
    await until_closed(slow)
    assert [is_open(each) for each in (new, idle, busy)] == [True] * 3
    done.set()
    await answering


async def test_a_head_that_began_anew_has_its_time(server: Server):
    """An answer in between begins the time again: a busy connection is never cut off by its sum."""
    heads = SlowHeads(server.port, seconds=60)
    client, accepted = await server.connect(HEAD)
    for _ in range(LOOKS):
        heads.look()
        heads.look()
        accepted[1].write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await client[0].readuntil(b"\r\n\r\n")
        client[1].write(HEAD)
        await accepted[0].readexactly(len(HEAD))
    assert is_open(client)


def test_an_idle_connection_outlives_a_balancers():
    """By default a connection is open for longer than the 60 s of the usual balancers, and it is settable."""
    environ = {"ENFILADE_DATABASE_URL": "postgresql+psycopg:///none"}
    settings = read_settings(environ)
    assert http1(settings.idle_seconds).header_read_timeout > 60_000 > settings.head_seconds * 1000
    assert read_settings({**environ, "ENFILADE_IDLE_SECONDS": "620"}).idle_seconds == 620
