"""Access tokens: JWTs verified by RFC 9068, without trust in their own header (RFC 8725)."""

import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contracts.problems import InvalidToken
from gateway.identity import jose
from gateway.identity.claims import roles_of, texts_at
from gateway.identity.jose import Parts
from gateway.identity.keys import IssuerKeys

_REQUIRED = ("iss", "sub", "aud", "exp", "iat")
_HERE = ("http://127.0.0.1", "http://localhost", "http://[::1]")

Address = Annotated[str, Meta(max_length=2048)]
Binding = Literal["bearer", "dpop", "mtls"]


class Introspection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an issuer introspects its opaque tokens (RFC 7662), and the client that asks.

    `client_secret` is a reference (env:NAME, file:PATH). `prefix` is the start of the issuer's tokens: it
    selects the issuer, so that none receives another's token. An answer is cached for `cache_seconds`, but
    not beyond the token's expiry; that a token is not active, for `negative_seconds`.
    """

    endpoint: Address
    client_id: Annotated[str, Meta(min_length=1)]
    client_secret: Annotated[str, Meta(pattern="^(env|file):.+")]
    prefix: str = ""
    cache_seconds: Annotated[float, Meta(ge=0, le=300)] = 10.0
    negative_seconds: Annotated[float, Meta(ge=0, le=60)] = 2.0

    def __post_init__(self) -> None:
        check_address(self.endpoint)


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trusted issuer: its name (``iss``), where its keys are, and which claims its tokens use.

    `consumer_claim` names the claim with the consumer's name, `id_claim` that with the token's id. `types`
    are the accepted values of the header's ``typ``; widen it only for an issuer that cannot issue RFC 9068
    tokens. Scopes, roles and groups are in `scopes_claim`, `roles_claim` and `groups_claim`, each a claim's
    name or a path to a nested one (``realm_access.roles``); `roles` maps groups to roles. Keys are refetched
    after `keys_seconds`, and used for `keys_stale_seconds` when their issuer is unavailable. `token_endpoint`
    and `authorization_endpoint` are published in the APIs' documents, or else its metadata.
    """

    issuer: str
    jwks_uri: Address = ""
    token_endpoint: Address = ""
    authorization_endpoint: Address = ""
    audience: str = ""
    algorithms: tuple[Literal["RS256", "PS256", "ES256", "ES384"], ...] = jose.ALGORITHMS
    types: tuple[str, ...] = ("at+jwt",)
    consumer_claim: str = "client_id"
    id_claim: str = "jti"
    scopes_claim: str = "scope"
    roles_claim: str = "roles"
    groups_claim: str = ""
    roles: dict[str, tuple[str, ...]] = {}
    introspection: Introspection | None = None
    keys_seconds: Annotated[float, Meta(ge=10, le=86_400)] = 300.0
    keys_stale_seconds: Annotated[float, Meta(ge=10, le=86_400)] = 900.0

    def __post_init__(self) -> None:
        for address in filter(None, (self.jwks_uri, self.token_endpoint, self.authorization_endpoint)):
            check_address(address)
        if self.authorization_endpoint and not self.token_endpoint:
            raise ValueError("authorization_endpoint needs token_endpoint: set both, or only token_endpoint")
        if self.keys_stale_seconds < self.keys_seconds:
            raise ValueError("keys_stale_seconds must not be less than keys_seconds")
        if bool(self.groups_claim) != bool(self.roles):
            raise ValueError("groups_claim needs roles, and roles needs groups_claim: set both or neither")


class Verified(msgspec.Struct, frozen=True):
    """The claims of a verified token, its issuer, and until when it is valid (Unix time)."""

    claims: dict[str, Any]
    issuer: Issuer
    until: float

    @property
    def consumer(self) -> str:
        """The name of the consumer that the token was issued to."""
        return str(self.claims.get(self.issuer.consumer_claim, ""))

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the token."""
        return frozenset(" ".join(texts_at(self.claims, self.issuer.scopes_claim)).split())

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the person or machine behind the token."""
        issuer = self.issuer
        return roles_of(
            self.claims, roles_at=issuer.roles_claim, groups_at=issuer.groups_claim, meaning=issuer.roles
        )

    @property
    def confirmation(self) -> dict[str, str]:
        """How the sender must prove that the token is its own (RFC 7800): ``jkt``, ``x5t#S256``."""
        return self.claims.get("cnf", {})


class Rules(msgspec.Struct, frozen=True):
    """The rules for the tokens of every issuer.

    `audience` must be in a token's ``aud`` unless its issuer sets another. A token whose lifetime exceeds
    `longest` seconds is refused: revocations are not stored for longer.
    """

    audience: str
    leeway: float = 30.0
    longest: float = 86_400.0

    def check(self, claims: dict[str, Any], issuer: Issuer) -> None:
        """Raise InvalidToken unless the claims of a token follow the rules."""
        texts = ("sub", issuer.consumer_claim, *(name for name in ("iss", "jti") if name in claims))
        if not all(jose.is_text(claims.get(name)) for name in texts):
            raise InvalidToken("The token does not name its subject and its client")
        self._check_audience(claims.get("aud"), issuer)
        self._check_times(claims)
        _check_confirmation(claims)

    def _check_audience(self, named: Any, issuer: Issuer) -> None:
        if (issuer.audience or self.audience) not in (named if isinstance(named, list) else [named]):
            raise InvalidToken("The token is for another audience")

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = time.time()
        exp, iat, nbf = claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)
        if not all(jose.is_instant(at) for at in (exp, iat, nbf)) or exp is None or iat is None:
            raise InvalidToken("The token's times are not numbers")
        if now >= exp + self.leeway:
            raise InvalidToken("The token has expired")
        if max(iat, nbf) > now + self.leeway:
            raise InvalidToken("The token is not valid yet")
        if exp - iat > self.longest:
            raise InvalidToken("The token was issued for longer than is accepted here")


class Verifier:
    """Verifies the JWTs of the configured issuers."""

    def __init__(self, issuers: Mapping[str, tuple[Issuer, IssuerKeys]], rules: Rules) -> None:
        self._issuers = issuers
        self._rules = rules

    async def verify(self, token: str) -> Verified:
        """The verified token; raises InvalidToken without details that an attacker could use."""
        try:
            parts = jose.take_apart(token)
        except jose.UnreadableError:
            raise InvalidToken("The token is no signed JWT") from None
        named = parts.payload.get("iss")
        issuer, keys = self._issuers.get(named, (None, None)) if isinstance(named, str) else (None, None)
        if issuer is None or keys is None:
            raise InvalidToken("The token's issuer is not known here")
        await _check_signature(parts, issuer, keys)
        claims = parts.payload
        missing = [name for name in (*_REQUIRED, issuer.id_claim) if claims.get(name) in (None, "")]
        if missing:
            raise InvalidToken(f"The token has no {', '.join(missing)}")
        claims = {**claims, "jti": claims[issuer.id_claim]}
        self._rules.check(claims, issuer)
        return Verified(claims=claims, issuer=issuer, until=claims["exp"] + self._rules.leeway)


async def _check_signature(parts: Parts, issuer: Issuer, keys: IssuerKeys) -> None:
    """Raise InvalidToken unless the signature holds; `jku`, `x5u` and `jwk` are never followed."""
    if parts.kind not in issuer.types:
        raise InvalidToken("The token is of another kind than an access token")
    if parts.header.get("alg") not in issuer.algorithms:
        raise InvalidToken("The token is signed in a way that is not accepted here")
    if not await keys.signed(parts):
        raise InvalidToken("The token is not signed with a key of its issuer that allows its algorithm")


def _check_confirmation(claims: dict[str, Any]) -> None:
    """Raise InvalidToken for a binding that cannot be checked: ignoring it would make a bearer token."""
    if "cnf" not in claims:
        return
    confirmation = claims["cnf"]
    known = isinstance(confirmation, dict) and confirmation and confirmation.keys() <= {"jkt", "x5t#S256"}
    if not known or not all(jose.is_text(value) for value in confirmation.values()):
        raise InvalidToken("The token is bound to its sender in a way that is not known here")


def check_address(address: str) -> None:
    """Raise ValueError unless an address is https or on this host, so that its answers cannot be forged."""
    if not address.startswith(("https://", *(f"{here}{end}" for here in _HERE for end in (":", "/")))):
        raise ValueError(f"{address!r} is no https address")
