"""system_apis: what a Kantata OX account's feed and poll share: their cursor, and reporting changes."""

import datetime as dt

import msgspec

from kit import clock
from system_apis.connector import CursorStore, Receive, ordering_key
from system_apis.vendors.kantata.client import KantataClient
from system_apis.vendors.kantata.mapping import changes
from system_apis.vendors.kantata.mapping.changes import Change
from system_apis.vendors.kantata.settings.maps import Maps


class Cursor(msgspec.Struct, frozen=True):
    """How far a reader has come, and where it began: what happened before that is none of our business."""

    at: dt.datetime
    floor: dt.datetime

    def back(self, seconds: float) -> dt.datetime:
        """Where to read from, to see again what may have come late."""
        return max(self.floor, self.at - dt.timedelta(seconds=seconds))


async def read_cursor(store: CursorStore, name: str) -> Cursor:
    """What was kept, or now."""
    saved = await store.get(name)
    if saved:
        return msgspec.json.decode(saved, type=Cursor)
    now = clock.now()
    return await store_cursor(store, name, Cursor(now, now))


async def store_cursor(store: CursorStore, name: str, cursor: Cursor) -> Cursor:
    await store.set(name, msgspec.json.encode(cursor).decode())
    return cursor


class Reporter:
    """Reads changed projects of one account and hands the changes on."""

    def __init__(self, client: KantataClient, maps: Maps) -> None:
        self.client = client
        self.maps = maps

    async def report(self, receive: Receive, found: Change) -> None:
        key = ordering_key(found.change.instance, found.change.object, found.change.id)
        await receive(found.dedupe_id, found.type, key, found.change, found.at)

    async def sweep(self, receive: Receive, updated_after: dt.datetime | None) -> dt.datetime | None:
        """Report every project that changed after an instant; the youngest change found.

        A project that changes while the pages are read moves to their end; what slips between two pages by
        that is found by the next sweep's overlap.
        """
        catalogue = await self.client.catalogue()
        youngest: dt.datetime | None = None
        page, more = 1, True
        while more:
            projects, more = await self.client.changed_projects(updated_after, page)
            for project in projects:
                found = changes.from_project(project, self.maps, catalogue)
                await self.report(receive, found)
                youngest = max(youngest or found.at, found.at)
            page += 1
        return youngest
