"""system_apis: the lists of a NetSuite account that are polled: it has no stream, and a push may be lost."""

import datetime as dt
from collections.abc import AsyncIterator
from itertools import repeat
from typing import Literal

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED, RecordChanged
from system_apis.connector.change import Change
from system_apis.connector.cursor_poll import BEGINNING, CursorPoll, Page
from system_apis.connector.paging import PageGuard
from system_apis.vendors.netsuite.client import Echoes, NetSuiteClient
from system_apis.vendors.netsuite.client.zone import Zone
from system_apis.vendors.netsuite.mapping import queries
from system_apis.vendors.netsuite.mapping.queries import Place
from system_apis.vendors.netsuite.mapping.values import instant_of
from system_apis.vendors.netsuite.records import Row, version_of
from system_apis.vendors.netsuite.settings import Changes

Noun = Literal["customer", "contract"]
_TABLES: dict[Noun, tuple[str, str]] = {
    "customer": ("customer", CUSTOMER_CHANGED),
    "contract": ("transaction", CONTRACT_CHANGED),
}


class ChangedRows:
    """A table's rows by last change; our own writes are recognised by their recorded versions."""

    def __init__(
        self, noun: Noun, client: NetSuiteClient, echoes: Echoes, zone: Zone, page_size: int
    ) -> None:
        self._noun: Noun = noun
        self._table, self._kind = _TABLES[noun]
        self._client = client
        self._echoes = echoes
        self._zone = zone
        self._size = page_size

    async def newest(self) -> dt.datetime:
        """An import brings over the records from before the connection."""
        rows = await self._client.query(queries.newest(self._table))
        return instant_of(rows[0]["changed"], await self._zone.current()) if rows else BEGINNING

    async def pages(self, since: dt.datetime) -> AsyncIterator[Page]:
        zone = await self._zone.current()
        place, guard = queries.place_at(since, zone), PageGuard(self._client.instance, self._table)
        while True:
            guard.turn(place)
            rows = await self._client.query(queries.changes_since(self._table, place, self._size))
            if rows:
                page = [await self._change(row, zone) for row in rows]
                yield Page(page, max(one.at for one in page))
                place = Place(rows[-1]["changed"], int(rows[-1]["id"]))
            if len(rows) < self._size:
                return

    async def _change(self, row: Row, zone: dt.tzinfo) -> Change:
        changed, ident = instant_of(row["changed"], zone), row["id"]
        change = RecordChanged(
            instance=self._client.instance,
            object=self._noun,
            id=ident,
            version=version_of(changed),
            changed_at=changed,
            by_us=await self._echoes.is_ours(self._noun, ident, changed),
        )
        return Change(f"poll:{self._noun}:{ident}:{version_of(changed)}", self._kind, change, changed)


def poll(client: NetSuiteClient, echoes: Echoes, zone: Zone, settings: Changes) -> CursorPoll:
    """NetSuite's instants are late and coarse, so each poll overlaps the one before."""
    return CursorPoll(
        f"{client.instance}:poll",
        {noun: ChangedRows(noun, client, echoes, zone, settings.page_size) for noun in _TABLES},
        overlap_seconds=settings.overlap_seconds,
        waits=lambda: repeat(settings.poll_seconds),
    )
