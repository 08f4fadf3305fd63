"""system_apis: polls a Toy PSA account for what changed last."""

import datetime as dt
from collections.abc import AsyncIterator, Iterable
from functools import partial

from system_apis.connector import ChangeSource
from system_apis.connector.change import Change
from system_apis.connector.cursor_poll import CursorPoll, Page, Watched
from system_apis.connector.paging import PageGuard
from system_apis.connector.unreadable import Unreadable
from system_apis.vendors.toypsa.client import ToypsaClient, stamp_of
from system_apis.vendors.toypsa.mapping import changes_of
from system_apis.vendors.toypsa.profile import ToypsaProfile
from system_apis.vendors.toypsa.records import Project

WATCHED = {"projects": Project}
NOUNS = {"projects": "project"}


def sources(profile: ToypsaProfile, client: ToypsaClient) -> tuple[ChangeSource, ...]:
    """A poll of every watched table; the account states no newest change."""
    watched = {table: Watched(partial(_pages, client, table)) for table in WATCHED}
    return (CursorPoll(f"{profile.name}:poll", watched, profile.changes),)


def _changes(instance: str, table: str, row: Project | Unreadable) -> Iterable[Change]:
    if isinstance(row, Unreadable):
        return [row.change(instance, NOUNS[table])]
    return changes_of(row, instance)


async def _pages(client: ToypsaClient, table: str, since: dt.datetime) -> AsyncIterator[Page]:
    guard, after = PageGuard(client.instance, table), ""
    while True:
        rows = await client.rows(table, WATCHED[table], since=since, after=after)
        if rows.items:
            since, after = stamp_of(rows.items[-1])
            yield Page(
                [change for row in rows.items for change in _changes(client.instance, table, row)], since
            )
            guard.turn((since, after))
        if not rows.more:
            return
