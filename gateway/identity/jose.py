"""JWTs as they lie on the wire, read strictly: what could be read in two ways is not read at all."""

import json
import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, NoReturn

import msgspec
from joserfc import jwk, jws

from kit.texts import holds_only_storable

MAX_TOKEN = 8192
_SMALLEST_RSA_BITS = 2048
_LONGEST_TEXT = 1024
_PART = re.compile(r"[A-Za-z0-9_-]+")
_LATEST = 2**40  # an instant beyond the year 36,000 is a number, and no time

Key = jwk.RSAKey | jwk.ECKey

# A key verifies only what its kind can sign (RFC 8725 §3.1): so no RSA key ever serves as an HMAC secret.
_ALGORITHMS = {
    ("RSA", None): frozenset({"RS256", "PS256"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
}
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384")


class UnreadableError(ValueError):
    """What was sent is no signed JWT that can be read in one way only."""


class Parts(msgspec.Struct, frozen=True):
    """A signed JWT taken apart; nothing of it is believed yet."""

    token: str
    header: dict[str, Any]
    payload: dict[str, Any]

    @property
    def kind(self) -> str:
        """The header's ``typ`` in its short form."""
        return str(self.header.get("typ", "")).lower().removeprefix("application/")


def take_apart(token: str) -> Parts:
    """The parts of a compact JWS with JSON inside; raises UnreadableError."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN or len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise UnreadableError
    header, payload, _ = (decode_part(part) for part in parts)
    read = Parts(token, read_object(header), read_object(payload))
    # We know no extension that a token may declare critical (RFC 7515 §4.1.11); b64 is one (RFC 7797).
    if "crit" in read.header or "b64" in read.header:
        raise UnreadableError
    return read


def decode_part(part: str) -> bytes:
    """The bytes of a base64url part in its one canonical spelling; raises UnreadableError."""
    if not _PART.fullmatch(part) or len(part) % 4 == 1:
        raise UnreadableError
    found = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if encode_part(found) != part:  # bits to spare at the end would give one token many spellings
        raise UnreadableError
    return found


def encode_part(content: bytes) -> str:
    """Bytes as base64url without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def read_object(content: bytes) -> dict[str, Any]:
    """A JSON object with each member named once and numbers that are some; raises UnreadableError."""
    try:
        found = json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_no_number)
        # Lone surrogates are no I-JSON (RFC 7493 §2.1), U+0000 is in no name; neither can be stored.
        storable = b"\\u" not in content or holds_only_storable(found)
    except (ValueError, RecursionError):
        raise UnreadableError from None
    if not isinstance(found, dict) or not storable:
        raise UnreadableError
    return found


def holds(parts: Parts, key: Key, algorithm: str) -> bool:
    """Whether the signature is that of the key under this very algorithm."""
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        jws.deserialize_compact(parts.token, key, registry=registry)
    except Exception:  # noqa: BLE001 - the header is a stranger's: however it trips the reader, it is refused
        return False
    return parts.header.get("alg") == algorithm


def public_key(item: dict[str, Any]) -> tuple[Key, frozenset[str]] | None:
    """A public key and the algorithms that it may verify; None for one that is not for us.

    Left out are symmetric and private keys, unknown curves, and RSA under 2048 bits (RFC 7518 §3.3).
    """
    usable = _ALGORITHMS.get((item.get("kty"), item.get("crv")), frozenset())
    if "alg" in item:
        usable &= {item["alg"]} if isinstance(item["alg"], str) else frozenset()
    if not usable or item.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}:
        return None
    try:
        if item["kty"] == "RSA" and _rsa_bits(item) < _SMALLEST_RSA_BITS:
            return None
        key = jwk.import_key(item)
    except Exception:  # noqa: BLE001 - however a stranger's key trips the reader, it is no key for us
        return None
    return (key, usable) if isinstance(key, jwk.RSAKey | jwk.ECKey) else None


def is_text(value: Any) -> bool:
    """Whether a claim is text, and not without end."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT


def is_instant(value: Any) -> bool:
    """Whether a claim is a NumericDate (RFC 7519 §2)."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= _LATEST


def _rsa_bits(item: dict[str, Any]) -> int:
    return int.from_bytes(decode_part(item["n"])).bit_length()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableError
    return found


def _no_number(_: str) -> NoReturn:
    raise UnreadableError
