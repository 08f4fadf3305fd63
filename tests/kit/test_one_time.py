"""tests/kit: names that count once."""

import asyncio

from kit import clock, one_time
from kit.database import Database


async def test_of_many_at_once_one_keeps_a_name_and_one_spends_it(database: Database) -> None:
    """Ten keep the same name and ten spend it: one each time."""
    kept = await asyncio.gather(*(one_time.store(database, "n-1", seconds=60) for _ in range(10)))
    assert sorted(kept) == [False] * 9 + [True]
    spent = await asyncio.gather(*(one_time.spend(database, "n-1", f"by-{n}") for n in range(10)))
    assert sorted(spent) == [False] * 9 + [True]
    found = await one_time.find(database, "n-1")
    assert found is not None
    assert found.used_by == f"by-{spent.index(True)}"


async def test_a_name_is_free_again_when_its_time_is_over(database: Database) -> None:
    """What has expired is neither found nor spent, and may be kept anew."""
    await one_time.store(database, "n-2", seconds=60, content={"a": 1})
    try:
        clock.advance(61)
        assert await one_time.find(database, "n-2") is None
        assert not await one_time.spend(database, "n-2", "late")
        assert await one_time.store(database, "n-2", seconds=60, content={"a": 2})
        found = await one_time.find(database, "n-2")
    finally:
        clock.real()
    assert found is not None
    assert found.content == {"a": 2}
