"""The Salesforce stand-in's keys: the pair by which a client signs its JWT bearer assertions."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import RSAKey

from sandbox.core import Account

KEPT = "jwt_key"
EXPONENT = 65537


def make_key(account: Account) -> None:
    """Give the account its key once; as a setting it outlives a reset, as a credential should."""
    if KEPT not in account.settings:
        key = _key_of(*next(_PAIRS))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        account.settings[KEPT] = {"private": private.decode(), "public": public.decode()}


def _pairs_of_primes() -> Iterator[tuple[int, int]]:
    """Never the same pair twice, so that no account's key is another's.

    A prime serves several keys, which are thereby worth nothing outside of a stand-in: to make two primes
    for each account takes longer than many a test of an account."""
    primes: list[int] = []
    while True:
        made = rsa.generate_private_key(EXPONENT, 2048).private_numbers()
        for prime in (made.p, made.q):
            yield from ((prime, other) for other in primes)
            primes.append(prime)


_PAIRS = _pairs_of_primes()


def _key_of(p: int, q: int) -> rsa.RSAPrivateKey:
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    halves = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, *halves, rsa.RSAPublicNumbers(EXPONENT, p * q))
    # OpenSSL has made both primes and need not look at them again.
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def private_key(account: Account) -> str:
    return account.settings[KEPT]["private"]


def public_key(account: Account) -> RSAKey:
    return RSAKey.import_key(account.settings[KEPT]["public"])
