"""An issuer's keys: looked up by kid, refetched when a kid is unknown, at a bounded rate."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from contracts.problems import Unavailable
from gateway.identity.jose import Key, public_key
from kit.telemetry import log

Fetch = Callable[[str], Awaitable[dict[str, Any]]]
"""Fetches a JSON document of bounded size; any exception means that the document is unavailable."""

_log = log(__name__)

_MOST_KEYS = 100
_LONGEST_KID = 256
_MOST_ABSENT = 256


class IssuerKeys:
    """The public keys of one issuer, from a document or fetched from its JWKS address.

    All in seconds: `fetch_again` is the least interval of fetches, `absent` for how long a kid that the
    issuer did not have causes none, `max_age` the age at which keys are refetched, and `stale` the age up to
    which they are used when their issuer does not answer.
    """

    def __init__(
        self,
        *,
        document: dict[str, Any] | None = None,
        address: str = "",
        fetch: Fetch | None = None,
        fetch_again: float = 10.0,
        absent: float = 60.0,
        max_age: float = 300.0,
        stale: float = 900.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._fetch = fetch
        self._fetch_again = fetch_again
        self._absent_seconds = absent
        self._max_age = max_age
        self._stale = stale
        self._clock = clock
        self._keys: dict[str, tuple[Key, frozenset[str]]] = _read(document) if document else {}
        self._absent: dict[str, float] = {}
        self._known_at = clock() if document else float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> tuple[Key, frozenset[str]] | None:
        """A key and the algorithms it may verify; None for a kid that the issuer does not have.

        Raises Unavailable when the keys are stale.
        """
        if self._fetch is None:
            return self._keys.get(kid)
        if not self._fresh(kid):
            await self._refresh(kid)
        if self._clock() - self._known_at > self._stale:
            raise Unavailable("The keys of the token's issuer are unavailable", retry_after=self._fetch_again)
        return self._keys.get(kid)

    def _fresh(self, kid: str) -> bool:
        """Whether the state of a kid, present or absent, is recent enough to need no fetch."""
        now = self._clock()
        young = now - self._known_at <= self._max_age
        return young and (kid in self._keys or self._absent.get(kid, now) > now)

    async def _refresh(self, kid: str) -> None:
        """Fetch the keys unless a fetch was tried just now; concurrent callers wait for one fetch."""
        usable = kid in self._keys and self._clock() - self._known_at <= self._stale
        if usable and self._lock.locked():
            return  # an issuer that hangs makes one caller wait, not all
        async with self._lock:
            now = self._clock()
            if self._fresh(kid) or self._fetch is None or now - self._tried_at < self._fetch_again:
                return
            self._tried_at = now
            try:
                self._keys = _read(await self._fetch(self._address))
                self._known_at = self._clock()
            except Exception as error:  # noqa: BLE001 - the old keys stay usable, whatever failed
                _log.warning("keys not fetched", address=self._address, error=type(error).__name__)
                return
            if kid not in self._keys:
                self._note_absent(kid)

    def _note_absent(self, kid: str) -> None:
        if len(self._absent) >= _MOST_ABSENT:
            self._absent.clear()
        self._absent[kid] = self._clock() + self._absent_seconds


def _read(document: dict[str, Any]) -> dict[str, tuple[Key, frozenset[str]]]:
    """The signing keys of a JWKS by kid, without unsupported ones."""
    keys: dict[str, tuple[Key, frozenset[str]]] = {}
    for item in document["keys"][:_MOST_KEYS]:
        kid = item.get("kid")
        if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KID or item.get("use", "sig") != "sig":
            continue
        key = public_key(item)
        if key is not None:
            keys[kid] = key
    return keys
