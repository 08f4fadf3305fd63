"""system_apis: a Kantata OX account's changes: its event feed, and a poll of its projects."""

import datetime as dt
from collections.abc import AsyncIterator

from kit import clock
from system_apis.connector import ChangeSource
from system_apis.connector.cursor_poll import CursorPoll, Page, Watched
from system_apis.connector.paging import pages
from system_apis.connector.unreadable import Unreadable, converted
from system_apis.vendors.kantata.client import KantataClient, stamp_of
from system_apis.vendors.kantata.mapping.changes import from_event, from_project
from system_apis.vendors.kantata.profile import KantataProfile
from system_apis.vendors.kantata.records import Project


def sources(profile: KantataProfile, client: KantataClient) -> tuple[ChangeSource, ...]:
    """The feed, and the poll that finds what it lost; the account states no newest change."""
    horizon = dt.timedelta(days=profile.changes.feed_horizon_days)
    feed, poll = profile.changes.polls

    async def projects(since: dt.datetime | None) -> AsyncIterator[Page]:
        """Every project that changed after an instant, oldest change first.

        Our own writes are not recognised: a project's last change may be ours and hide a person's, so a
        consumer has to compare. A project that changes while the pages are read moves to the end of the list.
        One that is skipped between two pages because of that is read in the overlap of the next poll.
        """
        catalogue = await client.catalogue.get()

        async def read(number: int) -> tuple[list[Project | Unreadable], int | None]:
            changed = await client.changed_projects(since, number)
            return changed.rows, number + 1 if changed.more else None

        async for rows in pages(client.instance, "changed projects", read, 1, content=_content):
            if rows:
                changes, odd = converted(
                    rows, lambda project: from_project(project, profile, catalogue), stamp_of
                )
                yield Page.of([*changes, *(each.change(profile.name, "project") for each in odd)])

    async def events(since: dt.datetime) -> AsyncIterator[Page]:
        """The actions of all users (administrators only); our own writes are recognised."""
        now = clock.now()
        if now - since > horizon:
            async for page in projects(None):
                yield page
            since = now
            yield Page((), now)
        our_user = (await client.me.get()).user.id
        async for rows, workspaces in client.events(since):
            if rows:
                changes = [
                    from_event(event, workspaces.get(str(event.subject_id)), our_user, profile)
                    for event in rows
                ]
                yield Page(changes, max(event.created_at for event in rows).astimezone(dt.UTC))

    polled = CursorPoll(f"{profile.name}:poll", {"": Watched(projects)}, poll)
    fed = CursorPoll(f"{profile.name}:feed", {"": Watched(events)}, feed)
    return (fed, polled) if profile.changes.feed else (polled,)


def _content(projects: list[Project | Unreadable]) -> tuple[object, ...]:
    return tuple(map(stamp_of, projects))
