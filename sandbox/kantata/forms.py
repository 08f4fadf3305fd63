"""Kantata stand-in: request bodies, as JSON or as Rails reads a form (`time_entry[workspace_id]=1`)."""

import re
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from sandbox.core import body_of, loads
from sandbox.core.wire import BadJson
from sandbox.kantata.problems import system

_PART = re.compile(r"\[([^\]]*)\]")


def read_body(request: Request) -> dict[str, Any]:
    """The body's parameters; an empty body has none. Raises: RefusalError."""
    raw = body_of(request)
    if not raw.strip():
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "application/x-www-form-urlencoded":
        return read_form(raw.decode("utf-8", "replace"))
    try:
        body = loads(raw)
    except (BadJson, UnicodeDecodeError):
        raise system(400, "There was a problem in the JSON you submitted") from None
    if not isinstance(body, dict):
        raise system(400, "The request body must be a JSON object")
    return body


def read_form(text: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        root, _, rest = name.partition("[")
        _place(tree, [root, *_PART.findall(f"[{rest}" if rest else "")], value)
    return tree


def _place(tree: dict[str, Any], path: list[str], value: str) -> None:
    """`a[b]` is a field, `a[]` the next of a list, `a[][b]` a field of its latest item or of a new one."""
    head, rest = path[0], path[1:]
    if not rest:
        tree[head] = value
        return
    if rest[0] != "":
        below = tree.setdefault(head, {})
        if isinstance(below, dict):
            _place(below, rest, value)
        return
    items = tree.setdefault(head, [])
    if len(rest) == 1:
        items.append(value)
        return
    if not items or rest[1] in items[-1]:
        items.append({})
    _place(items[-1], rest[1:], value)
