"""Trace context (https://www.w3.org/TR/trace-context/): continues the caller's trace or starts a new one."""

import random
import re
from collections.abc import Mapping

_SHAPE = re.compile(rb"^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$")
# A member of tracestate (§3.3.1.3): a key, perhaps of a tenant at a system, and a value; no blank behind.
_MEMBER = re.compile(
    rb"([a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
    rb"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_MOST_MEMBERS = 32
_NO_TRACE, _NO_SPAN = b"0" * 32, b"0" * 16


def continue_or_start(header: bytes | None, *, trusted: bool, sampled: bool) -> str:
    """The traceparent of the gateway's span: in the caller's trace when that is well-formed and trusted.

    A caller from outside gets a new trace: it must neither force sampling nor write into internal traces.
    """
    parent = _parse(header) if header is not None and trusted else None
    if parent is None:
        trace, flags = f"{random.getrandbits(128) or 1:032x}", "01" if sampled else "00"
    else:
        trace, _, flags = parent
    return f"00-{trace}-{random.getrandbits(64) or 1:016x}-{flags}"


def state_of(headers: Mapping[bytes, bytes], *, trusted: bool) -> str:
    """The caller's tracestate, to be passed on beside its trace; empty where a new trace begins.

    One that breaks the rules is dropped whole (§3.3.1): it is of no use, and its trace goes on without.
    """
    if not trusted or _parse(headers.get(b"traceparent", b"")) is None:
        return ""
    members = [member.strip(b" \t") for member in headers.get(b"tracestate", b"").split(b",")]
    members = [member for member in members if member]
    keys = {member.partition(b"=")[0] for member in members}
    if len(keys) != len(members) or len(members) > _MOST_MEMBERS or not all(map(_MEMBER.fullmatch, members)):
        return ""
    return b",".join(members).decode("ascii")


def parent_of(header: bytes | None) -> str:
    """The caller's traceparent, normalised; empty without a well-formed one."""
    parent = _parse(header) if header is not None else None
    return f"00-{parent[0]}-{parent[1]}-{parent[2]}" if parent else ""


def _parse(header: bytes) -> tuple[str, str, str] | None:
    match = _SHAPE.match(header.strip())
    if match is None:
        return None
    version, trace, span, flags, rest = match.groups()
    if version == b"ff" or trace == _NO_TRACE or span == _NO_SPAN or (version == b"00" and rest):
        return None
    return trace.decode(), span.decode(), f"{int(flags, 16) & 1:02x}"
