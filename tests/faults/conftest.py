"""What the fault tests share: a house whose door stays open while its workers die."""

from collections.abc import AsyncIterator

import pytest

from tests.support.houses import MakeHouse, make_house
from tests.support.stack import Stack

__all__ = ["make_house"]


@pytest.fixture(scope="package")
async def door(make_house: MakeHouse) -> AsyncIterator[Stack]:
    """A house with its role `api` running; each test starts and kills its own workers."""
    async with make_house("faults") as stack:
        await stack.start("door", role="api")
        yield stack
