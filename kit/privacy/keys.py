"""kit/privacy: the deployment's master key and what is derived from it: wrapping, finding, sealing."""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kit.secrets import Secret

KEY_BYTES = 32
_NONCE_BYTES = 12


class SealBroken(Exception):  # noqa: N818 - a state of the data, not a failure of ours
    """A sealed value was altered, or was sealed under another key."""


class DerivedKeys:
    """The master key's children (HKDF, RFC 5869): to wrap people's keys, to find people, to sign heads."""

    def __init__(self, master: Secret) -> None:
        self._wrapping = _child(master, b"wrap")
        self._finding = _child(master, b"find")
        self._signing = _child(master, b"sign")
        self._sealing = _child(master, b"seal")
        self.fingerprint = _child(master, b"fingerprint").hex()[:32]

    def wrap(self, key: bytes, about: str) -> bytes:
        """A person's key, sealed under the master key."""
        return seal(self._wrapping, key, about)

    def unwrap(self, wrapped: bytes, about: str) -> bytes:
        """A person's key; raises SealBroken."""
        return unseal(self._wrapping, wrapped, about)

    def seal(self, plain: bytes, about: str) -> bytes:
        """The key for what only this deployment reads again: credentials that it stores."""
        return seal(self._sealing, plain, about)

    def unseal(self, sealed: bytes, about: str) -> bytes:
        """What was sealed; raises SealBroken."""
        return unseal(self._sealing, sealed, about)

    def lookup(self, subject: str) -> str:
        """The lookup value of a subject, which is stored nowhere in clear."""
        return hmac.new(self._finding, subject.encode(), hashlib.sha256).hexdigest()

    def sign(self, text: str) -> str:
        """What only a holder of the master key can put under a text (HMAC, RFC 2104), in hexadecimal."""
        return hmac.new(self._signing, text.encode(), hashlib.sha256).hexdigest()


def seal(key: bytes, plain: bytes, about: str) -> bytes:
    """Encrypted and bound to what it is about: AES-256 in GCM (NIST SP 800-38D), a fresh nonce in front."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, about.encode())


def unseal(key: bytes, sealed: bytes, about: str) -> bytes:
    """The plain value; raises SealBroken."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
    except (InvalidTag, ValueError):
        raise SealBroken(f"What is sealed about {about} does not open under this key") from None


def _child(master: Secret, purpose: bytes) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"enfilade:" + purpose)
    return derive.derive(master.reveal().encode())
