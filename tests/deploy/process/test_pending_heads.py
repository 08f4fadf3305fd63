"""tests/deploy: which connections are closed because too many have not sent a whole head."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.process.pending_heads import Bounds, PendingHeads
from deploy.process.slow_heads import SlowHeads
from tests.deploy.process.test_slow_heads import HEAD, Server, Streams, is_open, until_closed

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
ATTACKER, HONEST, OTHER = "127.0.0.2", "127.0.0.3", "127.0.0.4"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server("127.0.0.1")
    listening = await asyncio.start_server(found.accept, found.host, 0)
    found.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield found
        for writer in found.opened:
            writer.close()
        await asyncio.gather(*(each.wait_closed() for each in found.opened), return_exceptions=True)


async def flood(server: Server, count: int, address: str = ATTACKER) -> list[Streams]:
    """Connections of one address, half of which send half a head, and half nothing."""
    await asyncio.sleep(0.02)  # so that they are newer by the kernel's clock, which has few ticks
    return [(await server.connect(HEAD * (number % 2), local=address))[0] for number in range(count)]


def bounded(server: Server, per_address: int, together: int = 1000, *trusted: str) -> PendingHeads:
    heads = SlowHeads(server.port, seconds=60)
    return PendingHeads(server.port, heads, Bounds(per_address, together), lambda peer: peer in trusted)


async def test_the_newest_beyond_the_bound_of_an_address_are_closed(server: Server):
    """An address has its bound; another address, and an answered connection of the same one, keep theirs."""
    pending = bounded(server, 8)
    old, accepted = await server.connect(HEAD, local=ATTACKER)
    accepted[1].write(ANSWER)
    await old[0].readuntil(b"\r\n\r\n")
    first, honest, newest = await flood(server, 8), await flood(server, 8, HONEST), await flood(server, 12)
    assert [pending.look(), pending.look(), pending.look()] == [0, 12, 0]
    await until_closed(*newest)
    assert all(map(is_open, [*first, *honest, old]))


async def test_all_addresses_together_have_a_bound(server: Server):
    """A flood from many addresses, none beyond its own bound, is bounded as well."""
    pending = bounded(server, 8, 10)
    first = [client for one in (ATTACKER, HONEST) for client in await flood(server, 5, one)]
    newest = [client for one in (ATTACKER, OTHER) for client in await flood(server, 3, one)]
    assert [pending.look(), pending.look()] == [0, 6]
    await until_closed(*newest)
    assert all(map(is_open, first))


async def test_a_trusted_proxy_is_not_bounded(server: Server):
    """It speaks for many, so it may have as many connections as it opens."""
    pending = bounded(server, 2, 4, HONEST)
    others, newest = [*await flood(server, 12, HONEST), *await flood(server, 2)], await flood(server, 1)
    assert [pending.look(), pending.look()] == [0, 1]
    await until_closed(*newest)
    assert all(map(is_open, others))


async def test_a_head_that_arrived_is_not_counted(server: Server):
    """Neither what is being answered, nor what the server has not read, nor what was answered meanwhile."""
    heads = SlowHeads(server.port, seconds=60)
    pending = PendingHeads(server.port, heads, Bounds(1, 1))
    done = asyncio.Event()

    async def app(*_: object) -> None:
        await done.wait()

    tasks: list[asyncio.Task[None]] = []
    clients: list[Streams] = []
    for _ in range(3):
        client, accepted = await server.connect(HEAD)
        peer = accepted[1].get_extra_info("peername")
        scope = {"client": (peer[0], str(peer[1]))}
        tasks.append(asyncio.create_task(heads.answer(app, scope, None, None)))
        clients.append(client)
    for _ in range(3):
        client, accepted = await server.connect(b"")
        accepted[1].transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue] - a transport that reads
        client[1].write(HEAD)
        clients.append(client)
    await asyncio.sleep(0)
    assert [pending.look(), pending.look()] == [0, 0]
    assert all(map(is_open, clients))
    done.set()
    await asyncio.gather(*tasks)


async def test_a_look_is_taken_when_enough_was_opened(server: Server):
    """While nothing is opened a look is taken now and then; a flood is looked at at once, and closed."""
    pending = bounded(server, 8)
    pending.look()
    assert [pending._must_look() for _ in range(10)] == [False] * 9 + [True]
    clients = await flood(server, 20)
    assert pending._must_look()
    async with pending.watched():
        while sum(map(is_open, clients)) > 8:  # noqa: ASYNC110 - the kernel has them
            await asyncio.sleep(0.01)
    assert sum(map(is_open, clients)) == 8
