"""One outbound call as requested, and what an answer's status and headers alone mean."""

import datetime as dt
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from contracts.problems import ContractViolation, NotFound, Problem, VendorRejected, VendorUnavailable
from kit.http.answer import VendorAnswer
from kit.http.transient import is_transient

# Money is a JSON number on these wires.
_encode = msgspec.json.Encoder(decimal_format="number").encode

_LONGEST_REST = 7 * 86_400.0  # seconds that a vendor can make us rest at one answer
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_EFFECTLESS = frozenset({"GET", "HEAD", "OPTIONS"})


class Call(msgspec.Struct, frozen=True):
    """One call, however often it is sent."""

    method: str
    url: str
    template: str
    params: Any
    content: bytes | None
    headers: dict[str, str]
    effect: bool
    repeatable: bool
    ok: tuple[int, ...] = ()
    allowances: tuple[str, ...] = ()


def make_call(
    method: str,
    path_or_url: str,
    *,
    template: str = "",
    params: Mapping[str, Any] | None = None,
    body: bytes | msgspec.Struct | Mapping[str, Any] | list[Any] | None = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    effect: bool | None = None,
    repeatable: bool | None = None,
    ok: tuple[int, ...] = (),
    allowances: tuple[str, ...] = (),
) -> Call:
    """The call of what `Outbound.send` is given."""
    content, media_type = _content(body, form)
    changes = method not in _EFFECTLESS if effect is None else effect
    return Call(
        method=method,
        url=path_or_url,
        template=template or path_or_url.partition("?")[0],
        params=params,
        content=content,
        headers={**media_type, **(headers or {})},
        effect=changes,
        repeatable=(not changes or method in _REPEATABLE) if repeatable is None else repeatable,
        ok=ok,
        allowances=allowances,
    )


def by_status(answer: VendorAnswer) -> Problem:
    """The problem of an answer's status alone; vendors' own codes are more exact."""
    where = f"{answer.instance} refused the request with status {answer.status}"
    more: dict[str, Any] = {"instance": answer.instance, "vendor_request_id": answer.request_id}
    if answer.status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        return NotFound(where, extra=more)
    if is_transient(answer.status):
        return VendorUnavailable(where, **more)
    if answer.status >= httpx.codes.BAD_REQUEST:
        return VendorRejected(where, **more)
    return ContractViolation(where, **more)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 §10.2.3)."""
    value = headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_REST)
    try:
        until = parsedate_to_datetime(value)
        seconds = (until - dt.datetime.now(until.tzinfo or dt.UTC)).total_seconds()
        return min(max(0.0, seconds), _LONGEST_REST)
    except (ValueError, OverflowError):
        return None


def _content(body: Any, form: Mapping[str, str] | None) -> tuple[bytes | None, dict[str, str]]:
    if form is not None:
        return urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if body is None:
        return None, {}
    if isinstance(body, bytes):
        return body, {}
    return _encode(body), {"Content-Type": "application/json"}
