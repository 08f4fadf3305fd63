"""An issuer's keys: found by kid, fetched again when a kid is new, and never oftener than a bound."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from contracts.problems import Unavailable
from gateway.identity.jose import Key, public_key
from kit.telemetry import log

Fetch = Callable[[str], Awaitable[dict[str, Any]]]
"""Fetches a JSON document of bounded size; whatever it raises means that the document cannot be had."""

_log = log(__name__)

_MOST_KEYS = 100
_LONGEST_KID = 256
_MOST_ABSENT = 256


class Keys:
    """The public keys of one issuer, given at once or fetched from its JWKS address.

    All in seconds: `fetch_again` bounds how often unknown kids may cause a fetch, `absent` for how long a kid
    that the issuer did not have causes none, `max_age` how old keys may be before they are fetched anew, and
    `stale` how old keys are believed whose issuer does not answer; beyond that nobody is.
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

        Raises Unavailable when the issuer has not given its keys for too long.
        """
        if self._fetch is None:
            return self._keys.get(kid)
        if not self._fresh(kid):
            await self._refresh(kid)
        if self._clock() - self._known_at > self._stale:
            raise Unavailable("The token's issuer does not give its keys", retry_after=self._fetch_again)
        return self._keys.get(kid)

    def _fresh(self, kid: str) -> bool:
        """Whether what we know of a kid, also that there is none, needs no fetch."""
        now = self._clock()
        young = now - self._known_at <= self._max_age
        return young and (kid in self._keys or self._absent.get(kid, now) > now)

    async def _refresh(self, kid: str) -> None:
        """Fetch the keys unless that was tried a moment ago; one caller fetches, the others wait for it."""
        believed = kid in self._keys and self._clock() - self._known_at <= self._stale
        if believed and self._lock.locked():
            return  # an issuer that hangs makes one caller wait, not all
        async with self._lock:
            now = self._clock()
            if self._fresh(kid) or self._fetch is None or now - self._tried_at < self._fetch_again:
                return
            self._tried_at = now
            try:
                self._keys = _read(await self._fetch(self._address))
                self._known_at = self._clock()
            except Exception as error:  # noqa: BLE001 - whatever the fetch fails of, the old keys still hold
                _log.warning("keys not fetched", address=self._address, error=type(error).__name__)
                return
            if kid not in self._keys:
                self._note_absent(kid)

    def _note_absent(self, kid: str) -> None:
        if len(self._absent) >= _MOST_ABSENT:
            self._absent.clear()
        self._absent[kid] = self._clock() + self._absent_seconds


def _read(document: dict[str, Any]) -> dict[str, tuple[Key, frozenset[str]]]:
    """The signing keys of a JWKS by kid; those that we cannot use are left out."""
    found: dict[str, tuple[Key, frozenset[str]]] = {}
    for item in document["keys"][:_MOST_KEYS]:
        kid = item.get("kid")
        if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KID or item.get("use", "sig") != "sig":
            continue
        key = public_key(item)
        if key is not None:
            found[kid] = key
    return found
