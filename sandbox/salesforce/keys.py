"""The Salesforce stand-in's keys: the pair by which a client signs its JWT bearer assertions."""

import functools

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import RSAKey

from sandbox.core import Account

KEPT = "jwt_key"


def make_key(account: Account) -> None:
    """Give the account its key once; as a setting it outlives a reset, as a credential should."""
    if KEPT not in account.settings:
        account.settings[KEPT] = dict(_pair())


@functools.cache
def _pair() -> dict[str, str]:
    """One for all accounts that a stand-in makes: making one takes longer than many a test of an account."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {"private": private.decode(), "public": public.decode()}


def private_key(account: Account) -> str:
    return account.settings[KEPT]["private"]


def public_key(account: Account) -> RSAKey:
    return RSAKey.import_key(account.settings[KEPT]["public"])
