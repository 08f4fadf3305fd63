"""tests/conformance: what every keeper of every capability promises, whatever the noun."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from contracts.problems import ContractViolation, Problem, VendorDoubtful, VendorRejected, VendorUnavailable
from tests.conformance.conftest import ConnectorUnderTest

MARK = "words of the vendor"
LOST: dict[str, dict[str, Any]] = {
    "dropped-before": {"drop": "before"},
    "dropped-after": {"drop": "after"},
    "503-before": {"status": 503, "when": "before"},
    "500-after": {"status": 500, "when": "after"},
    "429": {"status": 429, "when": "before"},
    "html": {"html": 502},
    "late": {"commit_late_ms": 250},
    "dead-token": {"expire_token": True},
}
MOST_PAGES = 1000
COARSE = dt.timedelta(seconds=61)  # some vendors count minutes
Put = Callable[[Any], Awaitable[Any]]


async def until_done(act: Callable[[], Awaitable[Any]]) -> Any:
    """As a durable step does: again for as long as the problem says that one may, when it says."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await act()
            except VendorUnavailable as problem:
                await asyncio.sleep(problem.retry_after or 0)


def alike(one: Any, other: Any) -> bool:
    """The same but for when it was saved: some vendors go on saving a record after they answered."""
    unsaved = {"version": "", "updated_at": one.updated_at}
    return msgspec.structs.replace(one, **unsaved) == msgspec.structs.replace(other, **unsaved)


async def all_done(connector: ConnectorUnderTest) -> None:
    """Until every call has come to its end at the vendor, those too whose caller has gone."""
    async with asyncio.timeout(10):
        while any(call["duration_ms"] is None for call in await connector.account.calls()):
            pass  # each look is a call


async def makes_one(connector: ConnectorUnderTest, noun: str, put: Put, get: Put) -> None:
    """One after the other, at once, from two processes: one object."""
    before = await connector.count(noun)
    first = await put(connector.api)
    assert alike(await put(connector.api), first)
    other = await connector.open()
    found = await asyncio.gather(*(put(api) for api in (connector.api, other) * 4))
    assert {one.id for one in found} == {first.id}
    assert await get(connector.api) == await get(other)
    assert alike(await get(connector.api), await put(connector.api))
    assert await connector.count(noun) == before + 1


async def made_at_once_is_one(connector: ConnectorUnderTest, noun: str, put: Put) -> None:
    """The very first creations of a key come all at once, from two processes."""
    before = await connector.count(noun)
    other = await connector.open()
    found = await asyncio.gather(
        *(until_done(lambda api=api: put(api)) for api in (connector.api, other) * 4)
    )
    await all_done(connector)
    assert len({one.id for one in found}) == 1
    assert await connector.count(noun) == before + 1


async def survives(
    connector: ConnectorUnderTest, noun: str, put: Put, get: Put, effect: dict[str, Any]
) -> None:
    """Whatever becomes of the first answer: in the end one, and found by its key."""
    before = await connector.count(noun)
    await connector.spoil(connector.noun(noun).creates, effect)
    if "expire_token" in effect and not connector.stand.logs_in_again:
        await fails_as(connector, VendorRejected, lambda: put(connector.api))
        assert await connector.count(noun) == before
        return
    made = await until_done(lambda: put(connector.api))
    await all_done(connector)
    assert (await until_done(lambda: put(connector.api))).id == made.id
    assert (await get(connector.api)).id == made.id
    assert await connector.count(noun) == before + 1


async def pages(list_page: Callable[..., Awaitable[Any]], limit: int, most: int = MOST_PAGES) -> list[Any]:
    """Everything that a list has, in pages of so many; fails where the list has no end."""
    found: list[Any] = []
    cursor, cursors = None, set[str]()
    for _ in range(most):
        page = await list_page(cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        again = {item.id for item in page.items} & {item.id for item in found}
        assert not again, f"the cursor is ignored: {sorted(again)} came before"
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert page.items, "an empty page promises another"
        assert cursor not in cursors, "a cursor came before"
        cursors.add(cursor)
    raise AssertionError(f"the list has no end: {most} pages were read")


async def lists_once_in_order(list_page: Callable[..., Awaitable[Any]], at_least: int) -> list[Any]:
    """Small pages give each item exactly once, oldest change first, and the same as one large page."""
    whole = await pages(list_page, 200)
    assert len(whole) >= at_least
    for limit in (1, 2, 3):
        assert await pages(list_page, limit) == whole
    ids = [item.id for item in whole]
    assert len(set(ids)) == len(ids)
    assert [item.updated_at for item in whole] == sorted(item.updated_at for item in whole)
    middle = whole[len(whole) // 2].updated_at
    since = await pages(lambda **page: list_page(updated_since=middle, **page), 2)
    assert since == [item for item in whole if item.updated_at >= middle]
    later = whole[-1].updated_at + COARSE
    assert not (await list_page(updated_since=later)).items, "nothing changed after the last change"
    return whole


async def fails_as(
    connector: ConnectorUnderTest, kind: type[Problem], act: Callable[[], Awaitable[Any]]
) -> Problem:
    """The problem is of exactly this kind, names the instance, and repeats nothing that the vendor said."""
    with pytest.raises(Problem) as caught:
        await act()
    problem = caught.value
    assert type(problem) is kind, repr(problem)
    said = f"{problem.detail} {problem.extra} {problem.errors}"
    assert MARK not in said
    assert connector.vendor in said, "says whose fault it is"
    return problem


async def tells_bad_answers(connector: ConnectorUnderTest, read: Callable[[], Awaitable[Any]]) -> None:
    """Off its schema, failing, throttling, silent: each of a read's bad ends is told as what it is."""
    reads = connector.stand.reads
    broken = [{**connector.stand.breaks, "said": MARK}, MARK, [], {"said": MARK}]
    for body in broken:
        await connector.spoil(reads, {"answer": {"status": 200, "body": body}}, times=None)
        await fails_as(connector, ContractViolation, read)
        await connector.account.clear_faults()
    absent = [{"status": 500}, {"status": 503}, {"status": 429}, {"drop": "before"}, {"html": 502}]
    for effect in [*absent, {"answer": {"status": 503, "body": {"said": MARK}}}]:
        await connector.spoil(reads, effect, times=None)
        await fails_as(connector, VendorUnavailable, read)
        await connector.account.clear_faults()
        await until_done(read)  # the breaker sees that all is well again


async def tells_doubt(
    connector: ConnectorUnderTest, call: tuple[str, str], act: Callable[[], Awaitable[Any]]
) -> None:
    """A write of which nothing is heard may be done: that is what is said, and asking again is safe."""
    await connector.spoil(call, {"drop": "after"}, times=None)
    await fails_as(connector, VendorDoubtful, act)
    await connector.account.clear_faults()
    await until_done(act)
