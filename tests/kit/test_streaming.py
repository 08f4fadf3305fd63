"""Streams between tiers: both carriers bring the same pieces and problems, and stop the same producer."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar

from contracts.problems import Conflict, NotFound, Unavailable
from deploy.composition.carrier import Carrier
from deploy.settings import ServerSettings
from gateway.inventory import Mounted
from kit import clients, context, routes, streaming
from kit.delegation import delegation
from kit.operations import api_of, document
from kit.secrets import Secret
from tests.gateway.deployment import Deployment, problem
from tests.gateway.feed import FEED, Feed, FeedTier
from tests.support.serving import serving
from tests.support.stack import until

KEY = Secret("k" * 64)
CALLER = context.Caller(subject="ci", consumer="ci")


def tier_app(tier: FeedTier):
    """The tier as a process of its own serves it."""
    router = routes.router(Feed, tier, api_of(Feed).prefix)
    app = Litestar([router], openapi_config=None, exception_handlers={Exception: routes.answer_problem})
    return routes.require_delegation(app, KEY, ["experience"])  # pyright: ignore[reportArgumentType]


async def gather(pieces: AsyncIterator[bytes], read: bytearray) -> None:
    """Read all pieces, and leave what came before a failure."""
    async for piece in pieces:
        read += piece


@pytest.fixture
def tier() -> FeedTier:
    return FeedTier()


@pytest.fixture(params=["local", "remote"])
async def client(request: pytest.FixtureRequest, tier: FeedTier) -> AsyncIterator[Feed]:
    """The same typed client over both carriers."""
    with context.use(context.Context("cor_1", caller=CALLER)):
        if request.param == "local":
            yield clients.local(Feed, tier)
            return
        async with serving(tier_app(tier)) as port, httpx.AsyncClient(trust_env=False) as http:
            url = f"http://127.0.0.1:{port}{FEED}"
            yield clients.remote(Feed, url, http, delegation(KEY, "experience"))


async def test_both_carriers_bring_all_pieces(client: Feed):
    """A caller reads a stream of the next tier piece by piece, wherever that runs."""
    pieces = [piece async for piece in await client.export_topic("a", 3)]
    assert b"".join(pieces) == b"0,x\n1,x\n2,x\n"


async def test_both_carriers_raise_what_stops_the_stream(client: Feed, tier: FeedTier):
    """The caller gets the problem itself: before the first piece, and of events after it."""
    with pytest.raises(NotFound):
        await client.watch_topic("none")
    tier.events.put_nowait(1)
    tier.events.put_nowait(Conflict("It was rebuilt"))
    read = bytearray()
    with pytest.raises(Conflict, match="It was rebuilt"):
        await gather(await client.watch_topic("a"), read)
    assert b'data: {"number":1}' in read
    assert b"event: error" not in read


async def test_both_carriers_stop_the_producer(client: Feed, tier: FeedTier):
    """Whoever reads no further closes the stream, and its producer is stopped."""
    tier.events.put_nowait(1)
    pieces = await client.watch_topic("a")
    async for piece in pieces:
        if b"number" in piece:
            break
    await pieces.aclose()  # pyright: ignore[reportAttributeAccessIssue] - both carriers have it

    async def stopped() -> bool:
        return not tier.open

    await until("the producer stopped", stopped, 10)


async def test_an_export_of_another_process_that_breaks_off_is_no_whole_one(tier: FeedTier):
    """Where a stream cannot tell a problem, the caller still learns that it is not complete."""
    async with serving(tier_app(tier)) as port, httpx.AsyncClient(trust_env=False) as http:
        with context.use(context.Context("cor_1", caller=CALLER)):
            url = f"http://127.0.0.1:{port}{FEED}"
            client = clients.remote(Feed, url, http, delegation(KEY, "experience"))
            with pytest.raises(Unavailable):
                _ = [piece async for piece in await client.export_topic("broken", 3)]


async def test_a_gateway_streams_what_a_tier_elsewhere_does(tier: FeedTier, tmp_path):
    """Through the gateway a stream of another process is the same: pieces, refusals and failures."""
    async with serving(tier_app(tier)) as behind, httpx.AsyncClient(trust_env=False) as http:
        settings = ServerSettings(
            database_url="", tiers="gateway", experience_url=f"http://127.0.0.1:{behind}"
        )
        target = Carrier(settings, http, delegation(KEY, "gateway")).target("experience")
        deployment = Deployment(tmp_path, apis=(Mounted(Feed, document(Feed), target),))
        headers = {"Authorization": f"Bearer {deployment.token('ci')}"}
        async with serving(deployment.gateway) as port:
            url = f"http://127.0.0.1:{port}{FEED}/topics"
            assert (await http.get(f"{url}/a/export", headers=headers)).text == "0,x\n1,x\n2,x\n"
            problem(await http.get(f"{url}/none/events", headers=headers), 404, "not_found")
            tier.events.put_nowait(Conflict("It was rebuilt"))
            async with http.stream("GET", f"{url}/a/events", headers=headers) as answer:
                read = bytearray()
                with pytest.raises(httpx.RemoteProtocolError):
                    await gather(answer.aiter_bytes(), read)
            assert b'"code":"conflict"' in read
            assert read.count(b"event: error") == 1


@given(st.lists(st.sampled_from([b"data: 1\n\n", b"event: e", b"event: error", b": \n\n", b"\n"])), st.data())
async def test_a_failure_is_seen_however_the_pieces_are_cut(parts: list[bytes], data: st.DataObject):
    """What comes before a failure is passed on unchanged, and the failure is raised, wherever pieces end."""
    before = b"".join(parts) + b"\n"
    if b"event: error\n" in before:
        return
    whole = before + streaming.failure(Conflict("no"))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))

    async def pieces() -> AsyncIterator[bytes]:
        for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            yield whole[start:end]

    read = bytearray()
    with pytest.raises(Conflict):
        await gather(streaming.until_failure(pieces(), streaming.EVENT_STREAM), read)
    assert read == before


async def test_a_silent_event_stream_beats(tier: FeedTier):
    """A stream without events still sends something, so that lost readers are noticed."""
    produced = streaming.Produced(await tier.watch_topic("a"), heartbeat=0.01)
    assert await anext(produced) == streaming.HEARTBEAT
    await produced.close()
    assert not tier.open


async def test_a_producer_works_without_the_deadline_of_the_first_piece(tier: FeedTier):
    """The work of a stream is not over when its first piece was due."""
    with context.use(context.Context("cor_1", deadline=0.0)):
        produced = streaming.Produced(_left())
    assert await anext(produced) == b"None"
    await produced.close()


async def _left() -> AsyncIterator[bytes]:
    yield str(context.remaining()).encode()
    await asyncio.Event().wait()
