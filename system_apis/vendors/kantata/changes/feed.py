"""system_apis: Kantata OX's event feed, polled: the vendor pushes nothing."""

import datetime as dt
from collections.abc import AsyncIterator
from itertools import repeat

from kit import clock
from system_apis.connector.cursor_poll import CursorPoll, Page
from system_apis.vendors.kantata.changes.report import Reporter
from system_apis.vendors.kantata.mapping import changes
from system_apis.vendors.kantata.settings import Changes


class FeedEvents:
    """The event feed of all users' actions (administrators only); our own writes are recognised.

    The feed retains nine days. A feed that was not read for eight days reports every project instead.
    """

    def __init__(self, reporter: Reporter, settings: Changes) -> None:
        self._reporter = reporter
        self._horizon = dt.timedelta(days=settings.feed_horizon_days)

    async def newest(self) -> dt.datetime:
        """Now: the account has no such mark, so the first poll starts at the present."""
        return clock.now()

    async def pages(self, since: dt.datetime) -> AsyncIterator[Page]:
        now = clock.now()
        if now - since > self._horizon:
            async for page in self._reporter.sweep(None):
                yield page
            since = now
            yield Page((), now)
        maps, client = self._reporter.maps, self._reporter.client
        our_user = (await client.me()).user.id
        async for events, workspaces in client.events(since):
            if events:
                yield Page(
                    [
                        changes.from_event(event, workspaces.get(str(event.subject_id)), our_user, maps)
                        for event in events
                    ],
                    max(event.created_at for event in events).astimezone(dt.UTC),
                )


def feed(reporter: Reporter, settings: Changes) -> CursorPoll:
    """Events come minutes late and out of order, so each poll overlaps the one before."""
    return CursorPoll(
        f"{reporter.client.instance}:feed",
        {"": FeedEvents(reporter, settings)},
        overlap_seconds=settings.feed_overlap_seconds,
        waits=lambda: repeat(settings.feed_seconds),
    )
