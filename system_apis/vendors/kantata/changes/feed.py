"""system_apis: Kantata OX's event feed, polled: the vendor pushes nothing."""

import asyncio
import datetime as dt
from itertools import repeat

from kit import clock
from system_apis.connector import CursorStore, Receive
from system_apis.polling import poll_repeatedly
from system_apis.vendors.kantata.changes.report import (
    Cursor,
    Reporter,
    read_cursor,
    store_cursor,
)
from system_apis.vendors.kantata.mapping import changes
from system_apis.vendors.kantata.settings import Changes


class Feed:
    """Reads what administrators may see of everybody's doings, our own included, which it recognises.

    Events come minutes late and out of order, so each look goes back a while; what it saw before is not
    reported again. The feed keeps nine days: one that was not read for eight reports every project instead.
    """

    def __init__(self, reporter: Reporter, settings: Changes) -> None:
        self.name = f"{reporter.client.instance}:feed"
        self._reporter = reporter
        self._settings = settings
        self._seen: dict[str, dt.datetime] = {}

    async def begin(self, cursor: CursorStore) -> None:
        """A first look begins now."""
        await read_cursor(cursor, self.name)

    async def run(self, receive: Receive, cursor: CursorStore, stop: asyncio.Event) -> None:
        """Until `stop`; raises what the account refuses."""
        await poll_repeatedly(
            self.name, lambda: self._look(receive, cursor), stop, repeat(self._settings.feed_seconds)
        )

    async def _look(self, receive: Receive, store: CursorStore) -> None:
        cursor = await read_cursor(store, self.name)
        now = clock.now()
        if now - cursor.at > dt.timedelta(days=self._settings.feed_horizon_days):
            await self._reporter.sweep(receive, None)
            cursor = await store_cursor(store, self.name, Cursor(now, now))
        youngest = await self._read(receive, cursor)
        if youngest > cursor.at:
            await store_cursor(store, self.name, Cursor(youngest, cursor.floor))

    async def _read(self, receive: Receive, cursor: Cursor) -> dt.datetime:
        """Report what is new since the cursor, and a while before; the youngest instant."""
        maps, client = self._reporter.maps, self._reporter.client
        begin = cursor.back(self._settings.feed_overlap_seconds)
        our_user = (await client.me()).user.id
        youngest = cursor.at
        async for events, workspaces in client.events(begin):
            for event in events:
                youngest = max(youngest, event.created_at.astimezone(dt.UTC))
                if event.id not in self._seen:
                    found = changes.from_event(event, workspaces.get(str(event.subject_id)), our_user, maps)
                    await self._reporter.report(receive, found)
                    self._seen[event.id] = event.created_at
        self._seen = {each: at for each, at in self._seen.items() if at >= begin}
        return youngest
