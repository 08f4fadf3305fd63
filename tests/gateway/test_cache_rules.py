"""tests/gateway: whatever two consumers read and write, each gets its own, and none too old."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.problems import Unavailable
from gateway.exchange import Exchange, PipelineStep, Reply, json_reply
from gateway.inventory import Mounted
from gateway.policies.cache import AnswerCache, CacheSettings
from gateway.policies.route import routes_of
from kit import clock
from kit.context import Caller
from kit.operations import document
from tests.gateway.shelf import SECONDS, Shelf

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CONSUMERS = ("ann", "ben")
BOOKS = ("b-1", "b-2")
WITHIN = {"cache-control: max-age=3": 3.0, "cache-control: no-cache": 0.0, "cache-control: min-fresh=4": 6.0}

who, what = st.sampled_from(CONSUMERS), st.sampled_from(BOOKS)
slowness = st.sampled_from([0, 3, 20])  # turns of the loop that the tier takes to answer
reads = st.tuples(st.just("read"), who, what, st.sampled_from(["", "", "", *WITHIN]), slowness)
writes = st.tuples(st.just("write"), who, what, slowness)
elsewhere = st.tuples(st.just("elsewhere"))
waits = st.tuples(st.just("wait"), st.sampled_from([1, 4, 6, 9, 11, 30]))
fails = st.tuples(st.just("fail"), st.booleans())
late = st.tuples(st.sampled_from([0, 2, 8, 30]), st.one_of(reads, writes))  # turns until it begins
storms = st.tuples(st.just("storm"), st.lists(late, min_size=3, max_size=8))
# Quiet times in which answers grow old, and between them something that happens.
quiet = st.lists(st.one_of(reads, waits), min_size=3, max_size=8)
rounds = st.tuples(quiet, st.one_of(storms, writes, fails, elsewhere))
histories = st.lists(rounds, min_size=3, max_size=8)
bounds = st.builds(
    CacheSettings,
    max_bytes=st.sampled_from([2000, 1 << 20]),
    stale_while_revalidate_seconds=st.sampled_from([0.0, 5.0]),
    stale_if_error_seconds=st.sampled_from([0.0, 20.0]),
)


class World:
    """A tier whose books change, what was written through this gateway, and what each reader was given."""

    def __init__(self, bounds: CacheSettings) -> None:
        self.bounds = bounds
        self.failing = False
        self.edition = 0
        self.written = 0
        policy = AnswerCache(bounds)
        routes = {
            route.name: route for route in routes_of(Mounted(Shelf, document(Shelf), lambda _: self.tier))
        }
        self.routes = {name.rpartition(".")[2]: route for name, route in routes.items()}
        self.steps: dict[str, PipelineStep] = {
            name: policy.wrap(route, self.tier) for name, route in self.routes.items()
        }
        self.policy = policy

    async def tier(self, exchange: Exchange) -> Reply:
        """Looks, and answers a little later: others may come between."""
        writing = exchange.method == "PUT"
        if self.failing and not writing:
            raise Unavailable
        if writing:
            self.edition += 1
        assert exchange.caller is not None
        said = [exchange.caller.consumer, exchange.path, self.edition, clock.now().timestamp()]
        for _ in range(exchange.scope["slowness"]):
            await asyncio.sleep(0)
        return json_reply(200, said)

    def exchange(self, consumer: str, book: str, method: str, slowness: int, header: str = "") -> Exchange:
        name, _, value = header.partition(": ")
        headers = [(name.encode(), value.encode())] if header else []
        scope = {
            "method": method,
            "path": f"/books/{book}",
            "query_string": b"",
            "headers": headers,
            "slowness": slowness,
        }
        found = Exchange(scope, asyncio.sleep)  # pyright: ignore[reportArgumentType] - nothing is received
        found.caller = Caller(consumer, consumer)
        return found

    async def read(self, consumer: str, book: str, header: str, slowness: int) -> None:
        """Read, and hold the answer to every promise."""
        known, asked_at = self.written, clock.now().timestamp()
        try:
            reply = await self.steps["get_book"](self.exchange(consumer, book, "GET", slowness, header))
        except Unavailable:
            assert self.failing
            return
        told, path, edition, said_at = msgspec.json.decode(reply.body)
        assert (told, path) == (consumer, f"/books/{book}")
        assert edition >= known, "older than what was written before it was asked for"
        late = max(self.bounds.stale_while_revalidate_seconds, self.bounds.stale_if_error_seconds)
        allowed = WITHIN.get(header, SECONDS + (late if self.failing else self._late))
        assert asked_at - said_at <= allowed
        age = dict(reply.headers).get(b"age")
        # Never younger than it is; older by what the answer was under way, since that counts from the request
        # (RFC 9111 §4.2.3).
        assert age is None or int(age) >= int(asked_at - said_at)

    @property
    def _late(self) -> float:
        return self.bounds.stale_while_revalidate_seconds

    async def write(self, consumer: str, book: str, slowness: int) -> None:
        reply = await self.steps["put_book"](self.exchange(consumer, book, "PUT", slowness))
        self.written = max(self.written, msgspec.json.decode(reply.body)[2])

    async def live(self, step: Any, after: int = 0) -> None:
        """One step of a history, begun after some turns of the loop."""
        for _ in range(after):
            await asyncio.sleep(0)
        match step:
            case ("read", consumer, book, header, slowness):
                await self.read(consumer, book, header, slowness)
            case ("write", consumer, book, slowness):
                await self.write(consumer, book, slowness)
            case ("elsewhere",):
                self.edition += 1
            case ("wait", seconds):
                clock.advance(seconds)
            case ("fail", failing):
                self.failing = failing
            case ("storm", steps):
                await asyncio.gather(*(self.live(one, after) for after, one in steps))


@asynccontextmanager
async def world(bounds: CacheSettings) -> AsyncIterator[World]:
    clock.set(START)
    found = World(bounds)
    try:
        yield found
    finally:
        await found.policy.close()
        clock.real()


# A tier that is slow to answer, and callers who come when what it will say is too old already.
SLOW: list[Any] = [
    ([("read", "ann", "b-1", "", 0), ("wait", 11)], ("storm", [(0, ("read", "ann", "b-1", "", 20))] * 3)),
    ([("wait", 30)], ("read", "ann", "b-1", "", 0)),
]


@settings(max_examples=15, deadline=None)
@example(bounds=CacheSettings(stale_while_revalidate_seconds=5.0, stale_if_error_seconds=0.0), history=SLOW)
@given(bounds=bounds, history=histories)
async def test_each_gets_its_own_and_none_older_than_allowed(bounds: CacheSettings, history: list[Any]):
    """Own answers only, no older than the promise or the asker's wish, never from before a finished write."""
    await expect_promises_kept(bounds, history)


@pytest.mark.whole
@settings(max_examples=150, deadline=None)
@given(bounds=bounds, history=histories)
async def test_the_same_in_many_more_histories(bounds: CacheSettings, history: list[Any]):
    """The same, ten times as often."""
    await expect_promises_kept(bounds, history)


async def expect_promises_kept(bounds: CacheSettings, history: list[Any]) -> None:
    async with world(bounds) as lived:
        for quiet, event in history:
            for step in (*quiet, event):
                await lived.live(step)
