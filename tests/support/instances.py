"""tests/support: an account of the test's own at a stand-in vendor, opened by the story's profile."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import msgspec

from deploy.settings import STORY
from kit.http import Slots
from kit.settings import read_toml
from system_apis.card import Card, Pipes, Profile
from tests.support.sandboxes import Account, Sandbox

P = TypeVar("P", bound=Profile)
Open = Callable[..., Any]


def story_profile(name: str, kind: type[P], **limits: Any) -> P:
    """The story's profile of an instance, with no time lost between attempts."""
    found = read_toml(STORY / "instances" / f"{name}.toml", kind)
    quick = {"backoff_seconds": 0.01, "timeout_seconds": 5, **limits}
    return msgspec.structs.replace(found, limits=msgspec.structs.replace(found.limits, **quick))


@asynccontextmanager
async def own_account(sandbox: Sandbox, **settings: Any) -> AsyncIterator[Account]:
    account = await sandbox.create_account(**settings)
    yield account
    await account.remove()


@asynccontextmanager
async def opening(card: Card, profile: Profile, account: Account) -> AsyncIterator[Open]:
    """Opens the account, as a process of its own would, by the profile or another; closed at the end."""
    async with AsyncExitStack() as stack:

        async def open_one(other: Profile | None = None, **pipes: Any) -> Any:
            slots = Slots()
            stack.push_async_callback(slots.close)
            handed = Pipes(**{"environ": account.env, "slots": slots, **pipes})
            return await stack.enter_async_context(card.open(other or profile, handed))

        yield open_one
