"""Delegation: who is known at one tier is made known to the next, by a token of our own (RFC 8693).

The caller's token stays where it was checked. For each call it is exchanged for one that names the caller as
its subject, the service that calls as the actor, one tier as its audience, and the one scope that the called
operation asks for.
"""

import math
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from contracts.problems import InvalidToken
from kit import context
from kit.context import Caller, Context, remaining
from kit.secrets import Secret

ISSUER = "enfilade:internal"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type, not a token
LONGEST_SECONDS = 60
_LEEWAY_SECONDS = 5  # between the clocks of our own machines
_MOST_ACTORS = 8
_HEADER = {"alg": "HS256", "typ": "at+jwt"}
# What concerns the caller's own token, and no tier behind the gateway.
_OF_THE_TOKEN = frozenset({"iss", "aud", "exp", "iat", "nbf", "jti", "cnf", "scope", "client_id", "sub"})


class Exchanged(msgspec.Struct, frozen=True):
    """The answer to an exchange, in the words of RFC 8693 §2.2.1; `expires_in` is in seconds."""

    access_token: str
    scope: str
    expires_in: int
    issued_token_type: str = ACCESS_TOKEN
    token_type: str = "Bearer"  # noqa: S105 - a type, not a token

    @property
    def authorization(self) -> str:
        """The Authorization header with the token."""
        return f"{self.token_type} {self.access_token}"


Credential = Callable[[str, str], Exchanged]
"""Exchanges the running context's caller for a token with an audience and a scope."""


def audience_of(tier: str) -> str:
    """How a tier is named as the audience of a token, and as an actor."""
    return f"enfilade:{tier}"


def delegation(key: Secret, service: str) -> Credential:
    """The exchange as a service of ours does it; `service` is the tier that it is."""
    signing, actor = OctKey.import_key(key.reveal()), audience_of(service)

    def exchange(audience: str, scope: str) -> Exchanged:
        here = context.current()
        left = remaining()
        lifetime = LONGEST_SECONDS if left is None else min(LONGEST_SECONDS, max(1, math.ceil(left)))
        claims = {**_caller_claims(here, actor), "aud": audience, "scope": scope, **_times(lifetime)}
        return Exchanged(jwt.encode(_HEADER, claims, signing), scope, lifetime)

    return exchange


def _caller_claims(here: Context, actor: str) -> dict[str, Any]:
    """The claims of the caller and its actors; without a caller, of the person who started the work."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": here.who or actor,
        "act": _chain((actor, *here.via)),
        "actor": here.actor,
        "lane": here.lane,
    }
    caller = here.caller
    if caller is not None:
        claims |= {
            "sub": caller.subject,
            "client_id": caller.consumer,
            "roles": sorted(caller.roles),
            "outside": caller.outside,
            "rows": {name: value for name, value in caller.claims.items() if name not in _OF_THE_TOKEN},
        }
    return claims


def _times(lifetime: int) -> dict[str, Any]:
    now = int(time.time())
    return {"iat": now, "exp": now + lifetime, "jti": secrets.token_urlsafe(12)}


def _chain(actors: tuple[str, ...]) -> dict[str, Any]:
    """Actors nested as RFC 8693 §4.1 has it: the one who acts outermost, prior ones inside."""
    chain: dict[str, Any] = {}
    for actor in reversed(actors[:_MOST_ACTORS]):
        chain = {"sub": actor, **({"act": chain} if chain else {})}
    return chain


class Delegated(msgspec.Struct, frozen=True):
    """The claims of a token of our own: the caller, the actors, and the one scope that it grants."""

    scope: str
    caller: Caller | None
    actor: str
    via: tuple[str, ...]
    lane: str


class _Claims(msgspec.Struct, frozen=True):
    """The claims as they must be: what is missing or of another kind is refused by decoding."""

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str
    scope: str
    act: dict[str, Any]
    actor: str = ""
    lane: str = "interactive"
    client_id: str = ""
    roles: frozenset[str] = frozenset()
    outside: bool = False
    rows: dict[str, Any] = {}


def delegation_verifier(key: Secret, tiers: Iterable[str]) -> Callable[[str], Delegated]:
    """Reads the tokens that `delegation` made for one of these tiers; raises InvalidToken for all others."""
    verifying = OctKey.import_key(key.reveal())
    audiences = frozenset(audience_of(tier) for tier in tiers)

    def receive(token: str) -> Delegated:
        try:
            decoded = jwt.decode(token, verifying, algorithms=["HS256"])
            claims = msgspec.convert(decoded.claims, _Claims)
            via = tuple(_actors(claims.act))
        except (JoseError, ValueError, msgspec.ValidationError):
            raise InvalidToken("The internal token is not accepted.") from None
        if decoded.header.get("typ") != _HEADER["typ"] or not _holds(claims, audiences):
            raise InvalidToken("The internal token is not accepted.")
        return _delegated(claims, via)

    return receive


def _holds(claims: _Claims, audiences: frozenset[str]) -> bool:
    now = time.time()
    return (
        claims.iss == ISSUER
        and claims.aud in audiences
        and claims.iat - _LEEWAY_SECONDS <= now < claims.exp + _LEEWAY_SECONDS
        and claims.exp - claims.iat <= LONGEST_SECONDS
        and bool(claims.jti)
    )


def _actors(act: dict[str, Any]) -> list[str]:
    """The services that a call came through, the nearest first; raises ValueError for no such chain."""
    actors: list[str] = []
    here: Any = act
    while here is not None:
        if not isinstance(here, dict) or not isinstance(here.get("sub"), str) or len(actors) == _MOST_ACTORS:
            raise ValueError("no chain of actors")
        actors.append(here["sub"])
        here = here.get("act")
    return actors


def _delegated(claims: _Claims, via: tuple[str, ...]) -> Delegated:
    caller = None
    if claims.client_id:
        caller = Caller(
            subject=claims.sub,
            consumer=claims.client_id,
            scopes=frozenset({claims.scope}),
            roles=claims.roles,
            claims=claims.rows,
            outside=claims.outside,
        )
    return Delegated(scope=claims.scope, caller=caller, actor=claims.actor, via=via, lane=claims.lane)
