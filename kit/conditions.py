"""kit: entity tags and the conditions on them (RFC 9110 §8.8.3, §13.1)."""

import re

from contracts.problems import PreconditionFailed

_TAGS = re.compile(r'(W/)?("[!#-~\x80-\xff]*")')
# Recipients ignore empty elements of a list (RFC 9110 §5.6.1.2).
FIELD = r'^(\*|(,[ \t]*)*(W/)?"[!#-~\u0080-\u00ff]*"([ \t]*,([ \t]*(W/)?"[!#-~\u0080-\u00ff]*")?)*)$'
"""The value of If-Match and If-None-Match as a pattern: `*`, or a list of entity tags, also weak ones."""


def etag_of(version: str | int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def names(field: str, etag: str, *, weak: bool) -> bool:
    """Whether a condition names an entity tag; weak comparison ignores whether a tag is weak (§8.8.3.2)."""
    if field.strip() == "*":
        return True
    opaque = etag.removeprefix("W/")
    if not opaque or (not weak and opaque != etag):
        return False
    return any(tag == opaque and (weak or not mark) for mark, tag in _TAGS.findall(field))


def require_match(if_match: str | None, version: str | int) -> None:
    """Raise PreconditionFailed, with the version to send, unless If-Match names it (§13.1.1).

    The comparison is strong: a tag that a proxy weakened (`W/"1"`) names nothing. Without If-Match any
    version will do.
    """
    etag = etag_of(version)
    if if_match is not None and not names(if_match, etag, weak=False):
        raise changed(etag, weakened=names(if_match, etag, weak=True))


def changed(etag: str, *, weakened: bool) -> PreconditionFailed:
    """The refusal of an If-Match, with what to send instead; `weakened`: it names the version weakly."""
    if not etag:
        return PreconditionFailed("This answer has no ETag; only If-Match: * names it")
    if weakened:
        detail = f"If-Match takes strong ETags only (RFC 9110 §13.1.1): send If-Match: {etag}"
    else:
        detail = f"The ETag is {etag} now: read it again, then send If-Match: {etag}"
    return PreconditionFailed(detail, headers={"ETag": etag})
