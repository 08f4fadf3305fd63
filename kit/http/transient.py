"""kit/http: whether a vendor's refusal may end by itself, by its status or by its words."""

import re

_LIMITED = frozenset({408, 425, 429})  # request timeout, too early, too many requests
_SERVER_ERROR = 500
_WORDS = re.compile(
    r"\b(?:rate|request|login|usage|concurrency)s?[ _-]*(?:rate[ _-]*)?(?:limit|exceed)|limit[ _-]exceeded"
    r"|too[ _-]many|throttl|slow[ _-]?down|temporar|unavailable|server[ _-]error|overload|\bbusy\b"
    r"|maintenance|(?:try|retry)[ _-](?:again|later|your request)|timed?[ _-]?out",
    re.IGNORECASE,
)


def is_transient(status: int) -> bool:
    """Whether a status promises that the same request may succeed later (RFC 9110 §15, RFC 6585 §4)."""
    return status in _LIMITED or status >= _SERVER_ERROR


def says_transient(words: str) -> bool:
    """Whether a refusal's code or sentence speaks of a limit over time, or of a passing failure."""
    return _WORDS.search(words) is not None
