"""system_apis: the lists of a NetSuite account that are polled: it has no stream, and a push may be lost."""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable
from typing import Literal

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED
from system_apis.connector.change import Change
from system_apis.connector.cursor_poll import BEGINNING, CursorPoll, Page, Watched
from system_apis.connector.local_time import instant_of
from system_apis.connector.own_writes import OwnWrites
from system_apis.connector.paging import keyset
from system_apis.connector.values import second_of
from system_apis.connector.wall_clock import LocalZone
from system_apis.vendors.netsuite.client import NetSuiteClient
from system_apis.vendors.netsuite.mapping import queries
from system_apis.vendors.netsuite.mapping.queries import Place
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from system_apis.vendors.netsuite.records import Row

Noun = Literal["customer", "contract"]
_TABLES: dict[Noun, tuple[str, str]] = {
    "customer": ("customer", CUSTOMER_CHANGED),
    "contract": ("transaction", CONTRACT_CHANGED),
}


def poll(
    profile: NetSuiteProfile, client: NetSuiteClient, own_writes: OwnWrites, zone: LocalZone
) -> CursorPoll:
    """NetSuite's instants are late and coarse, so each poll overlaps the one before."""
    size = profile.changes.page_size

    async def newest(table: str) -> dt.datetime:
        rows = await client.query(queries.newest(table))
        return instant_of(rows[0]["changed"], await zone.current()) if rows else BEGINNING

    async def changed(noun: Noun, since: dt.datetime) -> AsyncIterator[Page]:
        """Our own writes are recognised by their recorded versions."""
        table, now = _TABLES[noun][0], await zone.current()

        def read(place: Place) -> Awaitable[list[Row]]:
            return client.query(queries.changes_since(table, place, size))

        start = queries.place_at(since, now)
        async for rows in keyset(client.instance, table, read, Place.of, size, start):
            if rows:
                yield Page.of([await change(noun, row, now) for row in rows])

    async def change(noun: Noun, row: Row, now: dt.tzinfo) -> Change:
        at, ident = instant_of(row["changed"], now), row["id"]
        record = await own_writes.change(noun, ident, at)
        return Change(f"poll:{noun}:{ident}:{second_of(at)}", _TABLES[noun][1], record, at)

    def watched(noun: Noun) -> Watched:
        return Watched(lambda since: changed(noun, since), lambda: newest(_TABLES[noun][0]))

    return CursorPoll(f"{profile.name}:poll", {noun: watched(noun) for noun in _TABLES}, profile.changes)
