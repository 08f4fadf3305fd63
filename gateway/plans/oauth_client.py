"""A consumer as a client of the embedded issuer: its redirect addresses and its public keys."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from joserfc import jwk
from joserfc.errors import JoseError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class OAuthClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a consumer gets its tokens.

    `redirect_uris` are the exact addresses to which people may be redirected after signing in; without any
    the consumer has no sign-in. A `public` client (a page in a browser) has no secret and gets tokens for
    people only. `jwks` are public keys (RFC 7517): a consumer with keys authenticates by them
    (private_key_jwt, RFC 7523) and not by a secret.
    """

    redirect_uris: tuple[str, ...] = ()
    public: bool = False
    jwks: dict[str, Any] = {}

    def __post_init__(self) -> None:
        for uri in self.redirect_uris:
            _check_redirect(uri)
        if self.public and self.jwks:
            raise ValueError("a public client has no keys")
        if self.public and not self.redirect_uris:
            raise ValueError("a public client needs redirect_uris")
        if self.jwks:
            _check_keys(self.jwks.get("keys"))


def _check_redirect(uri: str) -> None:
    """Raise ValueError for an address that could leak a code (RFC 9700 §2.1, §4.1)."""
    parts = urlsplit(uri)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(" *\\\"'<>#;,")
    if not (safe and plain and parts.hostname and parts.username is None):
        raise ValueError(
            f"{uri!r} is no redirect URI: write https://… (http on this machine only), "
            "without user, fragment or wildcard"
        )


def _check_keys(keys: Any) -> None:
    if not isinstance(keys, list) or not keys:
        raise ValueError("jwks needs keys")
    for key in keys:
        if not isinstance(key, dict) or not key.get("kid") or key.get("kty") not in ("RSA", "EC"):
            raise ValueError("each of jwks.keys is an RSA or EC key with a kid")
        if "d" in key:
            raise ValueError(f"the key {key['kid']} is private: only its public part belongs here")
        try:
            jwk.import_key(key)
        except (JoseError, ValueError, KeyError):
            raise ValueError(f"the key {key['kid']} cannot be read") from None
