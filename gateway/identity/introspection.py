"""Opaque tokens: their issuer is asked about them (RFC 7662), once at a time and not oftener than needed."""

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
"""Posts a form with headers to an address; gives status and a body of bounded size, or raises Unavailable."""

_OK = 200
_MANY = 10_000  # answers remembered at once
_AT_ONCE = 20  # questions on their way to one issuer
_REFUSAL = "The token is not active"
_log = log(__name__)


class Introspector:
    """Asks the issuers of opaque tokens; what they said is believed for as long as their settings say."""

    def __init__(
        self, issuers: Iterable[Issuer], rules: Rules, post: Post, secret: Callable[[str], Secret]
    ) -> None:
        self._desks = [_Desk(issuer, rules, post, secret) for issuer in issuers if issuer.introspection]

    async def verify(self, token: str) -> Verified | None:
        """What the token's issuer says of it; None when no issuer's tokens begin like this one.

        Raises InvalidToken, and Unavailable when the issuer does not answer: nobody is believed unasked.
        """
        for desk in self._desks:
            if token.startswith(desk.prefix):
                return await desk.verify(token)
        return None


class _Desk:
    """Where one issuer is asked."""

    def __init__(self, issuer: Issuer, rules: Rules, post: Post, secret: Callable[[str], Secret]) -> None:
        asked = issuer.introspection
        if asked is None:
            raise ValueError(f"{issuer.issuer} is not asked about tokens")
        self.prefix = asked.prefix
        self._issuer, self._asked, self._rules, self._post = issuer, asked, rules, post
        self._credential = _basic(asked.client_id, secret(asked.client_secret))
        self._known: dict[bytes, tuple[float, Verified | None]] = {}
        self._flights: dict[bytes, asyncio.Future[Verified | None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def verify(self, token: str) -> Verified:
        # By hash: a memory that is dumped shall not be a bunch of tokens.
        key = hashlib.sha256(token.encode()).digest()
        until, found = self._known.get(key, (0.0, None))
        if until <= time.time():
            found = await self._ask_once(key, token)
        if found is None:
            raise InvalidToken(_REFUSAL)
        return found

    async def _ask_once(self, key: bytes, token: str) -> Verified | None:
        """The issuer's answer; whoever asks about the same token meanwhile waits for the same answer."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.ensure_future(self._ask(key, token))
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        return await asyncio.shield(flight)

    async def _ask(self, key: bytes, token: str) -> Verified | None:
        form = {"token": token, "token_type_hint": "access_token"}
        async with self._places:
            status, body = await self._post(self._asked.endpoint, form, dict(self._credential))
        found = self._read(status, body)
        until = time.time() + self._asked.negative_seconds if found is None else found.until
        self._remember(key, until, found)
        return found

    def _read(self, status: int, body: bytes) -> Verified | None:
        """The answer as claims, None for a token that does not hold; raises Unavailable for no answer."""
        try:
            claims = jose.read_object(body) if status == _OK else {}
        except jose.UnreadableError:
            claims = {}
        active = claims.get("active")
        if not isinstance(active, bool):
            _log.warning("introspection gave no answer", issuer=self._issuer.issuer, status=status)
            raise Unavailable("The token's issuer does not answer", retry_after=1)
        if not active:
            return None
        try:
            return self._believe(claims)
        except Problem as problem:
            _log.warning("introspection not believed", issuer=self._issuer.issuer, reason=problem.detail)
            return None

    def _believe(self, claims: dict[str, Any]) -> Verified:
        """Hold what the issuer says to the rules of every token; without a `sub` it speaks for the client."""
        if claims.get("iss", self._issuer.issuer) != self._issuer.issuer:
            raise InvalidToken("The answer speaks for another issuer")
        told = {"sub": claims.get(self._issuer.consumer_claim), **claims}
        self._rules.check(told, self._issuer)
        until = min(time.time() + self._asked.cache_seconds, told["exp"])
        return Verified(claims=told, issuer=self._issuer, until=until)

    def _remember(self, key: bytes, until: float, found: Verified | None) -> None:
        if len(self._known) >= _MANY:
            now = time.time()
            fresh = {each: value for each, value in self._known.items() if value[0] > now}
            self._known = fresh if len(fresh) < _MANY // 2 else {}
        self._known[key] = (until, found)


def _basic(client_id: str, secret: Secret) -> dict[str, str]:
    """Client authentication by HTTP Basic, each half encoded as a form's (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret.reveal())}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
