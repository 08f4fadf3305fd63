"""tests/deploy: when a process says that it is ready."""

import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Mapping

import pytest
from sqlalchemy import text

from contracts.problems import Unavailable
from deploy.composition.parts import Stores, Tiers
from deploy.composition.readiness import degraded, readiness
from deploy.settings import ServerSettings
from kit.background import run_background, stop_background
from kit.cache import Cache
from kit.database import Database
from kit.http import Recorder, Slots
from kit.secret_store import SecretStore
from kit.workflows import Runtime
from tests.support.databases import KEYS
from tests.support.refusing import refusing
from tests.support.stack import until


def make_runtime(database: Database, role: str) -> Runtime:
    return Runtime(database, application="a", version="1", executor="here", worker=role != "api")


@pytest.fixture
async def stores(database_url: str):
    database = Database(database_url)
    yield Stores(database, None, Recorder(database), Slots(), SecretStore(database, KEYS))
    await database.close()


async def test_a_process_that_does_not_execute_its_flows_is_not_ready(stores: Stores, database_url: str):
    """A process of flows is ready once the engine runs; one that only starts them does not wait for it."""
    settings = ServerSettings(database_url=database_url)
    told = []
    for role in ("all", "api"):
        runtime = make_runtime(stores.database, role)
        told.append(set(await readiness(settings, stores, Tiers([], runtime=runtime))()))
    assert told == [{"flows"}, set()]


async def test_a_process_whose_background_work_has_died_is_not_ready(stores: Stores, database_url: str):
    """It says which, until that has been started again."""
    ready = readiness(ServerSettings(database_url=database_url), stores, Tiers([]))

    async def die() -> None:
        raise RuntimeError("a fault")

    task = run_background("the inbox", die)
    missing = await until("the death is known", ready, 10)
    assert missing == {"background": "Crashed, and will be restarted: the inbox"}
    await stop_background(task)
    assert await ready() == {}


@pytest.mark.parametrize(
    ("table", "state", "why"),
    [
        ("enfilade.leases", "53100", "The database's disk is full"),
        ("enfilade.audit_anchors", "25006", "The database is read-only"),
    ],
)
async def test_a_database_that_takes_no_writes_is_told(
    stores: Stores, database_url: str, table: str, state: str, why: str
):
    """The probe writes itself, and hears of what was refused to others; it is ready again by itself."""
    ready = readiness(ServerSettings(database_url=database_url), stores, Tiers([]))
    async with refusing(stores.database, table, state):
        with contextlib.suppress(Unavailable):
            async with stores.database.begin() as connection:
                await connection.execute(text(f"INSERT INTO {table} DEFAULT VALUES"))
        assert await ready() == {"database": why}
    assert await until("it is ready again", lambda: _empty(ready), 10) is True


async def _empty(ready: Callable[[], Awaitable[Mapping[str, str]]]) -> bool:
    return await ready() == {}


async def test_a_probe_leaves_no_row(stores: Stores, database_url: str):
    """What readiness writes is rolled back."""
    await readiness(ServerSettings(database_url=database_url), stores, Tiers([]))()
    async with stores.database.connect() as connection:
        held = await connection.execute(text("SELECT name FROM enfilade.leases WHERE name LIKE 'probe%'"))
        assert held.scalars().all() == []


async def test_a_cache_that_is_away_degrades_and_does_not_count(stores: Stores, database_url: str):
    """The deployment answers without its cache: it is ready, and says what it does without."""
    cache = Cache("redis://127.0.0.1:1")
    without = dataclasses.replace(stores, cache=cache)
    assert await readiness(ServerSettings(database_url=database_url), without, Tiers([]))() == {}
    assert await degraded(without)() == {"cache": "The cache does not answer"}
    await cache.close()
