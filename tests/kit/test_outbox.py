"""tests/kit: the outbox and its feed."""

# ruff: noqa: A002 - an id, an object and an input are called what they are

import asyncio

import msgspec
import pytest

from contracts.events.envelope import Event
from contracts.problems import Invalid
from kit.database import Database
from kit.inbox import publish, read


class Fact(msgspec.Struct):
    n: int


async def say(database: Database, n: int, key: str, id: str = "") -> str | None:
    async with database.begin() as connection:
        return await publish(
            connection, type="t.v1", subject=key, key=key, data=Fact(n), correlation_id="cor_1", id=id
        )


async def feed(database: Database, cursor: str | None = None, limit: int = 50) -> tuple[list[Event], str]:
    async with database.begin() as connection:
        page = await read(connection, cursor, limit=limit)
        return list(page.items), page.next_cursor


async def test_a_late_commit_is_never_lost(database: Database) -> None:
    """A reader that has read past a transaction that commits late still gets its event afterwards."""
    async with database.begin() as slow:
        await publish(slow, type="t.v1", subject="a", key="a", data=Fact(1), correlation_id="c")
        await say(database, 2, "b")
        early, cursor = await feed(database)
        assert [event.data["n"] for event in early] == [2]
    late, _ = await feed(database, cursor)
    assert [event.data["n"] for event in late] == [1]


async def test_sequences_count_without_gaps_and_in_the_feeds_order(database: Database) -> None:
    """Fifty events written at once about three objects are numbered per object in the feed's order."""
    await asyncio.gather(*(say(database, n, "abc"[n % 3]) for n in range(50)))
    seen: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    cursor: str | None = None
    while True:
        events, cursor = await feed(database, cursor, limit=7)
        if not events:
            break
        for event in events:
            seen[event.partitionkey].append(event.sequence)
    assert seen == {key: list(range(1, len(found) + 1)) for key, found in seen.items()}
    assert sum(map(len, seen.values())) == 50


async def test_an_event_of_one_id_is_written_once(database: Database) -> None:
    """Publishing under the same id again changes nothing and uses no sequence number."""
    assert await say(database, 1, "a", id="evt_1") == "evt_1"
    assert await say(database, 2, "a", id="evt_1") is None
    await say(database, 3, "a")
    events, _ = await feed(database)
    assert [(event.data["n"], event.sequence) for event in events] == [(1, 1), (3, 2)]


async def test_what_rolls_back_was_never_said(database: Database) -> None:
    """An event of a transaction that failed does not appear."""

    async def fails() -> None:
        async with database.begin() as connection:
            await publish(connection, type="t.v1", subject="a", key="a", data=Fact(1), correlation_id="c")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    assert (await feed(database))[0] == []


async def test_a_foreign_cursor_is_refused(database: Database) -> None:
    """A cursor that the feed never gave leads nowhere."""
    with pytest.raises(Invalid):
        await feed(database, "nonsense")
