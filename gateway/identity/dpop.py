"""DPoP: proof that the sender of a token holds the key that it is bound to (RFC 9449)."""

import asyncio
import hashlib
import secrets
import time
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta

from contracts.problems import InvalidProof, InvalidToken, NonceNeeded, Unavailable
from gateway.exchange import Exchange
from gateway.identity import jose
from gateway.identity.jose import Key, Parts
from kit.cache import Cache

_TYPE = "dpop+jwt"
_LONGEST_ID = 256
_PORTS = {"http": 80, "https": 443}
_MANY = 100_000  # used proofs stored in a process without a cache


class DPoPSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How fresh a proof must be, in seconds, and whether it must carry a nonce of the gateway.

    A nonce is issued for `nonce_seconds` and accepted for twice as long. Used proofs are stored in the cache,
    or in memory where a single process without a cache is the whole gateway; while the cache is unavailable
    no proof is accepted.
    """

    proof_seconds: Annotated[float, Meta(gt=0, le=600)] = 60.0
    ahead_seconds: Annotated[float, Meta(ge=0, le=60)] = 5.0
    nonces: bool = False
    nonce_seconds: Annotated[float, Meta(ge=1, le=3600)] = 60.0


class Proofs:
    """Checks the DPoP header of a request against the token's binding."""

    def __init__(self, settings: DPoPSettings, base_url: str, memory: "Memory") -> None:
        self._settings = settings
        self._base = base_url
        self._memory = memory

    async def check(self, exchange: Exchange, token: str, thumbprint: str) -> None:
        """Raise InvalidProof, NonceNeeded or InvalidToken unless the proof is valid, fresh and unused.

        `thumbprint` is the token's ``jkt``. Raises Unavailable when the used proofs are unavailable.
        """
        parts, key = _read(exchange)
        self._check_request(parts.payload, exchange)
        _check_token(parts.payload, token)
        if key.thumbprint() != thumbprint:
            raise InvalidToken("The token is bound to another key than the proof's")
        self._check_time(parts.payload)
        if self._settings.nonces:
            await self._check_nonce(parts.payload, exchange)
        await self._spend(parts.payload, thumbprint)

    async def thumbprint(self, exchange: Exchange) -> str:
        """The thumbprint of the key that a new token is bound to (RFC 9449 §5); raises as `check` does."""
        parts, key = _read(exchange)
        self._check_request(parts.payload, exchange)
        self._check_time(parts.payload)
        if self._settings.nonces:
            await self._check_nonce(parts.payload, exchange)
        await self._spend(parts.payload, key.thumbprint())
        return key.thumbprint()

    def _check_request(self, claims: dict[str, Any], exchange: Exchange) -> None:
        if claims.get("htm") != exchange.method:
            raise InvalidProof("The proof is for another method")
        address = claims.get("htu")
        if not isinstance(address, str) or _place(address) != _place(self._base, exchange.path):
            raise InvalidProof("The proof is for another address")

    def _check_time(self, claims: dict[str, Any]) -> None:
        issued_at = claims.get("iat")
        if not jose.is_instant(issued_at) or issued_at is None:
            raise InvalidProof("The proof does not say when it was made")
        age = time.time() - issued_at
        if not -self._settings.ahead_seconds <= age <= self._settings.proof_seconds:
            raise InvalidProof("The proof is too old or from the future")

    async def _check_nonce(self, claims: dict[str, Any], exchange: Exchange) -> None:
        slot = int(time.time() // self._settings.nonce_seconds)
        fresh, last = await asyncio.gather(self._nonce(slot), self._nonce(slot - 1))
        sent = claims.get("nonce")
        if sent not in (fresh, last):
            raise NonceNeeded("The proof needs the nonce of DPoP-Nonce", headers={"DPoP-Nonce": fresh})
        if sent == last:
            exchange.notes.append((b"dpop-nonce", fresh.encode()))

    async def _nonce(self, slot: int) -> str:
        return await self._memory.agree(f"nonce:{slot}", 3 * self._settings.nonce_seconds)

    async def _spend(self, claims: dict[str, Any], thumbprint: str) -> None:
        proof_id = claims.get("jti")
        if not isinstance(proof_id, str) or not 0 < len(proof_id) <= _LONGEST_ID:
            raise InvalidProof("The proof has no id")
        name = hashlib.sha256(f"{thumbprint} {proof_id}".encode()).hexdigest()
        if not await self._memory.spend(name, self._settings.proof_seconds + self._settings.ahead_seconds):
            raise InvalidProof("The proof was used before")


class Memory:
    """The state that all processes of the gateway share: used proofs and issued nonces."""

    def __init__(self, cache: Cache | None, *, alone: bool) -> None:
        self._cache = cache
        self._alone = alone
        self._here: dict[str, tuple[float, str]] = {}

    async def spend(self, name: str, seconds: float) -> bool:
        """Whether a name is used for the first time within so many seconds; raises Unavailable."""
        value = secrets.token_urlsafe(24)
        return await self._first(f"dpop:{name}", value, seconds) == value

    async def agree(self, name: str, seconds: float) -> str:
        """A random text that is the same for every process for so many seconds; raises Unavailable."""
        known = self._here.get(name)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        agreed = await self._first(f"dpop:{name}", secrets.token_urlsafe(24), seconds)
        self._store(name, agreed, seconds / 2)
        return agreed

    async def _first(self, name: str, value: str, seconds: float) -> str:
        """The first value written under a name: `value` itself when there was none."""
        cache = self._cache
        if cache is not None:
            milliseconds = int(seconds * 1000) + 1
            stored: Any = await cache.ask(
                "dpop",
                lambda redis: redis.set(name, value, nx=True, get=True, px=milliseconds),
                otherwise=False,
            )
            if stored is False:
                raise Unavailable("No proof can be checked while the cache is unavailable", retry_after=1)
            return value if stored is None else stored.decode()
        if not self._alone:
            raise Unavailable("No proof can be checked without a cache that all processes share")
        return self._first_here(name, value, seconds)

    def _first_here(self, name: str, value: str, seconds: float) -> str:
        until, stored = self._here.get(name, (0.0, ""))
        if until > time.monotonic():
            return stored
        self._store(name, value, seconds)
        return value

    def _store(self, name: str, value: str, seconds: float) -> None:
        now = time.monotonic()
        if len(self._here) >= _MANY:
            self._here = {each: item for each, item in self._here.items() if item[0] > now}
        if len(self._here) >= _MANY:  # an evicted proof could be used again
            raise Unavailable("Too many proofs are in use", retry_after=1)
        self._here[name] = (now + seconds, value)


def _read(exchange: Exchange) -> tuple[Parts, Key]:
    """The only proof of a request, with a valid signature of the key that it names (RFC 9449 §4.3)."""
    sent = [value for name, value in exchange.scope["headers"] if name == b"dpop"]
    if len(sent) != 1:
        raise InvalidProof("Send one DPoP header with the token")
    try:
        parts = jose.take_apart(sent[0].decode("latin-1"))
    except jose.UnreadableError:
        raise InvalidProof("The proof is no signed JWT") from None
    if parts.kind != _TYPE:
        raise InvalidProof("The proof is of another kind")
    named = parts.header.get("jwk")
    known = jose.public_key(named) if isinstance(named, dict) else None
    if known is None:
        raise InvalidProof("The proof does not name a public key that is accepted here")
    key, usable = known
    algorithm = parts.header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in usable or not jose.holds(parts, key, algorithm):
        raise InvalidProof("The proof's signature is not valid")
    return parts, key


def _check_token(claims: dict[str, Any], token: str) -> None:
    if claims.get("ath") != jose.encode_part(hashlib.sha256(token.encode()).digest()):
        raise InvalidProof("The proof is for another token")


def _place(address: str, path: str | None = None) -> tuple[str, str, int | None, str] | None:
    """Normalised scheme, host, port and path of an address, without its query; None for no address."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or "@" in parts.netloc:
        return None
    whole = parts.path.rstrip("/") + path if path is not None else unquote(parts.path)
    return parts.scheme, parts.hostname, port, whole or "/"
