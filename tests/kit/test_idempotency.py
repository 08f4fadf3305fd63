"""tests/kit: idempotency keys."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kit import clock, idempotency
from kit.database import Database
from kit.idempotency import Fresh, Life, Replay, Reservation, Reused, Running

KEY: dict[str, Any] = {"consumer": "crm-screen", "operation": "process/x@1:start", "key": "k1"}


@pytest.fixture
async def other(database: Database) -> AsyncIterator[Database]:
    """Another process on the same database."""
    other = Database(database.url, name="another process")
    yield other
    await other.close()


async def reserve(database: Database, fingerprint: str = "f1", life: Life | None = None) -> Reservation:
    life = life or Life(database)
    return await idempotency.reserve(database, **KEY, life=life, fingerprint=fingerprint, ttl=3600)


async def settle(database: Database, reserved: Reservation) -> None:
    assert isinstance(reserved, Fresh)
    await idempotency.settle(
        database, **KEY, holder=reserved.holder, status=202, headers={"ETag": "1"}, body=b"{}"
    )


async def test_of_many_at_once_one_is_carried_out(database: Database) -> None:
    """Of ten same requests at once one is fresh, the others are told that it runs."""
    reserved = await asyncio.gather(*(reserve(database) for _ in range(10)))
    kinds = sorted(type(each).__name__ for each in reserved)
    assert kinds == ["Fresh"] + ["Running"] * 9


async def test_a_repetition_gets_the_first_answer(database: Database) -> None:
    """After the answer was kept, the same request is answered by it and another is refused."""
    await settle(database, await reserve(database))
    assert await reserve(database) == Replay(202, {"ETag": "1"}, b"{}")
    assert await reserve(database, "f2") == Reused()


async def test_a_running_request_refuses_another_body(database: Database) -> None:
    """While the first runs, the same key with another body is a reuse, not a wait."""
    await reserve(database)
    assert await reserve(database, "f2") == Reused()


async def test_a_released_key_is_free(database: Database) -> None:
    """A request that had no effect may be repeated for real."""
    reserved = await reserve(database)
    assert isinstance(reserved, Fresh)
    await idempotency.release(database, **KEY, holder=reserved.holder)
    assert isinstance(await reserve(database), Fresh)


async def test_a_dead_processes_reservation_is_taken_over_at_once(
    database: Database, other: Database
) -> None:
    """Of many who repeat what a dead process had reserved, one carries it out and the others wait for it."""
    first = await reserve(other)
    assert await reserve(database) == Running()
    await other.close()
    again = await asyncio.gather(*(reserve(database) for _ in range(10)))
    assert sorted(type(each).__name__ for each in again) == ["Fresh"] + ["Running"] * 9
    await settle(database, first)
    assert await reserve(database) == Running()


async def test_a_dead_processes_key_refuses_another_body(database: Database, other: Database) -> None:
    """Death frees the work, not the key: it still belongs to the request that it was first used with."""
    await reserve(other)
    await other.close()
    assert await reserve(database, "f2") == Reused()


async def test_a_process_whose_session_ended_goes_by_another_name(
    database: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it reserves after is its own again, though its session was ended from outside."""
    monkeypatch.setattr(idempotency, "_CHECK_SECONDS", 0.0)
    life = Life(other)
    before = await life.name()
    await other.locks.close()
    assert await life.name() != before
    assert isinstance(await reserve(other, life=life), Fresh)
    assert await reserve(database) == Running()


async def test_what_a_living_process_never_settled_is_abandoned(
    database: Database, stopped_clock: None
) -> None:
    """A reservation never settled is taken over after a minute; its old holder can settle nothing then."""
    first = await reserve(database)
    clock.advance(59)
    assert await reserve(database) == Running()
    clock.advance(2)
    second = await reserve(database)
    assert isinstance(second, Fresh)
    await settle(database, first)
    assert await reserve(database) == Running()


async def test_a_key_expires(database: Database, stopped_clock: None) -> None:
    """After its time a key is free for any request, and can be purged."""
    await settle(database, await reserve(database))
    clock.advance(3601)
    assert isinstance(await reserve(database, "f2"), Fresh)
    clock.advance(3601)
    assert await idempotency.purge(database) == 1
