"""tests/conformance/gateway: whether an answer is what its case expects, every difference as a sentence."""

import re
from collections.abc import Iterator
from typing import Any

from tests.conformance.gateway.case import Expect
from tests.conformance.gateway.speaking import Answer

_PATTERN = "~ "
_PROBLEM = "application/problem+json"


def faults(answer: Answer, expect: Expect, fill: Any) -> list[str]:
    """All differences; `fill` fills in the placeholders of a text."""
    return [
        *_status(answer, expect),
        *_headers(answer, expect, fill),
        *_body(answer, expect, fill),
        *(_problem(answer, expect) if expect.problem else ()),
    ]


def _status(answer: Answer, expect: Expect) -> Iterator[str]:
    if expect.accepted and answer.status not in expect.accepted:
        wanted = " or ".join(map(str, expect.accepted))
        yield f"the status is {answer.status}, not {wanted}: {answer.body[:300]!r}"


def _headers(answer: Answer, expect: Expect, fill: Any) -> Iterator[str]:
    for name, wanted in expect.headers.items():
        found = answer.header(name)
        if found is None:
            yield f"the header {name} is absent"
        elif not _fits(found, fill(wanted)):
            yield f"the header {name} is {found!r}, not {fill(wanted)!r}"
    for name in expect.absent:
        if (found := answer.header(name)) is not None:
            yield f"the header {name} is there: {found!r}"


def _body(answer: Answer, expect: Expect, fill: Any) -> Iterator[str]:
    if expect.body is not None and answer.body.decode("latin-1") != fill(expect.body):
        yield f"the body is {answer.body[:300]!r}"
    if expect.json is not None:
        yield from _part(answer.json(), expect.json, "", fill)
    received = answer.received.decode("latin-1")
    for text in expect.has:
        if not _found(received, fill(text)):
            yield f"{fill(text)!r} is nowhere in the answer"
    for text in expect.lacks:
        if _found(received, fill(text)):
            yield f"{fill(text)!r} is in the answer"


def _problem(answer: Answer, expect: Expect) -> Iterator[str]:
    """RFC 9457, and what the deployment promises beyond it."""
    if answer.header("content-type") != _PROBLEM:
        yield f"the content type is {answer.header('content-type')}, not {_PROBLEM}"
    found = answer.json()
    if not isinstance(found, dict):
        yield "the body is no problem document"
        return
    told = {
        "code": expect.problem,
        "status": answer.status,
        "type": f"~ ^https?://[^/]+(/[^/]+)*/apis/problems/{expect.problem}$",
        "correlation_id": answer.header("correlation-id"),
        "title": "~ .",
        "detail": "~ .",
    }
    yield from _part(found, told, "", lambda text: text)
    if expect.pointers is not None:
        pointers = {fault["pointer"] for fault in found.get("errors", ())}
        if pointers != set(expect.pointers):
            yield f"the faults stand at {sorted(pointers)}, not at {sorted(expect.pointers)}"


def _part(found: Any, wanted: Any, place: str, fill: Any) -> Iterator[str]:
    """Whether `wanted` is a part of `found`: objects may hold more, all else is the same."""
    if isinstance(wanted, dict):
        for name, value in wanted.items():
            if not isinstance(found, dict) or name not in found:
                yield f"{place}/{name} is not in the body"
            else:
                yield from _part(found[name], value, f"{place}/{name}", fill)
    elif isinstance(wanted, str) and isinstance(found, str):
        if not _fits(found, fill(wanted)):
            yield f"{place} is {found!r}, not {fill(wanted)!r}"
    elif found != wanted:
        yield f"{place} is {found!r}, not {wanted!r}"


def _fits(found: str, wanted: str) -> bool:
    return _found(found, wanted) if wanted.startswith(_PATTERN) else found == wanted


def _found(text: str, wanted: str) -> bool:
    if wanted.startswith(_PATTERN):
        return re.search(wanted.removeprefix(_PATTERN), text) is not None
    return wanted in text
