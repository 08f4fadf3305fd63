"""tests of NetSuite's room: an account of one's own at the stand-in, opened by the story's profile."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from kit.cache import Cache
from system_apis.connector import OpenInstance
from system_apis.vendors.netsuite import CONNECTOR
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from tests.support.instances import Open, demo_profile, opening, own_account
from tests.support.sandboxes import Account, Sandbox, SandboxOf


@pytest.fixture(scope="session")
async def netsuite_sandbox(sandbox_of: SandboxOf) -> Sandbox:
    return await sandbox_of("netsuite")


@pytest.fixture
def profile() -> NetSuiteProfile:
    """The story's, with no time lost between attempts."""
    return demo_profile("netsuite", NetSuiteProfile)


@pytest.fixture
async def account(netsuite_sandbox: Sandbox) -> AsyncIterator[Account]:
    async with own_account(netsuite_sandbox) as account:
        yield account


@pytest.fixture
async def cache(cache_url: str) -> AsyncIterator[Cache]:
    cache = Cache(cache_url, timeout=5)
    yield cache
    await cache.close()


@pytest.fixture
async def open_netsuite(profile: NetSuiteProfile, account: Account) -> AsyncIterator[Open]:
    async with opening(CONNECTOR, profile, account) as open_one:
        yield open_one


@pytest.fixture
async def netsuite(open_netsuite: Open) -> OpenInstance:
    return await open_netsuite()


@pytest.fixture
def erp(netsuite: OpenInstance) -> Any:
    return netsuite.capabilities["erp"]


def changed(profile: NetSuiteProfile, **fields: Any) -> NetSuiteProfile:
    return msgspec.structs.replace(profile, **fields)


def hurried(profile: NetSuiteProfile, **limits: Any) -> NetSuiteProfile:
    return changed(profile, limits=msgspec.structs.replace(profile.limits, **limits))
