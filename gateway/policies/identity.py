"""Identity: who calls, by a bearer token that is verified once and believed until it expires."""

import time
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import InvalidToken, Unauthenticated
from gateway.exchange import Asked, Exchange, Reply, Route, Rule, Step
from gateway.identity import Issuer, Verified, Verifier
from gateway.plans import Consumer, grants, row_claims
from kit.context import Caller

_MANY = 10_000  # verified tokens remembered before the expired ones are forgotten


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which issuers are believed beside the embedded one, and how exact clocks must be.

    `embedded_issuer` is for development; switch it off where a real issuer is configured. Its keys rotate
    every `embedded_key_days`. When an issuer's keys cannot be had, identity fails closed.
    """

    embedded_issuer: bool = True
    embedded_key_days: Annotated[int, Meta(ge=1)] = 90
    issuers: tuple[Issuer, ...] = ()
    leeway_seconds: Annotated[float, Meta(ge=0, le=120)] = 30.0
    remember_seconds: Annotated[float, Meta(ge=0, le=3600)] = 300.0

    def __post_init__(self) -> None:
        if not self.embedded_issuer and not self.issuers:
            raise ValueError("no issuer is believed: name one under issuers")


class _Known(msgspec.Struct, frozen=True):
    """A token that was verified, and until when it need not be verified again (wall clock)."""

    caller: Caller
    consumer: Consumer
    until: float


class Identity:
    """Turns the Authorization header into a caller; raises Unauthenticated and InvalidToken (RFC 6750)."""

    def __init__(
        self,
        settings: Settings,
        verifier: Verifier,
        consumers: Mapping[str, Consumer],
        resource_metadata: str,
    ) -> None:
        self._settings = settings
        self._verifier = verifier
        self._consumers = consumers
        self._challenge = f'Bearer realm="enfilade", resource_metadata="{resource_metadata}"'
        self._known: dict[bytes, _Known] = {}

    def around(self, route: Route | None, onward: Step) -> Step:
        if route is None or route.operation is None:
            return onward
        known = self._known

        async def identity(exchange: Exchange) -> Reply:
            header = exchange.headers.get(b"authorization", b"")
            found = known.get(header)
            if found is None or found.until <= time.time():
                found = await self._identify(header)
            exchange.caller = found.caller
            exchange.consumer = found.consumer
            return await onward(exchange)

        return identity

    def explain(self, asked: Asked) -> list[Rule]:
        if asked.route.operation is None:
            return [Rule("open: no token is asked for", file="")]
        if asked.consumer is None:
            return [Rule(f"no consumer is named {asked.name}: 401", "consumers", file="consumers.toml")]
        return [
            Rule("a token of a believed issuer, verified", "identity"),
            Rule(
                f"given to {asked.name}: {asked.consumer.title}", f"consumers.{asked.name}", "consumers.toml"
            ),
        ]

    async def _identify(self, header: bytes) -> _Known:
        scheme, _, token = header.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated(
                "Send an access token: Authorization: Bearer …", headers={"WWW-Authenticate": self._challenge}
            )
        try:
            verified = await self._verifier.verify(token.strip())
            found = self._know(verified)
        except InvalidToken as refusal:
            said = f'{self._challenge}, error="invalid_token", error_description="{refusal.detail}"'
            raise InvalidToken(refusal.detail, headers={"WWW-Authenticate": said}) from None
        self._remember(header, found)
        return found

    def _know(self, verified: Verified) -> _Known:
        name = verified.consumer
        consumer = self._consumers.get(name)
        if consumer is None:
            raise InvalidToken("The token was given to a consumer that is not known here")
        caller = Caller(
            subject=str(verified.claims["sub"]),
            consumer=name,
            scopes=frozenset(scope for scope in verified.scopes if grants(consumer.scopes, scope)),
            roles=verified.roles & frozenset(consumer.roles),
            claims=row_claims(consumer, verified.claims),
            outside=consumer.outside,
        )
        until = min(
            verified.claims["exp"] + self._settings.leeway_seconds,
            time.time() + self._settings.remember_seconds,
        )
        return _Known(caller=caller, consumer=consumer, until=until)

    def _remember(self, header: bytes, found: _Known) -> None:
        if len(self._known) >= _MANY:
            now = time.time()
            fresh = {key: value for key, value in self._known.items() if value.until > now}
            self._known.clear()
            if len(fresh) < _MANY // 2:
                self._known.update(fresh)
        self._known[header] = found
