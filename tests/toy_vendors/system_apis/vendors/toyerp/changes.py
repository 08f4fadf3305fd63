"""system_apis: polls a Toy ERP account for what changed last."""

import datetime as dt
from collections.abc import AsyncIterator
from itertools import repeat

from system_apis.vendors.toyerp.client import ToyErpClient
from system_apis.vendors.toyerp.mapping import changes_of
from system_apis.vendors.toyerp.records import Contract, Customer
from system_apis.vendors.toyerp.settings import Changes

from kit import clock
from system_apis.connector.cursor_poll import CursorPoll, Page
from system_apis.connector.paging import PageGuard

WATCHED = {"customers": Customer, "contracts": Contract}


class Changed:
    """The documents of a table by last change."""

    def __init__(self, client: ToyErpClient, table: str) -> None:
        self._client, self._table = client, table

    async def newest(self) -> dt.datetime:
        """Now: the account has no such mark."""
        return clock.now()

    async def pages(self, since: dt.datetime) -> AsyncIterator[Page]:
        guard, after = PageGuard(self._client.instance, self._table), ""
        while True:
            rows = await self._client.rows(self._table, WATCHED[self._table], since=since, after=after)
            if rows.items:
                last = rows.items[-1]
                changes = [each for row in rows.items for each in changes_of(row, self._client.instance)]
                yield Page(changes, last.changed_at)
                since, after = last.changed_at, last.id
                guard.turn((since, after))
            if not rows.more:
                return


def poll(client: ToyErpClient, settings: Changes) -> CursorPoll:
    """Polls every watched table."""
    return CursorPoll(
        f"{client.instance}:poll",
        {table: Changed(client, table) for table in WATCHED},
        overlap_seconds=settings.overlap_seconds,
        waits=lambda: repeat(settings.poll_seconds),
    )
