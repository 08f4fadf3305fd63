"""kit/operations: a list's cursors, which continue that list with the same filters and no other."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from contracts.problems import unusable_cursor
from kit.operations.binding import Bound

_MARK = "c"
_BINDING_LENGTH = 12  # the mark, and 8 bytes in base64 without padding
_NOT_FILTERS = frozenset({"cursor", "limit"})


def bind_cursors(
    bound: Bound, method: Callable[..., Awaitable[Any]], prefix: str
) -> Callable[..., Awaitable[Any]]:
    """The method of a list with its cursors bound to the path `prefix`, the list and its filters.

    It raises Invalid for the cursor of another list or of other filters. A cursor from before they were
    bound has no mark and goes to the method, which judges it. Any other method is returned as it is.
    """
    if "cursor" not in bound.parameters:
        return method
    place = f"{prefix} {bound.name}"
    defaults = (
        {field.name: field.default for field in msgspec.structs.fields(bound.query)} if bound.query else {}
    )

    async def read_page(*arguments: Any, **named: Any) -> Any:
        given = {**dict(zip(bound.parameters, arguments, strict=False)), **named}
        binding = _binding(place, given, defaults)
        if given.get("cursor"):
            given["cursor"] = _unbound(given["cursor"], binding)
        page = await method(**given)
        return (
            msgspec.structs.replace(page, next_cursor=binding + page.next_cursor)
            if page.next_cursor
            else page
        )

    return read_page


def _binding(place: str, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """What a cursor begins with; a filter at its default is none, so that new filters change nothing."""
    filters = {
        name: value
        for name, value in sorted(given.items())
        if name not in _NOT_FILTERS and (name not in defaults or value != defaults[name])
    }
    digest = hashlib.sha256(msgspec.json.encode([place, filters])).digest()[:8]
    return _MARK + urlsafe_b64encode(digest).decode().rstrip("=")


def _unbound(cursor: str, binding: str) -> str:
    """The cursor as the list made it."""
    if not cursor.startswith(_MARK):
        return cursor
    if cursor[:_BINDING_LENGTH] != binding:
        raise unusable_cursor("belongs to another list, or to other filters")
    return cursor[_BINDING_LENGTH:]
