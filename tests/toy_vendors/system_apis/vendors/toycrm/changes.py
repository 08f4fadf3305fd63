"""system_apis: polls a Toy CRM account for what changed last."""

import datetime as dt
from collections.abc import AsyncIterator
from functools import partial

from system_apis.vendors.toycrm.client import ToycrmClient
from system_apis.vendors.toycrm.mapping import changes_of
from system_apis.vendors.toycrm.profile import ToycrmProfile
from system_apis.vendors.toycrm.records import Account, Deal

from system_apis.connector import ChangeSource
from system_apis.connector.cursor_poll import CursorPoll, Page, Watched
from system_apis.connector.paging import PageGuard

WATCHED = {"deals": Deal, "accounts": Account}


def sources(profile: ToycrmProfile, client: ToycrmClient) -> tuple[ChangeSource, ...]:
    """A poll of every watched table; the account states no newest change."""
    watched = {table: Watched(partial(_pages, client, table)) for table in WATCHED}
    return (CursorPoll(f"{profile.name}:poll", watched, profile.changes),)


async def _pages(client: ToycrmClient, table: str, since: dt.datetime) -> AsyncIterator[Page]:
    guard, after = PageGuard(client.instance, table), ""
    while True:
        rows = await client.rows(table, WATCHED[table], since=since, after=after)
        if rows.items:
            since, after = rows.items[-1].changed_at, rows.items[-1].id
            changes = [change for row in rows.items for change in changes_of(row, client.instance)]
            yield Page(changes, since)
            guard.turn((since, after))
        if not rows.more:
            return
