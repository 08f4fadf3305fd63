"""Client authentication by a signed assertion in place of a secret (private_key_jwt, RFC 7523 §2.2)."""

import hashlib
import time
from collections.abc import Mapping

import msgspec
from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523.client import ASSERTION_TYPE

from gateway.identity import jose
from gateway.identity.issuing.issuer import DevelopmentIssuer
from gateway.identity.keys import IssuerKeys
from kit import one_time
from kit.database import Database

METHOD = "private_key_jwt"
LONGEST_SECONDS = 3600
"""How far ahead an assertion may expire: its id is stored until then."""
_LEEWAY_SECONDS = 30


class _Claims(msgspec.Struct, frozen=True):
    """The claims of an assertion, required and optional."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: float
    jti: str
    nbf: float = 0
    iat: float = 0


class Assertions:
    """Accepts assertions of consumers with registered public keys, each once across all processes."""

    def __init__(self, issuer: DevelopmentIssuer, audiences: tuple[str, ...], database: Database) -> None:
        self._issuer = issuer
        self._audiences = audiences
        self._database = database

    async def check(self, form: Mapping[str, str]) -> str:
        """The consumer whose assertion a form carries, empty without one; raises InvalidClientError."""
        if "client_assertion" not in form and "client_assertion_type" not in form:
            return ""
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise InvalidClientError("The client_assertion_type is not known here.")
        claims = await self._verify(form.get("client_assertion", ""))
        if claims.iss != claims.sub or form.get("client_id", claims.sub) != claims.sub:
            raise InvalidClientError("The assertion is for another client.")
        self._check_use(claims)
        # surrogatepass: JSON texts may have lone surrogates, which UTF-8 cannot encode.
        used = f"{claims.sub}\n{claims.jti}".encode("utf-8", "surrogatepass")
        name = hashlib.sha256(used).hexdigest()
        left = claims.exp - time.time() + 2 * _LEEWAY_SECONDS
        if not await one_time.store(self._database, f"assertion:{name}", seconds=left):
            raise InvalidClientError("The assertion was used before.")
        return claims.sub

    async def _verify(self, assertion: str) -> _Claims:
        """The claims of the assertion, whose signature is valid for a key of the client that it names."""
        parts, claims = _read(assertion)
        consumer = self._issuer.consumers.get(claims.sub)
        keys = consumer.client.jwks if consumer else {}
        if not keys:
            raise InvalidClientError("The client authenticates with another method, or is not known.")
        if not await IssuerKeys(document=keys).signed(parts):
            raise InvalidClientError("The assertion is not signed with a key of the client.")
        return claims

    def _check_use(self, claims: _Claims) -> None:
        """Raise unless it is for this issuer alone (another audience could replay it) and short-lived."""
        audience = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
        if len(audience) != 1 or audience[0] not in self._audiences:
            raise InvalidClientError("The assertion is for another audience.")
        now = time.time()
        if now >= claims.exp + _LEEWAY_SECONDS or max(claims.nbf, claims.iat) > now + _LEEWAY_SECONDS:
            raise InvalidClientError("The assertion has expired or is not valid yet.")
        if claims.exp > now + LONGEST_SECONDS + _LEEWAY_SECONDS:
            raise InvalidClientError(f"An assertion may be valid for {LONGEST_SECONDS} seconds.")


def _read(assertion: str) -> tuple[jose.Parts, _Claims]:
    """The unverified parts and claims of an assertion, which only select the keys to try."""
    try:
        parts = jose.take_apart(assertion)
        return parts, msgspec.convert(parts.payload, _Claims)
    except (jose.UnreadableError, msgspec.ValidationError):
        raise InvalidClientError("The assertion is no signed JWT with iss, sub, aud, exp and jti.") from None
