"""The Salesforce stand-in's queries: SOQL over REST, its pages and their locators."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.salesforce.errors import bad_request
from sandbox.salesforce.ids import to_base62
from sandbox.salesforce.records.org import Org
from sandbox.salesforce.rest.call import Call, Reply
from sandbox.salesforce.soql.run import run

PAGE = 2000
SMALLEST_PAGE = 200
MOST_CURSORS = 10
CURSOR_SECONDS = 900


@dataclass
class Cursor:
    """A result that is given in pages: a query's rows, or the children of one of them.

    `size` is the page that the client asked for, or the smaller one of children. `query` is the name of the
    query's own cursor: a user may have ten queries open, whatever their children."""

    query: str
    user_id: str
    total: int
    rows: list[dict[str, Any]]
    size: int
    used: datetime
    name: str = ""


def query(call: Call) -> Reply:
    return _answered(call, deleted=False)


def query_all(call: Call) -> Reply:
    return _answered(call, deleted=True)


def _answered(call: Call, *, deleted: bool) -> Reply:
    text = call.query.get("q", "").strip()
    if not text:
        raise bad_request("MALFORMED_QUERY", "A query string has to be specified")
    found = run(call.org, text, call.base, call.user(), deleted=deleted)
    name, user_id = _new_name(call), call.work.actor.user_id
    cursor = Cursor(name, user_id, found.total, found.rows, page_size(call), call.org.now(), name)
    return Reply(200, _page(call, cursor, 0))


def more(call: Call, locator: str) -> Reply:
    name, _, start = locator.rpartition("-")
    cursor: Cursor | None = call.org.cursors.get(name)
    idle = timedelta(seconds=_limit(call, "cursor_seconds", CURSOR_SECONDS))
    if cursor is None or not start.isdigit() or call.org.now() - cursor.used > idle:
        raise bad_request("INVALID_QUERY_LOCATOR", "invalid query locator")
    for other in call.org.cursors.values():
        if other.query == cursor.query:
            other.used = call.org.now()
    if "sforce-query-options" in call.headers and cursor.query == name:
        cursor.size = page_size(call)
    return Reply(200, _page(call, cursor, int(start)))


def _page(call: Call, cursor: Cursor, start: int) -> dict[str, Any]:
    """Rows from there on, as many as fill a page with their children, and one at least."""
    records: list[dict[str, Any]] = []
    room = cursor.size
    for row in cursor.rows[start : start + cursor.size]:
        cut, count = _with_child_pages(call, cursor, row)
        if records and count > room:
            break
        records.append(cut)
        room -= count
    end = start + len(records)
    body: dict[str, Any] = {"totalSize": cursor.total, "done": end >= len(cursor.rows)}
    if not body["done"]:
        _keep(call.org, cursor, cursor.name or _new_name(call))
        body["nextRecordsUrl"] = f"{call.base}/query/{cursor.name}-{end}"
    return body | {"records": records}


def _with_child_pages(call: Call, cursor: Cursor, row: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The row with long lists of children cut to their first pages; and how many rows it then is."""
    cut, count = dict(row), 1
    size = min(_limit(call, "child_page_size", PAGE), cursor.size)
    for field, value in row.items():
        if isinstance(value, dict) and "records" in value:
            rows = value["records"]
            child = Cursor(cursor.query, cursor.user_id, value["totalSize"], rows, size, call.org.now())
            cut[field] = _page(call, child, 0)
            count += len(cut[field]["records"])
    return cut, count


def _keep(org: Org, cursor: Cursor, name: str) -> None:
    """For the pages to come. Of a user's eleven open queries the oldest gives way, with its children."""
    cursor.name = name
    org.cursors[name] = cursor
    mine = dict.fromkeys(other.query for other in org.cursors.values() if other.user_id == cursor.user_id)
    for oldest in list(mine)[:-MOST_CURSORS]:
        for gone in [n for n, other in org.cursors.items() if other.query == oldest]:
            del org.cursors[gone]


def _new_name(call: Call) -> str:
    return f"0r8xx{to_base62(int(call.org.account.token('cursor', 16), 16), 10)}"


def _limit(call: Call, name: str, default: int) -> int:
    return int(call.org.account.extra.get("limits", {}).get(name, default))


def page_size(call: Call) -> int:
    """The size that the client hints at, within the vendor's bounds; a test may make pages smaller."""
    smaller = call.org.account.extra.get("limits", {}).get("page_size")
    if smaller:
        return int(smaller)
    for option in call.headers.get("sforce-query-options", "").split(","):
        key, _, value = option.strip().partition("=")
        if key == "batchSize" and value.isdigit():
            return min(max(int(value), SMALLEST_PAGE), PAGE)
    return PAGE
