"""tests: what every test may ask for: a database, a cache, stand-in vendors. All real, all gone with the run.

The process that leads the run (the only one, or xdist's controller) owns them; workers get the addresses.
"""

import contextlib
import fcntl
import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.support.nursery import NURSERY, Nursery
from tests.support.sandboxes import Sandbox, SandboxOf, open_sandbox
from tests.support.servers import Servers, create_database, drop_database
from tests.support.trust import share_trust


class Lead:
    """The leading process's belongings."""

    def __init__(self) -> None:
        # Short and private: sockets lie in it.
        base = Path(_quickest_folder())
        _remove_abandoned(base)
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        self._lock = (self._folder / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._nursery = Nursery(self._folder)
        os.environ[NURSERY] = str(self._nursery.address)  # which xdist's workers inherit
        self._servers = Servers(self._folder / "servers")

    def addresses(self) -> dict[str, str]:
        return {**self._servers.addresses(), "nursery": str(self._nursery.address)}

    def stop(self) -> None:
        self._nursery.stop()
        self._servers.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.close()


_PREFIX, _LOCK = "enf-run-", "lock"


def _remove_abandoned(base: Path) -> None:
    """Remove the folders of runs that were killed: nobody holds their locks, and they may be in memory."""
    for lock in base.glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError), lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)


_ROOMY_BYTES = 4 * 2**30


def _quickest_folder() -> str:
    """Memory where there is enough of it: a database is copied there in a tenth of the time."""
    memory = Path("/dev/shm")  # noqa: S108
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOMY_BYTES
    return str(memory) if roomy else "/tmp"  # noqa: S108


_LEAD = pytest.StashKey[Lead]()


def pytest_configure(config: pytest.Config) -> None:
    share_trust()
    if not hasattr(config, "workerinput"):
        config.stash[_LEAD] = Lead()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist's controller prepares a worker: tell it the addresses."""
    node.workerinput["enfilade"] = node.config.stash[_LEAD].addresses()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _LEAD in config.stash:
        config.stash[_LEAD].stop()


# Fixtures that are whole deployments: one worker has each, and ends it with its last test.
_DEPLOYMENTS = ("deployment", "door", "everybody")


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests of a folder that share a deployment go to one worker: it is started once, and does not idle."""
    for name in _DEPLOYMENTS:
        found = item.session._fixturemanager.getfixturedefs(name, item) if name in item.fixturenames else None
        if found and found[-1].scope == "package":
            item.add_marker(pytest.mark.xdist_group(f"{item.path.parent.name}-{name}"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest-xdist 3.8 writes a test's group where pytest 9.2 no longer reads it: carry it over."""
    for item in items:
        if grouped := vars(item).get("_nodeid"):
            item._id = type(item._id).parse(grouped)


def pytest_collection_finish() -> None:
    """What is collected stays to the end: the garbage collector need not look at it again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures that tests have measured (`record_property("figure", …)`)."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "figure":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")


@pytest.fixture(scope="session")
def addresses(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where the run's servers answer: database_url, cache_url, nursery."""
    workerinput = getattr(request.config, "workerinput", None)
    return request.config.stash[_LEAD].addresses() if workerinput is None else workerinput["enfilade"]


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """gw0, gw1, …: short, and different in every process of the run."""
    workerinput = getattr(request.config, "workerinput", None)
    return "gw0" if workerinput is None else workerinput["workerid"]


@pytest.fixture(scope="session")
def database_url(addresses: dict[str, str], worker_name: str) -> str:
    """This worker's own database, migrated, shared by its tests."""
    return create_database(addresses["database_url"], f"t_{worker_name}")


_DATABASE_NUMBERS = itertools.count()


@pytest.fixture
def fresh_database_url(addresses: dict[str, str], worker_name: str) -> Iterator[str]:
    """A database of this test's own, migrated and otherwise empty."""
    name = f"t_{worker_name}_{next(_DATABASE_NUMBERS)}"
    yield create_database(addresses["database_url"], name)
    drop_database(addresses["database_url"], name)


@pytest.fixture(scope="session")
def cache_url(addresses: dict[str, str], worker_name: str) -> str:
    """This worker's own database in Valkey, empty at first, shared by its tests."""
    url = f"{addresses['cache_url']}?db={int(worker_name.removeprefix('gw')) + 1}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
async def sandbox_of(addresses: dict[str, str], worker_name: str) -> AsyncIterator[SandboxOf]:
    """A vendor's stand-in by its name, started when first asked for."""
    opened: dict[str, Sandbox] = {}
    async with AsyncExitStack() as stack:

        async def named(vendor: str) -> Sandbox:
            if vendor not in opened:
                manager = open_sandbox(addresses["nursery"], vendor, worker_name)
                opened[vendor] = await stack.enter_async_context(manager)
            return opened[vendor]

        yield named
