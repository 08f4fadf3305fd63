"""Opaque tokens: introspected by their issuer (RFC 7662), once at a time, the answers cached."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import quote_plus

from contracts.problems import InvalidToken, Problem, Unavailable
from gateway.identity import jose
from gateway.identity.tokens import Issuer, Rules, Verified
from kit.secrets import Secret
from kit.telemetry import log

Post = Callable[[str, dict[str, str], dict[str, str]], Awaitable[tuple[int, bytes]]]
"""Posts a form with headers to an address; returns status and bounded body, or raises Unavailable."""

_OK = 200
_MANY = 10_000  # cached answers
_AT_ONCE = 20  # concurrent requests to one issuer
_REFUSAL = "The token is not active"
_log = log(__name__)


class Introspector:
    """Asks the issuers of opaque tokens; their answers are cached for as long as their settings say."""

    def __init__(
        self, issuers: Iterable[Issuer], rules: Rules, post: Post, secret: Callable[[str], Secret]
    ) -> None:
        self._endpoints = [
            _Endpoint(issuer, rules, post, secret) for issuer in issuers if issuer.introspection
        ]

    async def verify(self, token: str) -> Verified | None:
        """The claims that the token's issuer answers; None when no issuer's prefix matches.

        Raises InvalidToken, and Unavailable when the issuer does not answer: it fails closed.
        """
        for endpoint in self._endpoints:
            if token.startswith(endpoint.prefix):
                return await endpoint.verify(token)
        return None


class _Endpoint:
    """The introspection endpoint of one issuer, with its cached answers."""

    def __init__(self, issuer: Issuer, rules: Rules, post: Post, secret: Callable[[str], Secret]) -> None:
        settings = issuer.introspection
        if settings is None:
            raise ValueError(f"{issuer.issuer} has no introspection settings")
        self.prefix = settings.prefix
        self._issuer, self._settings, self._rules, self._post = issuer, settings, rules, post
        self._credential = _basic(settings.client_id, secret(settings.client_secret))
        self._known: dict[bytes, tuple[float, Verified | None]] = {}
        self._flights: dict[bytes, asyncio.Future[Verified | None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def verify(self, token: str) -> Verified:
        # By hash: a dump of this process must not reveal tokens.
        key = hashlib.sha256(token.encode()).digest()
        until, verified = self._known.get(key, (0.0, None))
        if until <= time.time():
            verified = await self._ask_once(key, token)
        if verified is None:
            raise InvalidToken(_REFUSAL)
        return verified

    async def _ask_once(self, key: bytes, token: str) -> Verified | None:
        """The issuer's answer; concurrent callers with the same token share one request."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.ensure_future(self._ask(key, token))
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return await asyncio.shield(flight)

    async def _ask(self, key: bytes, token: str) -> Verified | None:
        form = {"token": token, "token_type_hint": "access_token"}
        async with self._places:
            status, body = await self._post(self._settings.endpoint, form, dict(self._credential))
        verified = self._read(status, body)
        until = time.time() + self._settings.negative_seconds if verified is None else verified.until
        self._remember(key, until, verified)
        return verified

    def _read(self, status: int, body: bytes) -> Verified | None:
        """The verified claims, None for a token that is not active; raises Unavailable for a bad answer."""
        try:
            claims = jose.read_object(body) if status == _OK else {}
        except jose.UnreadableError:
            claims = {}
        active = claims.get("active")
        if not isinstance(active, bool):
            _log.warning("introspection answer unusable", issuer=self._issuer.issuer, status=status)
            raise Unavailable("The token's issuer does not answer", retry_after=1)
        if not active:
            return None
        try:
            return self._check(claims)
        except Problem as problem:
            _log.warning("introspection answer refused", issuer=self._issuer.issuer, reason=problem.detail)
            return None

    def _check(self, claims: dict[str, Any]) -> Verified:
        """Check the answer by the rules of every token; without a `sub` the client is the subject."""
        if claims.get("iss", self._issuer.issuer) != self._issuer.issuer:
            raise InvalidToken("The answer names another issuer")
        claims = {"sub": claims.get(self._issuer.consumer_claim), **claims}
        self._rules.check(claims, self._issuer)
        until = min(time.time() + self._settings.cache_seconds, claims["exp"])
        return Verified(claims=claims, issuer=self._issuer, until=until)

    def _remember(self, key: bytes, until: float, verified: Verified | None) -> None:
        if len(self._known) >= _MANY:
            now = time.time()
            fresh = {each: value for each, value in self._known.items() if value[0] > now}
            # Emptied when eviction frees too little: else each answer would cause another scan.
            self._known = fresh if len(fresh) < _MANY // 2 else {}
        self._known[key] = (until, verified)


def _basic(client_id: str, secret: Secret) -> dict[str, str]:
    """Client authentication by HTTP Basic, each half encoded as a form's (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret.reveal())}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
