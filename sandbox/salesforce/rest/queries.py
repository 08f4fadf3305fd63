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
    user_id: str
    total: int
    rows: list[dict[str, Any]]
    used: datetime


def query(call: Call) -> Reply:
    return _answered(call, deleted=False)


def query_all(call: Call) -> Reply:
    return _answered(call, deleted=True)


def _answered(call: Call, *, deleted: bool) -> Reply:
    text = call.query.get("q", "").strip()
    if not text:
        raise bad_request("MALFORMED_QUERY", "A query string has to be specified")
    found = run(call.org, text, call.base, deleted=deleted)
    size = page_size(call)
    for row in found.rows:
        _page_children(call, row)
    if len(found.rows) <= size:
        return Reply(200, {"totalSize": found.total, "done": True, "records": found.rows})
    name = _open(call, Cursor(call.work.actor.user_id, found.total, found.rows, call.org.now()))
    return _page(call, name, 0, size)


def _page_children(call: Call, row: dict[str, Any]) -> None:
    """A long list of children comes in pages, too, each under a locator of its own."""
    most = int(call.org.account.extra.get("limits", {}).get("child_page_size", PAGE))
    for field, value in row.items():
        if isinstance(value, dict) and len(value.get("records", ())) > most:
            cursor = Cursor(call.work.actor.user_id, value["totalSize"], value["records"], call.org.now())
            row[field] = _page(call, _open(call, cursor), 0, most).body


def more(call: Call, locator: str) -> Reply:
    name, _, start = locator.rpartition("-")
    cursor = call.org.cursors.get(name)
    limits = call.org.account.extra.get("limits", {})
    idle = timedelta(seconds=float(limits.get("cursor_seconds", CURSOR_SECONDS)))
    if cursor is None or not start.isdigit() or call.org.now() - cursor.used > idle:
        raise bad_request("INVALID_QUERY_LOCATOR", "invalid query locator")
    cursor.used = call.org.now()
    return _page(call, name, int(start), page_size(call))


def _page(call: Call, name: str, start: int, size: int) -> Reply:
    cursor: Cursor = call.org.cursors[name]
    end = start + size
    body: dict[str, Any] = {"totalSize": cursor.total, "done": end >= len(cursor.rows)}
    if not body["done"]:
        body["nextRecordsUrl"] = f"{call.base}/query/{name}-{end}"
    return Reply(200, body | {"records": cursor.rows[start:end]})


def _open(call: Call, cursor: Cursor) -> str:
    """Keep the rest of an answer; a user has ten such at most, and the oldest gives way."""
    org: Org = call.org
    mine = [name for name, other in org.cursors.items() if other.user_id == cursor.user_id]
    for oldest in mine[: len(mine) - MOST_CURSORS + 1]:
        del org.cursors[oldest]
    number = int(org.account.token("cursor", 16), 16)
    name = f"0r8xx{to_base62(number, 10)}"
    org.cursors[name] = cursor
    return name


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
