"""An issuer's keys: looked up by kid and algorithm, refetched when a kid is unknown, at a bounded rate."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from contracts.problems import Unavailable
from gateway.identity import jose
from gateway.identity.jose import Key, Parts, UsableKey
from kit.telemetry import log

Fetch = Callable[[str], Awaitable[dict[str, Any]]]
"""Fetches a JSON document of bounded size; any exception means that the document is unavailable."""

_log = log(__name__)

_MOST_KEYS = 100
_LONGEST_KID = 256
_MOST_ABSENT = 256
_MOST_TRIED = 16


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
        self._keys: dict[str, list[UsableKey]] = {}
        self._left_out: list[tuple[str, str]] = []
        if document:
            self._take(document)
        self._absent: dict[str, float] = {}
        self._known_at = clock() if document else float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def signed(self, parts: Parts) -> bool:
        """Whether one of the issuer's keys signed a JWT, by an algorithm of that key; raises Unavailable."""
        kid, algorithm = parts.header.get("kid", ""), parts.header.get("alg")
        if not isinstance(kid, str) or not isinstance(algorithm, str):
            return False
        if _holds(parts, keys := await self.find(kid, algorithm), algorithm):
            return True
        if not keys or (kid and kid in self._keys):
            return False
        # No kid shows that keys without one have been replaced.
        await self._refresh(kid, again=True)
        return _holds(parts, await self.find(kid, algorithm), algorithm)

    async def find(self, kid: str, algorithm: str) -> list[Key]:
        """The keys that may have signed by an algorithm; raises Unavailable when the keys are stale.

        A `kid` may name several (RFC 7517 §4.5): those of other types or algorithms are not among them. Where
        the token or the keys have none, any key of the algorithm is (RFC 7515 §4.1.4: the kid is a hint).
        """
        if self._fetch is not None:
            if not self._fresh(kid):
                await self._refresh(kid)
            if self._clock() - self._known_at > self._stale:
                detail = "The keys of the token's issuer are unavailable"
                raise Unavailable(detail, retry_after=self._fetch_again)
        fitting = [key for key, algorithms in self._named(kid) if algorithm in algorithms]
        return fitting[:_MOST_TRIED]

    def _named(self, kid: str) -> list[UsableKey]:
        if not kid:
            return [key for keys in self._keys.values() for key in keys]
        return self._keys.get(kid) or self._keys.get("", [])

    def _fresh(self, kid: str) -> bool:
        """Whether the state of a kid, present or absent, is recent enough to need no fetch."""
        now = self._clock()
        young = now - self._known_at <= self._max_age
        return young and (bool(self._named(kid)) or self._absent.get(kid, now) > now)

    def _take(self, document: dict[str, Any]) -> None:
        """Use the keys of a document; logs which are left out, when these are others than before.

        Raises ValueError for one of which nothing can be used: the old keys are better than that.
        """
        keys, left_out = _read(document)
        if left_out != self._left_out:
            for kid, reason in left_out:
                _log.warning("key left out", address=self._address, kid=kid, reason=reason)
        self._left_out = left_out
        if left_out and not keys and self._keys:
            raise ValueError("no key of the set can be used")
        self._keys = keys

    async def _refresh(self, kid: str, *, again: bool = False) -> None:
        """Fetch the keys unless a fetch was tried just now; concurrent callers wait for one fetch.

        `again` fetches them also when they are recent.
        """
        usable = bool(self._named(kid)) and self._clock() - self._known_at <= self._stale
        if usable and self._lock.locked():
            return  # an issuer that hangs makes one caller wait, not all
        async with self._lock:
            now = self._clock()
            if (
                (self._fresh(kid) and not again)
                or self._fetch is None
                or now - self._tried_at < self._fetch_again
            ):
                return
            self._tried_at = now
            try:
                self._take(await self._fetch(self._address))
                self._known_at = self._clock()
            except Exception as error:  # noqa: BLE001 - the old keys stay usable, whatever failed
                _log.warning("keys not fetched", address=self._address, error=type(error).__name__)
                return
            if not self._named(kid):
                self._note_absent(kid)

    def _note_absent(self, kid: str) -> None:
        if len(self._absent) >= _MOST_ABSENT:
            self._absent.clear()
        self._absent[kid] = self._clock() + self._absent_seconds


def _holds(parts: Parts, keys: list[Key], algorithm: str) -> bool:
    return any(jose.holds(parts, key, algorithm) for key in keys)


def _read(document: dict[str, Any]) -> tuple[dict[str, list[UsableKey]], list[tuple[str, str]]]:
    """The signing keys of a JWKS by kid, and the kid of each that is left out, with the reason.

    Keys for another use than signatures are no part of it. A bad key leaves the others usable (RFC 7517 §5).
    """
    keys: dict[str, list[UsableKey]] = {}
    left_out: list[tuple[str, str]] = []
    items = document["keys"]
    for item in items[:_MOST_KEYS]:
        if not isinstance(item, dict):
            left_out.append(("", "it is no JSON object"))
        elif item.get("use", "sig") == "sig":
            kid = item.get("kid", "")
            try:
                keys.setdefault(_checked(kid), []).append(jose.read_key(item))
            except jose.UnusableKeyError as error:
                left_out.append((str(kid)[:_LONGEST_KID], str(error)))
    if len(items) > _MOST_KEYS:
        left_out.append(("", f"only the first {_MOST_KEYS} of {len(items)} keys are read"))
    return {kid: usable for kid, usable in keys.items() if usable}, left_out


def _checked(kid: Any) -> str:
    if isinstance(kid, str) and len(kid) <= _LONGEST_KID:
        return kid
    raise jose.UnusableKeyError(f"its kid is no text of at most {_LONGEST_KID} characters")
