"""system_apis: the list of changed Kantata OX projects, which finds what the event feed lost."""

import datetime as dt
from collections.abc import AsyncIterator
from itertools import repeat

from kit import clock
from system_apis.connector.cursor_poll import CursorPoll, Page
from system_apis.vendors.kantata.changes.report import Reporter
from system_apis.vendors.kantata.settings import Changes


class ChangedProjects:
    """Projects by last change.

    Our own writes are not recognised: a project's last change may be ours and hide a person's, so a consumer
    has to compare.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    async def newest(self) -> dt.datetime:
        """Now: the account has no such mark, so the first poll starts at the present."""
        return clock.now()

    def pages(self, since: dt.datetime) -> AsyncIterator[Page]:
        return self._reporter.sweep(since)


def poll(reporter: Reporter, settings: Changes) -> CursorPoll:
    """Polls the projects that changed last."""
    return CursorPoll(
        f"{reporter.client.instance}:poll",
        {"": ChangedProjects(reporter)},
        overlap_seconds=settings.poll_overlap_seconds,
        waits=lambda: repeat(settings.poll_seconds),
    )
