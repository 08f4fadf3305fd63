"""system_apis: Kantata OX projects by last change, page after page, none skipped while they change."""

import datetime as dt

from kit.database import decode_page, encode_page
from system_apis.connector.paging import PageGuard
from system_apis.vendors.kantata.client import KantataClient
from system_apis.vendors.kantata.mapping.values import utc
from system_apis.vendors.kantata.records import Project

Place = tuple[dt.datetime, int, str]  # instant, then the id as a number

_SECOND = dt.timedelta(seconds=1)
_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


async def list_changed(
    client: KantataClient, updated_since: dt.datetime | None, cursor: str | None, limit: int
) -> tuple[list[Project], str | None]:
    """Some projects after a cursor's place, and the cursor of the next ones.

    The vendor pages by number, over a list in which every change moves a project to the end; so the place is
    an instant and an id, and each page is requested from that instant on.
    """
    place = _place(cursor)
    since = place[0] if place else updated_since
    projects, more = await _after(client, since, place, limit)
    shown = projects[:limit]
    if not shown or not (more or len(projects) > limit):
        return shown, None
    last = shown[-1].workspace
    return shown, encode_page(last.updated_at, last.id)


async def _after(
    client: KantataClient, since: dt.datetime | None, place: Place | None, limit: int
) -> tuple[list[Project], bool]:
    """Changed projects in order of instant and id, and whether there are more.

    The vendor orders by instant only, in whole seconds: one that a page cuts in two is read to its end.
    """
    rows: dict[str, Project] = {}
    page, guard = 1, PageGuard(client.instance, "changed projects")
    while True:
        changed = await client.changed_projects(_before(since), page)
        rows.update((row.workspace.id, row) for row in changed.projects)
        cut = changed.projects[-1].workspace.updated_at if changed.more else None
        ready = sorted((row for row in rows.values() if row.workspace.updated_at != cut), key=_order)
        beyond = [row for row in ready if _is_beyond(row, since, place)]
        if len(beyond) > limit or not changed.more:
            return beyond, changed.more
        guard.turn(tuple((row.workspace.id, row.workspace.updated_at) for row in changed.projects))
        page += 1


def _before(since: dt.datetime | None) -> dt.datetime | None:
    """A second earlier: the vendor does not document whether "after" includes the instant itself."""
    return since - _SECOND if since and since > _BEGINNING else None


def _is_beyond(row: Project, since: dt.datetime | None, place: Place | None) -> bool:
    if place:
        return _order(row) > place
    return since is None or row.workspace.updated_at >= since


def _order(row: Project) -> Place:
    return (utc(row.workspace.updated_at), len(row.workspace.id), row.workspace.id)


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    at, project_id = decode_page(cursor, tuple[dt.datetime, str])
    return (at, len(project_id), project_id)
