"""JWTs in their compact form, read strictly: what is ambiguous is refused."""

import json
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
_LATEST = 2**40  # beyond the year 36,000: datetime cannot represent it

Key = jwk.RSAKey | jwk.ECKey
UsableKey = tuple[Key, frozenset[str]]
"""A public key, and the algorithms that it may verify."""

# A key verifies only what its kind can sign (RFC 8725 §3.1): so no RSA key ever serves as an HMAC secret.
_ALGORITHMS = {
    ("RSA", None): frozenset({"RS256", "PS256"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
}
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384")


class UnreadableError(ValueError):
    """The text is not an unambiguous signed JWT."""


class UnusableKeyError(ValueError):
    """The key of a set verifies nothing here; the text says why."""


class Parts(msgspec.Struct, frozen=True):
    """The parts of a signed JWT, not verified yet."""

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
    parsed = Parts(token, read_object(header), read_object(payload))
    # No critical extension is supported (RFC 7515 §4.1.11); b64 is one (RFC 7797).
    if "crit" in parsed.header or "b64" in parsed.header:
        raise UnreadableError
    return parsed


def decode_part(part: str) -> bytes:
    """The bytes of a base64url part in its one canonical spelling; raises UnreadableError."""
    if not _PART.fullmatch(part) or len(part) % 4 == 1:
        raise UnreadableError
    decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if encode_part(decoded) != part:  # spare bits at the end would allow several spellings of one token
        raise UnreadableError
    return decoded


def encode_part(content: bytes) -> str:
    """Bytes as base64url without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def read_object(content: bytes) -> dict[str, Any]:
    """A JSON object with unique names and finite numbers; raises UnreadableError."""
    try:
        parsed = json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_no_number)
        # Lone surrogates are not I-JSON (RFC 7493 §2.1); neither they nor U+0000 can be stored.
        storable = b"\\u" not in content or holds_only_storable(parsed)
    except (ValueError, RecursionError):
        raise UnreadableError from None
    if not isinstance(parsed, dict) or not storable:
        raise UnreadableError
    return parsed


def holds(parts: Parts, key: Key, algorithm: str) -> bool:
    """Whether the signature is valid for the key and exactly this algorithm."""
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        jws.deserialize_compact(parts.token, key, registry=registry)
    except Exception:  # noqa: BLE001 - the header is not trusted: any failure is a refusal
        return False
    return parts.header.get("alg") == algorithm


def public_key(item: dict[str, Any]) -> UsableKey | None:
    """A public key and the algorithms that it may verify; None for one that `read_key` refuses."""
    try:
        return read_key(item)
    except UnusableKeyError:
        return None


def read_key(item: dict[str, Any]) -> UsableKey:
    """A public key and the algorithms that it may verify; raises UnusableKeyError, which says why not.

    Unusable are symmetric and private keys, unknown curves, and RSA under 2048 bits (RFC 7518 §3.3).
    """
    kind, curve, algorithm = item.get("kty"), item.get("crv"), item.get("alg")
    usable = next((algorithms for known, algorithms in _ALGORITHMS.items() if known == (kind, curve)), None)
    if usable is None:
        raise UnusableKeyError(f"keys of the type {kind!r:.40}, curve {curve!r:.40}, are not accepted here")
    if "alg" in item:
        usable = frozenset(one for one in usable if one == algorithm)
    if not usable:
        raise UnusableKeyError(f"its alg {algorithm!r:.40} is not accepted here for a key of its type")
    if item.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}:
        raise UnusableKeyError("it is a private key")
    return _imported(item), usable


def _imported(item: dict[str, Any]) -> Key:
    # Certificates and hints beside the key's own numbers are not followed, so they cannot spoil it either.
    numbers = {name: item[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in item}
    try:
        _check_size(item)
        key = jwk.import_key(numbers)
    except UnusableKeyError:
        raise
    except Exception as error:  # noqa: BLE001 - the key is not trusted: any failure is a refusal
        raise UnusableKeyError(f"its numbers cannot be read ({type(error).__name__})") from None
    if not isinstance(key, jwk.RSAKey | jwk.ECKey):
        raise UnusableKeyError("it is neither an RSA nor an EC key")
    return key


def _check_size(item: dict[str, Any]) -> None:
    if item["kty"] == "RSA" and _rsa_bits(item) < _SMALLEST_RSA_BITS:
        raise UnusableKeyError(f"it is an RSA key of less than {_SMALLEST_RSA_BITS} bits")


def is_text(value: Any) -> bool:
    """Whether a claim is text of a bounded length."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT


def is_instant(value: Any) -> bool:
    """Whether a claim is a NumericDate (RFC 7519 §2)."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared only: an integer of hundreds of digits cannot become a float. NaN is in no range.
    return number and 0 <= value <= _LATEST


def _rsa_bits(item: dict[str, Any]) -> int:
    return int.from_bytes(decode_part(item["n"])).bit_length()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise UnreadableError
    return members


def _no_number(_: str) -> NoReturn:
    raise UnreadableError
