"""The embedded issuer, for development: gives our consumers tokens by OAuth 2 (client credentials)."""

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from joserfc import jwk, jwt

from contracts.operation import Api
from gateway.exchange import Exchange, Reply, json_reply
from gateway.identity.token_endpoint import AUTH_METHODS, GRANT_TYPE, LIFETIME_SECONDS, TokenEndpoint
from gateway.plans import Consumer, expand

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path


def scopes_of(apis: Iterable[Api]) -> tuple[str, ...]:
    """Every scope that some operation of these APIs may ask for."""
    accesses = ("read", "write", "approve")
    return tuple(sorted({api.scope(access) for api in apis for access in accesses}))


class DevelopmentIssuer:
    """Signs access tokens (RFC 9068) with a key that it keeps in the data directory.

    Consumers' secrets are derived from a second kept secret, so that no file of the repository holds one.
    """

    def __init__(
        self,
        directory: Path,
        *,
        issuer: str,
        audience: str,
        consumers: Mapping[str, Consumer],
        scopes: tuple[str, ...],
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.consumers = consumers
        self.scopes = scopes
        directory.mkdir(parents=True, exist_ok=True)
        pem = _kept(directory / "issuer.pem", lambda: jwk.RSAKey.generate_key(2048).as_pem(private=True))
        self._key = jwk.RSAKey.import_key(pem)
        self._kid = self._key.thumbprint()
        self._seed = _kept(directory / "issuer.secret", lambda: secrets.token_bytes(32))
        self._endpoint = TokenEndpoint(self)

    def jwks(self) -> dict[str, Any]:
        """The public key set (RFC 7517)."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": "RS256"}]}

    def metadata(self) -> dict[str, Any]:
        """The authorization server's metadata (RFC 8414)."""
        return {
            "issuer": self.issuer,
            "token_endpoint": self.issuer + TOKEN_PATH,
            "jwks_uri": self.issuer + "/.well-known/jwks.json",
            "grant_types_supported": [GRANT_TYPE],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": AUTH_METHODS,
            "scopes_supported": list(self.scopes),
        }

    def client_secret(self, consumer: str) -> str:
        """The development secret of a consumer."""
        return hmac.new(self._seed, consumer.encode(), hashlib.sha256).hexdigest()

    def mint(
        self,
        consumer: str,
        *,
        subject: str = "",
        scopes: Iterable[str] | None = None,
        lifetime: int = LIFETIME_SECONDS,
        **claims: Any,
    ) -> str:
        """A token for a consumer with all that it was granted; raises KeyError for an unknown one.

        `subject` names a person behind the consumer; `scopes` narrows; `claims` are added.
        """
        known = self.consumers[consumer]
        granted = expand(known, self.scopes)
        wanted = granted if scopes is None else tuple(scopes)
        now = int(time.time())
        content = {
            "iss": self.issuer,
            "sub": subject or consumer,
            "aud": self.audience,
            "client_id": consumer,
            "iat": now,
            "exp": now + lifetime,
            "jti": secrets.token_urlsafe(12),
            "scope": " ".join(wanted),
            "roles": list(known.roles),
            **known.claims,
            **claims,
        }
        return self.sign(content)

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """A JWT of these claims under the issuer's key."""
        full = {"alg": "RS256", "typ": "at+jwt", "kid": self._kid, **header}
        return jwt.encode(full, claims, self._key, algorithms=["RS256", "PS256"])

    async def answer_token(self, exchange: Exchange) -> Reply:
        """The token endpoint (RFC 6749 §4.4); its errors are OAuth's own documents."""
        return self._endpoint.answer(exchange.headers, await exchange.read_body())

    async def answer_jwks(self, _: Exchange) -> Reply:
        """The key set's address."""
        return json_reply(200, self.jwks(), (b"cache-control", b"public, max-age=300"))

    async def answer_metadata(self, _: Exchange) -> Reply:
        """The metadata's address."""
        return json_reply(200, self.metadata(), (b"cache-control", b"public, max-age=300"))


def _kept(path: Path, make: Any) -> bytes:
    """What a file keeps; made once, readable by us only, whoever of several processes comes first."""
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
