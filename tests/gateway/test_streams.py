"""Answers that stream, through the whole pipeline and over real sockets: events and exports."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select

from contracts.operation import operation
from contracts.problems import Conflict
from gateway.pipeline import GatewaySettings
from gateway.plans import Limit, Plan
from gateway.policies.contract import ContractSettings
from gateway.policies.contract.answers import AnswerValidationSettings
from gateway.policies.hop import HopSettings
from gateway.streams import StreamSettings
from kit.audit.tables import audit
from kit.database import Database
from tests.gateway.deployment import Deployment, problem
from tests.gateway.feed import FEED, LARGE, FeedTier, mounted
from tests.gateway.test_sockets import serving as served
from tests.support.serving import serving
from tests.support.stack import until

EVENTS = f"{FEED}/topics/a/events"
ENFORCED = ContractSettings(answers=AnswerValidationSettings(mode="enforce"))
PLANS = {"standard": Plan(limits=(Limit("burst", 100_000, 60),), concurrency=1)}
MANY = 100_000  # rows that no buffer holds


class Served:
    """The feed's gateway behind a socket."""

    def __init__(self, folder: Path, database: Database | None, streams: StreamSettings) -> None:
        self.tier = FeedTier()
        settings = GatewaySettings(plans=PLANS, contract=ENFORCED, hop=HopSettings(streams=streams))
        self.deployment = Deployment(folder, settings, apis=(mounted(self.tier),), database=database)
        self.gateway = self.deployment.gateway
        self.port = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.deployment.token('ci')}"}

    def http(self) -> httpx.AsyncClient:
        url = f"http://127.0.0.1:{self.port}"
        return httpx.AsyncClient(base_url=url, headers=self.headers, timeout=20, trust_env=False)

    async def until_stopped(self) -> None:
        async with asyncio.timeout(10):
            await self.tier.stopped.wait()


@pytest.fixture
def limits() -> StreamSettings:
    return StreamSettings()


@pytest.fixture
async def feed(keys_folder: Path, database: Database, limits: StreamSettings) -> AsyncIterator[Served]:
    """One for each test, since its tier counts."""
    found = Served(keys_folder, database, limits)
    async with serving(found.gateway) as found.port:
        yield found
    await found.gateway.close()


async def next_event(lines: AsyncIterator[str]) -> dict[str, str]:
    """The next event's fields, past heartbeats."""
    fields: dict[str, str] = {}
    async for line in lines:
        if not line and "data" in fields:
            return fields
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.strip()
    raise EOFError(fields)


def recorded(limits: StreamSettings) -> Any:
    return pytest.mark.parametrize("limits", [limits])


async def test_events_arrive_as_they_happen(feed: Served):
    """A reader of events has each before the next happens; no proxy may hold it back or keep it."""
    async with feed.http() as http, http.stream("GET", EVENTS) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store, no-transform"
        assert "content-length" not in answer.headers
        assert answer.headers["correlation-id"]
        lines = answer.aiter_lines()
        for number in (1, 2):
            feed.tier.events.put_nowait(number)
            found = await next_event(lines)
            assert (found["event"], found["data"]) == ("counted", f'{{"number":{number}}}')
    await feed.until_stopped()
    assert feed.tier.callers == ["ci"]


async def test_an_export_is_whole(feed: Served):
    """An export ends when its rows do; HEAD opens none, and the document names its media type."""
    async with feed.http() as http:
        answer = await http.get(f"{FEED}/topics/a/export?rows=5")
        assert answer.status_code == 200
        assert answer.text == "".join(f"{number},x\n" for number in range(5))
        head = await http.head(f"{FEED}/topics/a/export")
        assert head.headers["content-type"] == "text/csv; charset=utf-8"
        assert not head.content
        page = (await http.get("/apis/experience/feed/v1/openapi.json")).json()
        answers = page["paths"]["/topics/{topic}/export"]["get"]["responses"]
        assert list(answers["200"]["content"]) == ["text/csv"]
    await until("both are closed", lambda: quiet(feed), 10)


async def quiet(feed: Served) -> bool:
    return not feed.tier.open


async def test_a_problem_before_the_first_byte_is_an_answer(feed: Served):
    """What a tier refuses or is too late with has its status and document, as anywhere."""
    async with feed.http() as http:
        problem(await http.get(f"{FEED}/topics/none/events"), 404, "not_found")
        problem(await http.get(f"{FEED}/topics/refused/export"), 409, "conflict")
        problem(await http.get(f"{FEED}/topics/late/export"), 504, "deadline_exceeded")
        problem(await http.get(f"{FEED}/topics/a/export?rows=x"), 422, "invalid")
    assert not feed.tier.open


async def test_a_failing_export_is_cut_off(feed: Served):
    """An export that fails on its way is never taken for a whole one: the connection breaks."""
    async with feed.http() as http, http.stream("GET", f"{FEED}/topics/broken/export") as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            await answer.aread()


async def test_failing_events_say_why_before_they_are_cut_off(feed: Served):
    """The last event of a failing stream is the problem document; then the connection breaks."""
    async with feed.http() as http, http.stream("GET", EVENTS) as answer:
        lines = answer.aiter_lines()
        feed.tier.events.put_nowait(Conflict("It was rebuilt"))
        found = await next_event(lines)
        document = msgspec.json.decode(found["data"])
        assert (found["event"], document["code"], document["detail"]) == (
            "error",
            "conflict",
            "It was rebuilt",
        )
        assert document["correlation_id"] == answer.headers["correlation-id"]
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(lines)


async def test_a_reader_who_leaves_stops_the_producer(feed: Served):
    """When the reader has gone, the producer is stopped at once and the call's slot is free again."""
    async with feed.http() as http:
        async with http.stream("GET", EVENTS) as answer:
            assert answer.status_code == 200
            problem(await http.get(EVENTS), 429, "too_many_requests")
        await until("the producer stopped", lambda: quiet(feed), 10)

        async def free() -> bool:
            return (await http.get(f"{FEED}/topics/a/export")).status_code == 200

        await until("the slot is free", free, 10)


async def test_a_slow_reader_holds_the_producer_up(feed: Served):
    """Nothing is made for a reader who takes nothing: what waits for him is bounded."""
    with socket.create_connection(("127.0.0.1", feed.port)) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LARGE)
        head = f"GET {FEED}/topics/large/export?rows={MANY} HTTP/1.1\r\nHost: a\r\n"
        reader.sendall(f"{head}Authorization: {feed.headers['Authorization']}\r\n\r\n".encode())
        made = -1
        async with asyncio.timeout(20):
            while made != feed.tier.made or not made:
                made = feed.tier.made
                await asyncio.sleep(0.3)
    assert made < 1000
    await feed.until_stopped()


@recorded(StreamSettings(idle_seconds=0.2))
async def test_a_silent_stream_is_aborted(feed: Served):
    """A stream whose tier falls silent ends as a failure, since nobody knows whether it lives."""
    async with feed.http() as http, http.stream("GET", EVENTS) as answer:
        found = await next_event(answer.aiter_lines())
        assert msgspec.json.decode(found["data"])["code"] == "deadline_exceeded"
    await feed.until_stopped()


@recorded(StreamSettings(send_seconds=0.2))
async def test_a_reader_who_takes_nothing_is_given_up(feed: Served):
    """A reader who takes nothing for too long loses the stream."""
    with socket.create_connection(("127.0.0.1", feed.port)) as reader:
        head = f"GET {FEED}/topics/large/export?rows={MANY} HTTP/1.1\r\nHost: a\r\n"
        reader.sendall(f"{head}Authorization: {feed.headers['Authorization']}\r\n\r\n".encode())
        await feed.until_stopped()


@recorded(StreamSettings(max_seconds=0.2))
async def test_no_stream_is_open_for_ever(feed: Served):
    """Events end with the wish to reconnect, by which a credential is verified again."""
    async with feed.http() as http:
        answer = await http.get(EVENTS)
        assert "\nretry: " in answer.text
    await feed.until_stopped()


@recorded(StreamSettings(max_open=0))
async def test_open_streams_are_bounded(feed: Served):
    """Beyond what a process bears a stream is refused, before anything is asked of its tier."""
    async with feed.http() as http:
        problem(await http.get(EVENTS), 503, "overloaded")
    assert not feed.tier.callers


async def test_a_draining_worker_sends_its_readers_to_others(feed: Served):
    """Events of a worker that drains end cleanly with a time to reconnect after, new ones at once."""
    async with feed.http() as http:
        async with http.stream("GET", EVENTS) as answer:
            lines = answer.aiter_lines()
            feed.tier.events.put_nowait(1)
            await next_event(lines)
            await feed.gateway.drain(10)
            rest = [line async for line in lines]
            assert any(line.startswith("retry: ") for line in rest)
        again = await http.get(EVENTS)
        assert "\nretry: " in again.text
        assert again.headers["connection"] == "close"


async def test_streams_are_accounted_for_at_their_end(feed: Served, database: Database):
    """The audit has one line per stream: who had it, how it ended, its bytes and its seconds."""
    async with feed.http() as http:
        ids = []
        for topic in ("a", "broken"):
            async with http.stream("GET", f"{FEED}/topics/{topic}/export") as answer:
                ids.append(answer.headers["correlation-id"])
                if topic == "a":
                    await answer.aread()
                else:
                    with pytest.raises(httpx.RemoteProtocolError):
                        await answer.aread()
            await until("it is closed", lambda: quiet(feed), 10)
    await feed.gateway.close()
    wanted = (
        select(audit.c.outcome, audit.c.detail).where(audit.c.correlation_id.in_(ids)).order_by(audit.c.at)
    )
    async with database.connect() as connection:
        rows = (await connection.execute(wanted)).all()
    told = [(row.outcome, row.detail["ended"], row.detail["bytes"]) for row in rows]
    assert told == [("200", "complete", 12), ("conflict", "aborted", 4)]


@pytest.mark.parametrize(
    "options", [{"idempotency": "key"}, {"cache_seconds": 5}, {"streams": "events"}], ids=str
)
def test_what_cannot_stream_is_refused_where_it_is_declared(options: dict[str, Any]):
    """An answer that is stored, cached or of no media type cannot be declared as a stream."""
    with pytest.raises(ValueError, match=r"stream|media type"):
        operation("GET", "/", summary="", **{"streams": "text/csv", **options})


@pytest.mark.whole
async def test_the_real_server_breaks_off_and_notices_who_left(keys_folder: Path):
    """Under granian, too, a failing export has no clean end, and a reader who leaves stops the producer."""
    module = "tests.gateway.served_feed:app"
    token = Deployment(keys_folder, apis=(mounted(FeedTier()),)).token("ci")
    with served("granian", keys_folder, module) as port:
        url, headers = f"http://127.0.0.1:{port}{FEED}/topics", {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=20) as http:
            async with http.stream("GET", f"{url}/broken/export") as answer:
                with pytest.raises(httpx.RemoteProtocolError):
                    await answer.aread()
            async with http.stream("GET", f"{url}/large/export?rows={MANY}") as answer:
                assert answer.status_code == 200

        async def stopped() -> bool:
            return (keys_folder / "large.stopped").exists()

        await until("the producer stopped", stopped, 20)
