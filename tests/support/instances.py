"""tests/support: an account of the test's own at a stand-in vendor, opened by the demo's profile."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import msgspec

from deploy.demo.cast import CRM, ERP, PSA, read_cast
from deploy.settings import DEMO_CONFIG
from kit.http import Slots
from kit.settings import read_toml
from sandbox.folders import profile_of
from system_apis.connector import Connector, ConnectorContext, Profile
from tests.support.sandboxes import Account, Sandbox

P = TypeVar("P", bound=Profile)
Open = Callable[..., Any]


_CAST = read_cast(DEMO_CONFIG)
CRM_INSTANCE, ERP_INSTANCE, PSA_INSTANCE = (_CAST[role].instance for role in (CRM, ERP, PSA))
"""The names of the instances that play in the demo."""


def demo_profile(vendor: str, kind: type[P], **limits: Any) -> P:
    """The example of a vendor's profile, with no time lost between attempts."""
    found = read_toml(profile_of(vendor), kind)
    quick = {"backoff_seconds": 0.01, "timeout_seconds": 5, **limits}
    return msgspec.structs.replace(found, limits=msgspec.structs.replace(found.limits, **quick))


@asynccontextmanager
async def own_account(sandbox: Sandbox, **settings: Any) -> AsyncIterator[Account]:
    account = await sandbox.create_account(**settings)
    yield account
    await account.remove()


@asynccontextmanager
async def opening(connector: Connector, profile: Profile, account: Account) -> AsyncIterator[Open]:
    """Opens the account, as a process of its own would, by the profile or another; closed at the end."""
    async with AsyncExitStack() as stack:

        async def open_one(other: Profile | None = None, **connector_context: Any) -> Any:
            slots = Slots()
            stack.push_async_callback(slots.close)
            handed = ConnectorContext(**{"environ": account.env, "slots": slots, **connector_context})
            return await stack.enter_async_context(connector.open(other or profile, handed))

        yield open_one
