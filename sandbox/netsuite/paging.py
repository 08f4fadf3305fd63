"""NetSuite's pages, oddities included: a capped total, a wrong `last` link, lower-cased types in links."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from sandbox.core import origin
from sandbox.netsuite.problems import bad_query

MAX_LIMIT = 1000
MAX_PAGES = 1000


def window(request: Request) -> tuple[int, int]:
    """limit and offset. Raises: Refusal."""
    limit, offset = _number(request, "limit", MAX_LIMIT), _number(request, "offset", 0)
    if not 1 <= limit <= MAX_LIMIT:
        raise bad_query("limit", f"The limit must be between 1 and {MAX_LIMIT}.")
    if offset < 0 or offset % limit:
        raise bad_query("offset", "The offset must be a multiple of the limit.")
    if offset // limit >= MAX_PAGES:
        raise bad_query("offset", f"No more than {MAX_PAGES} pages can be read.")
    return limit, offset


def _number(request: Request, name: str, usual: int) -> int:
    text = request.query_params.get(name, str(usual))
    if not text.lstrip("-").isdigit():
        raise bad_query(name, f"Invalid value '{text}' of the query parameter '{name}'.")
    return int(text)


def page(request: Request, found: Sequence[Any], items: list[Any], limit: int, offset: int) -> dict[str, Any]:
    """The envelope around `items`, the window's part of `found`."""
    total = min(len(found), limit * MAX_PAGES)
    more = offset + len(items) < total
    return {
        "links": _links(request, total, limit, offset, more=more),
        "count": len(items),
        "hasMore": more,
        "items": items,
        "offset": offset,
        "totalResults": total,
    }


def _links(request: Request, total: int, limit: int, offset: int, *, more: bool) -> list[dict[str, str]]:
    path = f"{origin(request)}{request.url.path}"
    head, _, last_part = path.rpartition("/")
    lowered = f"{head}/{last_part.lower()}"
    others = {k: v for k, v in request.query_params.items() if k not in {"limit", "offset"}}

    def at(where: int) -> str:
        return f"{lowered}?{urlencode({**others, 'limit': limit, 'offset': where})}"

    links = []
    if offset:
        links.append({"rel": "previous", "href": at(max(offset - limit, 0))})
        links.append({"rel": "first", "href": at(0)})
    if more:
        links.append({"rel": "next", "href": at(offset + limit)})
    if total > limit:
        # Recorded on every list looked at: the vendor's last page is too early.
        links.append({"rel": "last", "href": at((total - 1) // limit // limit * limit)})
    own = dict(others)
    if "limit" in request.query_params:
        own["limit"] = str(limit)
    if offset:
        own["offset"] = str(offset)
    query = f"?{urlencode(own)}" if own else ""
    links.append({"rel": "self", "href": f"{path}{query}", "method": request.method})
    return links
