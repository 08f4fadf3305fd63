"""Trace context (W3C): continues the caller's trace or starts a new one."""

import random
import re

_SHAPE = re.compile(rb"^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$")
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
