"""Names and keys of one NetSuite account: its id and host, its credentials, the token signing key."""

import hashlib
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import ECKey, KeyParameters, RSAKey

from sandbox.core import Account

STORY_ID = "1000001"
HOST = ".suitetalk.api.netsuite.com"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def account_id(account: Account) -> str:
    """As in the realm: upper case, underscore before a sandbox's suffix."""
    if account.settings.get("account_id"):
        return str(account.settings["account_id"]).upper().replace("-", "_")
    if account.name == "story":
        return STORY_ID
    digest = hashlib.sha256(account.name.encode()).digest()
    return str(2_000_000 + int.from_bytes(digest[:8], "big") % 7_000_000)


def host(account: Account) -> str:
    return account_id(account).lower().replace("_", "-") + HOST


def credentials(account: Account) -> dict[str, Any]:
    return {
        "account": account_id(account),
        "client_id": account.secret("consumer key"),
        "certificate_id": account.secret("certificate id", 43),
        "consumer_key": account.secret("consumer key"),
        "consumer_secret": account.secret("consumer secret"),
        "token_id": account.secret("token id"),
        "token_secret": account.secret("token secret"),
    }


def private_key_pem(account: Account) -> str:
    """The integration's key: EC P-256 from the account's name, or RSA 3072 if `certificate` is "rsa"."""
    if account.settings.get("certificate") == "rsa":
        return _rsa_pem(account)
    return _pem(ec.derive_private_key(_number(account, "client key"), ec.SECP256R1()))


def certificate_key(account: Account) -> ECKey | RSAKey:
    """The public key of the certificate on the mapping page."""
    pem = private_key_pem(account)
    if account.settings.get("certificate") == "rsa":
        return RSAKey.import_key(pem)
    return ECKey.import_key(pem)


def signing_key(account: Account) -> ECKey:
    """What this account's access tokens are signed with."""
    return _named_key(_number(account, "token key"), account.secret("token kid", 16))


@lru_cache(maxsize=512)
def _named_key(number: int, kid: str) -> ECKey:
    """Every call needs it, and deriving it costs more than the call."""
    named: KeyParameters = {"kid": kid, "use": "sig"}
    return ECKey.import_key(_pem(ec.derive_private_key(number, ec.SECP256R1())), named)


def _number(account: Account, what: str) -> int:
    """A private number without a random source: a digest of the account's name."""
    return int(account.secret(what, 128), 16) % (P256_ORDER - 1) + 1


def _rsa_pem(account: Account) -> str:
    if "rsa_key" not in account.extra:
        account.extra["rsa_key"] = _pem(rsa.generate_private_key(public_exponent=65537, key_size=3072))
        account.touch()
    return account.extra["rsa_key"]


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()
