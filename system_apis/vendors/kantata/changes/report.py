"""system_apis: changed projects of a Kantata OX account, page by page, for its feed and its poll."""

import datetime as dt
from collections.abc import AsyncIterator

from system_apis.connector.cursor_poll import Page
from system_apis.connector.paging import PageGuard
from system_apis.vendors.kantata.client import KantataClient
from system_apis.vendors.kantata.mapping import changes
from system_apis.vendors.kantata.settings.maps import Maps


class Reporter:
    """Reads changed projects of one account."""

    def __init__(self, client: KantataClient, maps: Maps) -> None:
        self.client = client
        self.maps = maps

    async def sweep(self, updated_after: dt.datetime | None) -> AsyncIterator[Page]:
        """Every project that changed after an instant, oldest change first.

        A project that changes while the pages are read moves to the end of the list. One that is skipped
        between two pages because of that is read in the overlap of the next sweep.
        """
        catalogue = await self.client.catalogue()
        guard = PageGuard(self.client.instance, "changed projects")
        number, more = 1, True
        while more:
            projects, more = await self.client.changed_projects(updated_after, number)
            page = [changes.from_project(project, self.maps, catalogue) for project in projects]
            if page:
                yield Page(page, max(one.at for one in page))
                guard.turn(tuple(one.dedupe_id for one in page))
            number += 1
