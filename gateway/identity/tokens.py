"""Access tokens: a JWT is believed by RFC 9068's rules, with RFC 8725's distrust of its own header."""

import binascii
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jws
from joserfc.util import urlsafe_b64decode

from contracts.problems import InvalidToken
from gateway.identity.keys import Keys
from gateway.identity.speech import roles_of, texts_at

_MAX_TOKEN = 8192
_REQUIRED = ("iss", "sub", "aud", "exp", "iat", "jti")


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An issuer that we believe: its name (``iss``), where its keys are, and how its tokens speak.

    `consumer_claim` names the claim that holds our consumer's name. `types` is what the header's ``typ``
    may be; widen it only for an issuer that cannot write RFC 9068 tokens. Scopes, roles and groups stand in
    `scopes_claim`, `roles_claim` and `groups_claim`, each a claim's name or the way to one inside others
    (``realm_access.roles``); `roles` says which roles a group means.
    """

    issuer: str
    jwks_uri: str
    audience: str = ""
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "ES384")
    types: tuple[str, ...] = ("at+jwt",)
    consumer_claim: str = "client_id"
    scopes_claim: str = "scope"
    roles_claim: str = "roles"
    groups_claim: str = ""
    roles: dict[str, tuple[str, ...]] = {}

    def __post_init__(self) -> None:
        if bool(self.groups_claim) != bool(self.roles):
            raise ValueError("groups_claim says where groups stand, roles what they mean: name both")


class Verified(msgspec.Struct, frozen=True):
    """What a believed token says, and by which issuer's manner of speaking."""

    claims: dict[str, Any]
    issuer: Issuer

    @property
    def consumer(self) -> str:
        """The name of the consumer that the token was given to."""
        return str(self.claims.get(self.issuer.consumer_claim, ""))

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the token."""
        return frozenset(" ".join(texts_at(self.claims, self.issuer.scopes_claim)).split())

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the person or machine behind the token."""
        speech = self.issuer
        return roles_of(
            self.claims, roles_at=speech.roles_claim, groups_at=speech.groups_claim, meaning=speech.roles
        )


class Verifier:
    """Believes or refuses tokens of a few issuers; `audience` is what a token must name in ``aud``."""

    def __init__(self, issuers: Mapping[str, tuple[Issuer, Keys]], audience: str, leeway: float) -> None:
        self._issuers = issuers
        self._audience = audience
        self._leeway = leeway

    async def verify(self, token: str) -> Verified:
        """The token's claims; raises InvalidToken, and says no more than a stranger may know."""
        header, unsafe = _peek(token)
        issuer, keys = self._issuers.get(str(unsafe.get("iss")), (None, None))
        if issuer is None or keys is None:
            raise InvalidToken("The token's issuer is not known here")
        claims = await _check_signature(token, header, issuer, keys)
        self._check_claims(claims, issuer)
        return Verified(claims=claims, issuer=issuer)

    def _check_claims(self, claims: dict[str, Any], issuer: Issuer) -> None:
        missing = [name for name in (*_REQUIRED, issuer.consumer_claim) if claims.get(name) in (None, "")]
        if missing:
            raise InvalidToken(f"The token has no {', '.join(missing)}")
        audience = claims["aud"]
        if (issuer.audience or self._audience) not in (
            audience if isinstance(audience, list) else [audience]
        ):
            raise InvalidToken("The token is meant for somebody else")
        self._check_times(claims)

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = time.time()
        instants = [claims["exp"], claims["iat"], claims.get("nbf", 0)]
        if any(isinstance(at, bool) or not isinstance(at, int | float) for at in instants):
            raise InvalidToken("The token's times are not numbers")
        if now >= claims["exp"] + self._leeway:
            raise InvalidToken("The token has expired")
        if max(claims["iat"], claims.get("nbf", 0)) > now + self._leeway:
            raise InvalidToken("The token is not valid yet")


def _peek(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and payload before anything is believed: only to know whose keys to try."""
    parts = token.split(".")
    if len(token) > _MAX_TOKEN or len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise InvalidToken("The token is no signed JWT")
    try:
        header, payload = (
            msgspec.json.decode(urlsafe_b64decode(part.encode()), type=dict[str, Any]) for part in parts[:2]
        )
    except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError):
        raise InvalidToken("The token is no signed JWT") from None
    return header, payload


async def _check_signature(token: str, header: dict[str, Any], issuer: Issuer, keys: Keys) -> dict[str, Any]:
    """The claims once the signature holds. `jku`, `x5u` and `jwk` in the header are never followed."""
    kind = str(header.get("typ", "")).lower().removeprefix("application/")
    if kind not in issuer.types:
        raise InvalidToken("The token is of another kind than an access token")
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(kid, str) or algorithm not in issuer.algorithms:
        raise InvalidToken("The token is signed in a way that is not taken here")
    found = await keys.find(kid)
    if found is None:
        raise InvalidToken("The token is signed with a key that is not known")
    key, usable = found
    if algorithm not in usable:
        raise InvalidToken("The token is signed in a way that its key does not allow")
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        signed = jws.deserialize_compact(token, key, registry=registry)
        return msgspec.json.decode(signed.payload, type=dict[str, Any])
    except Exception:  # noqa: BLE001 - the header is a stranger's: however it trips the reader, it is refused
        raise InvalidToken("The token's signature does not hold") from None
