"""Problems on the wire and in durable rows: one rendering (RFC 9457), and the way back."""

from typing import Any

import msgspec

from contracts.problems import (
    Fault,
    Problem,
    ProblemDocument,
    TooManyRequests,
    Unavailable,
    Unexpected,
    catalogue,
)
from kit import context

MEDIA_TYPE = "application/problem+json"
TYPE_BASE = "/apis/problems/"
COME_AGAIN_SECONDS = 5  # where nobody knows better
_COME_AGAIN = frozenset({TooManyRequests.status, Unavailable.status})

_encode = msgspec.json.Encoder().encode


def document(problem: Problem, *, instance: str = "", correlation_id: str = "") -> dict[str, Any]:
    """The problem document as plain data, extensions included."""
    rendered = ProblemDocument(
        type=TYPE_BASE + problem.code,
        title=problem.title,
        status=problem.status,
        code=problem.code,
        detail=problem.detail,
        instance=instance,
        correlation_id=correlation_id or context.current().correlation_id,
        retryable=problem.retryable,
        actor=problem.actor,
        errors=problem.errors,
    )
    # A vendor's instance is an extension of its own: "instance" is RFC 9457's word for the occurrence.
    extra = {
        "vendor_instance" if name == "instance" else name: value for name, value in problem.extra.items()
    }
    if problem.retry_after is not None:
        extra["retry_after"] = problem.retry_after
    return {**extra, **msgspec.to_builtins(rendered)}


def encode(problem: Problem, *, instance: str = "", correlation_id: str = "") -> bytes:
    """The problem document as JSON."""
    return _encode(document(problem, instance=instance, correlation_id=correlation_id))


def headers(problem: Problem) -> dict[str, str]:
    """The headers that go with a problem."""
    found = dict(problem.headers)
    wait = problem.retry_after
    if wait is None and problem.status in _COME_AGAIN:
        wait = COME_AGAIN_SECONDS
    if wait is not None:
        found.setdefault("Retry-After", str(max(1, round(wait))))
    return found


def from_document(found: dict[str, Any]) -> Problem:
    """The problem that a document describes; one with an unknown code becomes Unexpected."""
    kind = catalogue().get(str(found.get("code")), Unexpected)
    known = {*ProblemDocument.__struct_fields__, "retry_after", "vendor_instance"}
    more: dict[str, Any] = {
        "errors": msgspec.convert(found.get("errors", ()), tuple[Fault, ...]),
        "retry_after": found.get("retry_after"),
        "extra": {name: value for name, value in found.items() if name not in known},
        "instance": found.get("vendor_instance", ""),
        "vendor_request_id": found.get("vendor_request_id", ""),
    }
    return kind(str(found.get("detail", "")), **more)
