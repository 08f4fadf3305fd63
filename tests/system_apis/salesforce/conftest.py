"""tests: an org of the test's own at the Salesforce stand-in, opened by the story's profile."""

import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from system_apis.connector import ConnectorContext, OpenInstance
from system_apis.vendors.salesforce import CONNECTOR
from system_apis.vendors.salesforce.profile import SalesforceProfile
from tests.support.instances import own_account
from tests.support.sandboxes import Account, Sandbox, SandboxOf

STORY = Path(__file__).parents[3] / "deploy" / "demo_config" / "instances" / "salesforce-main.toml"
Open = Callable[..., AbstractAsyncContextManager[OpenInstance]]


def profile(**changes: Any) -> SalesforceProfile:
    """The story's profile with some tables changed."""
    told = tomllib.loads(STORY.read_text(encoding="utf-8"))
    for name, value in changes.items():
        told[name] = {**told.get(name, {}), **value} if isinstance(value, dict) else value
    return msgspec.convert(told, SalesforceProfile)


@pytest.fixture(scope="session")
async def salesforce_sandbox(sandbox_of: SandboxOf) -> Sandbox:
    return await sandbox_of("salesforce")


@pytest.fixture
async def org(salesforce_sandbox: Sandbox) -> AsyncIterator[Account]:
    async with own_account(salesforce_sandbox, keep_alive_seconds=0.2) as account:
        yield account


@pytest.fixture
def open_org(org: Account) -> Open:
    """Opens the org by the story's profile, some of its tables changed."""

    @asynccontextmanager
    async def opened(
        deployment: Literal["test", "production"] = "test", **changes: Any
    ) -> AsyncIterator[OpenInstance]:
        limits = {"backoff_seconds": 0.01, **changes.pop("limits", {})}
        async with CONNECTOR.open(
            profile(limits=limits, **changes), ConnectorContext(environ=org.env, deployment=deployment)
        ) as instance:
            yield instance  # type: ignore[misc]

    return opened


@pytest.fixture
async def instance(open_org: Open) -> AsyncIterator[OpenInstance]:
    async with open_org() as opened:
        yield opened


async def one(org: Account, record_type: str, name: str) -> dict[str, Any]:
    """The story's record of a name."""
    return next(record for record in await org.records(record_type) if record["Name"] == name)
