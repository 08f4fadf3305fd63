"""What the journeys share: a house of the worker's own, and houses made to measure."""

from collections.abc import AsyncIterator

import pytest

from tests.support.houses import MakeHouse, make_house
from tests.support.stack import Stack

__all__ = ["make_house"]


@pytest.fixture(scope="package")
async def house(make_house: MakeHouse) -> AsyncIterator[Stack]:
    """One house per worker, as `make run` would start it, shared by tests that each use their own deal."""
    async with make_house("house") as stack:
        await stack.start()
        yield stack


@pytest.fixture
async def new_house(make_house: MakeHouse, fresh_database_url: str) -> AsyncIterator[Stack]:
    """A house of the test's own, not started yet, so that it may be configured first."""
    async with make_house("new-house", fresh_database_url) as stack:
        yield stack
