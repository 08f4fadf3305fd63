"""tests/gateway: one deployment for the many tests that only ask it."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.database import Database
from kit.telemetry import configure_logging
from tests.gateway.deployment import Deployment
from tests.gateway.signing import SigningDeployment
from tests.support.databases import keyed


@pytest.fixture(scope="session", autouse=True)
def logging_as_in_production() -> None:
    """Log lines go where pytest sees them; structlog's own default draws all variables of a failure."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("info")
    root.handlers[:], root.level = handlers, level


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The issuer's keys, made once for the run."""
    return tmp_path_factory.mktemp("issuer")


@pytest.fixture(scope="session")
async def deployment(keys_folder: Path) -> AsyncIterator[Deployment]:
    """A gateway without database and cache."""
    found = Deployment(keys_folder)
    async with found.http:
        yield found


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """This worker's database."""
    found = keyed(database_url)
    yield found
    await found.close()


@pytest.fixture(scope="session")
async def signing(keys_folder: Path, database: Database) -> AsyncIterator[SigningDeployment]:
    """A gateway whose issuer has clients of every kind, people, and a database."""
    found = SigningDeployment(keys_folder, database=database)
    await found.gateway.start()
    async with found.http:
        yield found
    await found.gateway.close()


@pytest.fixture
async def kept(keys_folder: Path, database: Database) -> AsyncIterator[Deployment]:
    """A gateway that keeps idempotency keys and an audit trail."""
    found = Deployment(keys_folder, database=database)
    await found.gateway.start()
    async with found.http:
        yield found
    await found.gateway.close()
