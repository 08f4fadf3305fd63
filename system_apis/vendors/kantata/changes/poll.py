"""system_apis: a cursor over changed Kantata OX projects, which finds what the event feed lost."""

import asyncio
from itertools import repeat

from system_apis.connector import CursorStore, Receive
from system_apis.polling import poll_repeatedly
from system_apis.vendors.kantata.changes.report import (
    Cursor,
    Reporter,
    read_cursor,
    store_cursor,
)
from system_apis.vendors.kantata.settings import Changes


class Poll:
    """Looks now and then at what changed last, with an overlap.

    It cannot tell our own writes: a project's last change may be ours and hide a person's, so a reader has to
    compare. What it found in the overlap before has the same dedupe id.
    """

    def __init__(self, reporter: Reporter, settings: Changes) -> None:
        self.name = f"{reporter.client.instance}:poll"
        self._reporter = reporter
        self._settings = settings

    async def begin(self, cursor: CursorStore) -> None:
        """A first look begins now."""
        await read_cursor(cursor, self.name)

    async def run(self, receive: Receive, cursor: CursorStore, stop: asyncio.Event) -> None:
        """Until `stop`; raises what the account refuses."""
        await poll_repeatedly(
            self.name, lambda: self._look(receive, cursor), stop, repeat(self._settings.poll_seconds)
        )

    async def _look(self, receive: Receive, store: CursorStore) -> None:
        cursor = await read_cursor(store, self.name)
        youngest = await self._reporter.sweep(receive, cursor.back(self._settings.poll_overlap_seconds))
        if youngest and youngest > cursor.at:
            await store_cursor(store, self.name, Cursor(youngest, cursor.floor))
