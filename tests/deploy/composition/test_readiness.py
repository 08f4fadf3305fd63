"""tests/deploy: when a process says that it is ready."""

import pytest

from deploy.composition.parts import Stores, Tiers
from deploy.composition.readiness import readiness
from deploy.settings import ServerSettings
from kit.background import run_background, stop_background
from kit.database import Database
from kit.http import Recorder, Slots
from kit.secret_store import SecretStore
from kit.workflows import Runtime
from tests.support.databases import KEYS
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
