"""tests/conformance/gateway: proofs of possession (RFC 9449), as right or as wrong as a case wants them."""

import base64
import hashlib
import re
import secrets
import time
from typing import Any

from joserfc import jwk, jwt

from tests.conformance.gateway.case import Proof

_INSTANT = re.compile(r"[+-][0-9]+")  # a hash may begin with a dash, and is none


def make(proof: Proof, key: dict[str, Any], *, method: str, address: str, token: str) -> str:
    """A proof for one call, signed with the key that tokens are bound to, or with a stranger's."""
    signing = jwk.ECKey.generate_key("P-256") if proof.stranger else jwk.ECKey.import_key(key)
    now = int(time.time())
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": signing.as_dict(private=False), **proof.header}
    claims = {
        "jti": secrets.token_hex(16),
        "htm": method,
        "htu": address,
        "iat": now,
        "ath": base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode(),
        **proof.claims,
    }
    told = {name: instant(value, now) for name, value in claims.items() if name not in proof.without}
    return jwt.encode(header, told, signing, algorithms=["ES256"])


def instant(value: Any, now: int) -> Any:
    """``+600`` is in ten minutes, ``-600`` was ten minutes ago; all else is itself."""
    return now + int(value) if isinstance(value, str) and _INSTANT.fullmatch(value) else value
