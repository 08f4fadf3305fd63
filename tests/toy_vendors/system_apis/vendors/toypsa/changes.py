"""system_apis: polls a Toy PSA account for what changed last."""

import datetime as dt
from collections.abc import AsyncIterator
from functools import partial

from system_apis.vendors.toypsa.client import ToypsaClient
from system_apis.vendors.toypsa.mapping import changes_of
from system_apis.vendors.toypsa.profile import ToypsaProfile
from system_apis.vendors.toypsa.records import Project

from system_apis.connector import ChangeSource
from system_apis.connector.cursor_poll import CursorPoll, Page, Watched
from system_apis.connector.paging import PageGuard

WATCHED = {"projects": Project}


def sources(profile: ToypsaProfile, client: ToypsaClient) -> tuple[ChangeSource, ...]:
    """A poll of every watched table; the account states no newest change."""
    watched = {table: Watched(partial(_pages, client, table)) for table in WATCHED}
    return (CursorPoll(f"{profile.name}:poll", watched, profile.changes),)


async def _pages(client: ToypsaClient, table: str, since: dt.datetime) -> AsyncIterator[Page]:
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
