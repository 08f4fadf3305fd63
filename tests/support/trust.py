"""tests/support: the authorities of the web are read once per process, not once per HTTP client."""

import functools
import ssl
from typing import Any

import httpx
from httpx._transports import default


def share_trust() -> None:
    """Give every httpx client that asks for nothing special one context: reading it takes 10 ms and more."""
    _shared()
    default.create_ssl_context = _create  # pyright: ignore[reportPrivateImportUsage]


def _create(*given: Any, **named: Any) -> ssl.SSLContext:
    if given or named not in _ALIKE:
        return httpx.create_ssl_context(*given, **named)
    return _shared()


# Nothing here sets the variables that name other authorities, so the environment makes no difference.
_ALIKE = [{"verify": True, "cert": None, "trust_env": trust_env} for trust_env in (True, False)]


@functools.cache
def _shared() -> ssl.SSLContext:
    return httpx.create_ssl_context()
