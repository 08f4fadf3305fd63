"""tests/conformance/gateway: the tokens of the cases, and the key that they are signed with.

`python -m tests.conformance.gateway.tokens --jwks FILE` prints the file of tokens, and writes the
key set that the target must believe.
"""

import argparse
import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwk, jwt

from tests.conformance.gateway.proving import instant
from tests.support.certificates import self_signed

FOLDER = Path(__file__).parent
PUBLIC_URL = "http://gateway.test"
ISSUER = "https://issuer.test"
APIS = (
    "experience.shelf",
    "experience.shop",
    "process.almanac",
    "process.ledger",
    "process.register",
    "process.works",
    "system.vault",
)
SCOPES = tuple(f"{api}.{access}" for api in APIS for access in ("read", "write", "approve"))
LIFETIME_SECONDS = 3600


class Odd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a token differs from a good one."""

    consumer: str = "ci"
    claims: dict[str, Any] = {}
    without: tuple[str, ...] = ()
    header: dict[str, Any] = {}
    expires_in: int = LIFETIME_SECONDS
    signed: Literal["", "stranger", "stranger-enclosed", "none", "hmac", "changed"] = ""
    bound: bool = False
    certified: bool = False
    text: str = ""


class Good(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    consumers: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tokens that there are."""

    good: Good
    odd: dict[str, Odd]


class Mint:
    """The issuer of the suite: one key, and every token of the plan."""

    def __init__(self) -> None:
        self._key = jwk.RSAKey.generate_key(2048)
        self._stranger = jwk.RSAKey.generate_key(2048)
        self._kid = self._key.thumbprint()
        self._holder = jwk.ECKey.generate_key("P-256")
        self._certificates = {name: self_signed(name) for name in ("held", "other")}

    def jwks(self) -> dict[str, Any]:
        """The key set that the target must believe."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": "RS256"}]}

    def proof_key(self) -> dict[str, Any]:
        """The private key that bound tokens are bound to."""
        return self._holder.as_dict(private=True)

    def certificates(self) -> dict[str, str]:
        """Certificates by name, in DER and base64; that by which tokens are bound is `held`."""
        return {name: base64.b64encode(one).decode() for name, one in self._certificates.items()}

    def tokens(self) -> dict[str, str]:
        """Every token of the plan by its name."""
        raw = tomllib.loads((FOLDER / "tokens.toml").read_text(encoding="utf-8"))
        plan = msgspec.convert(raw, Plan)
        good = {name: self._make(Odd(consumer=name)) for name in plan.good.consumers}
        return good | {name: self._make(odd) for name, odd in plan.odd.items()}

    def _make(self, odd: Odd) -> str:
        if odd.text:
            text, _, times = odd.text.partition("*")
            return text * int(times or 1)
        header = {"alg": "RS256", "typ": "at+jwt", "kid": self._kid, **odd.header}
        claims = _claims(odd)
        if odd.bound:
            claims["cnf"] = {"jkt": self._holder.thumbprint()}
        if odd.certified:
            claims["cnf"] = {"x5t#S256": _base64(hashlib.sha256(self._certificates["held"]).digest())}
        return self._sign(odd.signed, header, claims)

    def _sign(self, way: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
        if way.startswith("stranger"):
            if way == "stranger-enclosed":
                header |= {"kid": "x", "jwk": self._stranger.as_dict(private=False)}
            return jwt.encode(header, claims, self._stranger, algorithms=["RS256"])
        if way == "none":
            return f"{_encoded({**header, 'alg': 'none'})}.{_encoded(claims)}."
        if way == "hmac":
            return self._by_public_key({**header, "alg": "HS256"}, claims)
        token = self._signed(header, claims)
        if way == "changed":
            first, _, last = token.split(".")
            return f"{first}.{_encoded({**claims, 'scope': '*'})}.{last}"
        return token

    def _signed(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        if header["alg"] != "RS256":
            return jwt.encode(header, claims, self._key, algorithms=[header["alg"]])
        # By hand: no honest library writes the headers that some of these have.
        content = f"{_encoded(header)}.{_encoded(claims)}"
        private = self._key.private_key
        return f"{content}.{_base64(private.sign(content.encode(), PKCS1v15(), SHA256()))}"  # pyright: ignore[reportOptionalMemberAccess]

    def _by_public_key(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        content = f"{_encoded(header)}.{_encoded(claims)}"
        secret = self._key.as_pem(private=False)
        return f"{content}.{_base64(hmac.new(secret, content.encode(), hashlib.sha256).digest())}"


def _claims(odd: Odd) -> dict[str, Any]:
    now = int(time.time())
    told = {
        "iss": ISSUER,
        "sub": odd.consumer,
        "aud": PUBLIC_URL,
        "client_id": odd.consumer,
        "iat": now,
        "exp": now + odd.expires_in,
        "jti": secrets.token_hex(8),
        "scope": " ".join(SCOPES),
        "roles": ["finance"],
        **odd.claims,
    }
    return {name: instant(value, now) for name, value in told.items() if name not in odd.without}


def _encoded(value: Any) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def main() -> None:
    """Write the key set, print the file of tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jwks", required=True, metavar="FILE", help="where the key set is written")
    options = parser.parse_args()
    mint = Mint()
    Path(options.jwks).write_bytes(msgspec.json.encode(mint.jwks()))
    found = {
        "public_url": PUBLIC_URL,
        "tokens": mint.tokens(),
        "proof_key": mint.proof_key(),
        "certificates": mint.certificates(),
    }
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")


if __name__ == "__main__":
    main()
