"""An issuer's keys: found by kid, fetched again when a kid is new, and never oftener than a bound."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError

from contracts.problems import Unavailable
from kit.telemetry import log

Fetch = Callable[[str], Awaitable[dict[str, Any]]]
Key = jwk.RSAKey | jwk.ECKey

_log = log(__name__)

# A key verifies only what its kind can sign (RFC 8725 §3.1): so no RSA key ever serves as an HMAC secret.
_ALGORITHMS = {
    ("RSA", None): frozenset({"RS256", "PS256"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
}


class Keys:
    """The public keys of one issuer, given at once or fetched from its JWKS address.

    `fetch_again` bounds how often an unknown kid may cause a fetch, `keep` for how long keys are believed;
    both in seconds. Keys that cannot be fetched anew are believed no longer than three times `keep`.
    """

    def __init__(
        self,
        *,
        document: dict[str, Any] | None = None,
        address: str = "",
        fetch: Fetch | None = None,
        fetch_again: float = 10.0,
        keep: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = address
        self._fetch = fetch
        self._fetch_again = fetch_again
        self._keep = keep
        self._clock = clock
        self._keys: dict[str, tuple[Key, frozenset[str]]] = _read(document) if document else {}
        self._known_at = clock() if document else float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> tuple[Key, frozenset[str]] | None:
        """A key and the algorithms it may verify; None for a kid that the issuer does not have."""
        if self._fetch is None:
            return self._keys.get(kid)
        if kid not in self._keys or self._clock() - self._known_at > self._keep:
            await self._refresh(kid)
        if self._clock() - self._known_at > 3 * self._keep:
            raise Unavailable("The token's issuer does not give its keys", retry_after=self._fetch_again)
        return self._keys.get(kid)

    async def _refresh(self, kid: str) -> None:
        """Fetch the keys unless that was tried a moment ago; one caller fetches, the others wait for it."""
        async with self._lock:
            now = self._clock()
            if kid in self._keys and now - self._known_at <= self._keep:
                return
            if self._fetch is None or now - self._tried_at < self._fetch_again:
                return
            self._tried_at = now
            try:
                self._keys = _read(await self._fetch(self._address))
                self._known_at = self._clock()
            except Exception as error:  # noqa: BLE001 - whatever the fetch fails of, the old keys still hold
                _log.warning("keys not fetched", address=self._address, error=type(error).__name__)


def _read(document: dict[str, Any]) -> dict[str, tuple[Key, frozenset[str]]]:
    """The signing keys of a JWKS by kid; symmetric ones, and others we cannot use, are left out."""
    found: dict[str, tuple[Key, frozenset[str]]] = {}
    for item in document["keys"]:
        kid = item.get("kid")
        usable = _ALGORITHMS.get((item.get("kty"), item.get("crv")), frozenset())
        if "alg" in item:
            usable &= {item["alg"]}
        if not kid or not usable or item.get("use", "sig") != "sig":
            continue
        try:
            key = jwk.import_key(item)
        except (JoseError, ValueError):
            continue
        if isinstance(key, jwk.RSAKey | jwk.ECKey):
            found[kid] = (key, usable)
    return found
