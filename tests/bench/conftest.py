"""tests/bench: a stage on the run's own stores, with everything on it that is measured under load."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bench.contender import Contender
from bench.stage import Stage
from tests.support.servers import create_database, drop_database


@pytest.fixture(scope="module")
async def stage(
    addresses: dict[str, str], worker_name: str, cache_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("bench")
    url = create_database(addresses["database_url"], f"t_{worker_name}_bench")
    async with AsyncExitStack() as stack:
        yield Stage(folder, url, cache_url, stack)
    drop_database(addresses["database_url"], f"t_{worker_name}_bench")


@pytest.fixture(scope="module")
async def readers(stage: Stage) -> dict[str, Contender]:
    return {contender.name: contender for contender in await stage.read()}
