"""tests/kit: what the tests of the pipes ask for."""

from collections.abc import AsyncIterator, Iterator

import pytest

from kit import clock
from kit.database import Database
from tests.support.databases import keyed


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    """A database of this test's own."""
    database = keyed(fresh_database_url)
    yield database
    await database.close()


@pytest.fixture
def stopped_clock() -> Iterator[None]:
    """The deployment's clock stands still until the test moves it."""
    clock.set(clock.now())
    yield
    clock.real()
