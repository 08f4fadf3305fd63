"""The embedded issuer, for development: issues tokens to consumers and to the people of the demo."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.identity.issuing.keyring import Keyring
from gateway.identity.issuing.personas import Persona
from gateway.plans import Consumer, expand
from kit.secrets import load_or_create

LIFETIME_SECONDS = 3600
"""The default and the longest lifetime of a token."""


class DevelopmentIssuer:
    """Signs access tokens (RFC 9068) with keys that are stored in the data directory.

    Consumers' secrets are derived from a stored seed, so that no file of the repository contains one.
    """

    def __init__(
        self,
        directory: Path,
        *,
        issuer: str,
        audience: str,
        consumers: Mapping[str, Consumer],
        scopes: tuple[str, ...],
        people: Mapping[str, Persona] | None = None,
    ) -> None:
        self.issuer = issuer
        self.audience = audience
        self.consumers = consumers
        self.scopes = scopes
        self.people = people or {}
        self.keyring = Keyring(directory, lifetime=LIFETIME_SECONDS)
        self._seed = load_or_create(directory / "issuer.secret", lambda: secrets.token_bytes(32))

    def jwks(self) -> dict[str, Any]:
        """The public key set (RFC 7517)."""
        return self.keyring.jwks()

    async def fetch_jwks(self, _: str) -> dict[str, Any]:
        """The public key set, in the form of a `Fetch`."""
        return self.keyring.jwks()

    def client_secret(self, consumer: str) -> str:
        """The development secret of a consumer."""
        return self._derived(consumer.encode()).hexdigest()

    def secret_for(self, purpose: str) -> bytes:
        """A secret of the issuer itself; no consumer's name contains a colon, so none has the same."""
        return self._derived(f"own:{purpose}".encode()).digest()

    def _derived(self, name: bytes) -> hmac.HMAC:
        return hmac.new(self._seed, name, hashlib.sha256)

    def mint(
        self,
        consumer: str,
        *,
        subject: str = "",
        scopes: Iterable[str] | None = None,
        lifetime: int = LIFETIME_SECONDS,
        **claims: Any,
    ) -> str:
        """A token with all grants of a consumer; raises KeyError for an unknown one.

        `subject` names a person behind the consumer. A known person has the roles that they share with the
        consumer, an unknown one the consumer's. `scopes` narrows the scopes; `claims` are added.
        """
        return self.sign(
            self.claims_for(consumer, subject=subject, scopes=scopes, lifetime=lifetime) | claims
        )

    def claims_for(
        self,
        consumer: str,
        *,
        subject: str = "",
        scopes: Iterable[str] | None = None,
        lifetime: int = LIFETIME_SECONDS,
    ) -> dict[str, Any]:
        """The claims of such a token; raises ValueError when it would outlive its signing key."""
        if lifetime > LIFETIME_SECONDS:
            raise ValueError(f"a token lives for {LIFETIME_SECONDS} seconds at most")
        entry = self.consumers[consumer]
        person = self.people.get(subject)
        wanted = expand(entry, self.scopes) if scopes is None else tuple(scopes)
        now = int(time.time())
        return {
            **(person.claims if person else {}),
            **entry.claims,
            "iss": self.issuer,
            "sub": subject or consumer,
            "aud": self.audience,
            "client_id": consumer,
            "iat": now,
            "exp": now + lifetime,
            "jti": secrets.token_urlsafe(12),
            "scope": " ".join(wanted),
            "roles": list(person.roles_at(entry) if person else entry.roles),
        }

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """A JWT of these claims under the issuer's key."""
        return self.keyring.sign(claims, **header)
