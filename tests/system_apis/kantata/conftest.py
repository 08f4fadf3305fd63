"""tests of Kantata's room: an account of one's own at the stand-in, opened by the story's profile."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from kit import clock
from kit.database import Database
from system_apis.connector import OpenInstance
from system_apis.vendors.kantata import CONNECTOR
from system_apis.vendors.kantata.profile import KantataProfile
from tests.support.instances import Open, demo_profile, opening, own_account
from tests.support.sandboxes import Account, Sandbox, SandboxOf
from tests.system_apis.kantata.drafts import client_draft


@pytest.fixture(scope="session")
async def kantata_sandbox(sandbox_of: SandboxOf) -> Sandbox:
    return await sandbox_of("kantata")


@pytest.fixture
def profile() -> KantataProfile:
    """The story's, with no time lost between attempts."""
    story = demo_profile("kantata", KantataProfile, per_second=0)
    connection = msgspec.structs.replace(story.connection, throttled_seconds=0)
    return msgspec.structs.replace(story, connection=connection)


@pytest.fixture
async def account(kantata_sandbox: Sandbox) -> AsyncIterator[Account]:
    async with own_account(kantata_sandbox) as account:
        yield account


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    database = Database(fresh_database_url)
    yield database
    await database.close()


@pytest.fixture
async def open_kantata(profile: KantataProfile, account: Account) -> AsyncIterator[Open]:
    async with opening(CONNECTOR, profile, account) as open_one:
        yield open_one


@pytest.fixture
async def kantata(open_kantata: Open) -> OpenInstance:
    return await open_kantata()


@pytest.fixture
def psa(kantata: OpenInstance) -> Any:
    return kantata.capabilities["psa"]


@pytest.fixture
async def client_id(psa: Any) -> str:
    """A client at the account, and its catalogue read: what a test counts is its own."""
    return (await psa.put_client("cli-1", client_draft())).id


@pytest.fixture
def real_clock() -> Iterator[None]:
    yield
    clock.real()
