"""system_apis: NetSuite's changes by polling: it has no stream of its own, and a push may be lost."""

import asyncio
import datetime as dt
from collections import OrderedDict
from itertools import repeat

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED, RecordChanged
from system_apis.connector import CursorStore, Receive, ordering_key
from system_apis.polling import poll_repeatedly
from system_apis.vendors.netsuite.client import Echoes, NetSuiteClient
from system_apis.vendors.netsuite.mapping.queries import Place, changes_since, place_at
from system_apis.vendors.netsuite.mapping.values import instant_of
from system_apis.vendors.netsuite.records import Row, version_of
from system_apis.vendors.netsuite.settings import Changes

_WATCHED = (("customer", "customer", CUSTOMER_CHANGED), ("transaction", "contract", CONTRACT_CHANGED))
_MOST_REMEMBERED = 50_000


class Poll:
    """Asks for what changed since the last look, and again for the overlap: NetSuite saves late and coarsely.

    A change is told once per record and instant; the inbox knows those of earlier processes.
    """

    def __init__(self, instance: str, client: NetSuiteClient, echoes: Echoes, settings: Changes) -> None:
        self.name = f"{instance}:poll"
        self._instance = instance
        self._client = client
        self._echoes = echoes
        self._settings = settings
        self._reported: OrderedDict[str, None] = OrderedDict()

    async def begin(self, cursor: CursorStore) -> None:
        """A first look begins now: what was there before is for an import to bring over."""
        for _, noun, _ in _WATCHED:
            name = f"{self.name}:{noun}"
            if await cursor.get(name) is None:
                await cursor.set(name, dt.datetime.now(dt.UTC).isoformat())

    async def run(self, receive: Receive, cursor: CursorStore, stop: asyncio.Event) -> None:
        """Look every `poll_seconds` until told to stop; raises what NetSuite refuses."""
        waits = repeat(self._settings.poll_seconds)
        await poll_repeatedly(self.name, lambda: self.look(receive, cursor), stop, waits)

    async def look(self, receive: Receive, cursor: CursorStore) -> None:
        """One look at everything that is watched."""
        for table, noun, kind in _WATCHED:
            await self._look_at(table, noun, kind, receive, cursor)

    async def _look_at(self, table: str, noun: str, kind: str, receive: Receive, cursor: CursorStore) -> None:
        name = f"{self.name}:{noun}"
        known = await cursor.get(name)
        # A first look begins now: what was there before is for an import to bring over.
        newest = dt.datetime.fromisoformat(known) if known else dt.datetime.now(dt.UTC)
        place = place_at(newest - dt.timedelta(seconds=self._settings.overlap_seconds))
        while True:
            rows = await self._client.query(changes_since(table, place, self._settings.page_size))
            for row in rows:
                await self._report(noun, kind, row, receive)
            if rows:
                newest = max(newest, instant_of(rows[-1]["changed"]))
                place = Place(rows[-1]["changed"], int(rows[-1]["id"]))
            if rows or known is None:
                await cursor.set(name, newest.isoformat())
                known = newest.isoformat()
            if len(rows) < self._settings.page_size:
                return

    async def _report(self, noun: str, kind: str, row: Row, receive: Receive) -> None:
        changed, ident = instant_of(row["changed"]), row["id"]
        dedupe_id = f"poll:{noun}:{ident}:{version_of(changed)}"
        if dedupe_id in self._reported:
            return
        change = RecordChanged(
            instance=self._instance,
            object=noun,  # pyright: ignore[reportArgumentType]
            id=ident,
            version=version_of(changed),
            changed_at=changed,
            by_us=await self._echoes.is_ours(noun, ident, changed),
        )
        await receive(dedupe_id, kind, ordering_key(self._instance, noun, ident), change, changed)
        self._reported[dedupe_id] = None
        if len(self._reported) > _MOST_REMEMBERED:
            self._reported.popitem(last=False)
