"""The account desk: what a person who keeps customer accounts looks at."""

from typing import Protocol

import msgspec

from contracts.canonical.values import Cursor
from contracts.experience.common import ScreenLink
from contracts.operation import api, operation


class AccountRow(msgspec.Struct, frozen=True):
    """A customer in a list: `status` in words, with a link to each system that knows the customer."""

    name: str
    status: str
    links: tuple[ScreenLink, ...]


class AccountList(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of customers."""

    rows: tuple[AccountRow, ...]
    next_cursor: str | None = None


@api("experience", "account-desk", version=1, summary="What the account desk looks at")
class AccountDesk(Protocol):
    """The desk's screens."""

    @operation("GET", "/accounts", summary="The customers, as a list to look through")
    async def list_accounts(self, cursor: Cursor | None = None) -> AccountList:
        """A page of customers."""
        ...
