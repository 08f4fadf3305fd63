"""system_apis: the identity of a NetSuite account, its hosts and our login there."""

from collections.abc import Mapping

import msgspec

from kit.http import ClientAssertion
from kit.secrets import literal, resolve
from system_apis.connector import Environment
from system_apis.vendors.netsuite.profile import NetSuiteConnection

_TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - a path
# Sandboxes, release previews, and the vendor's own kinds of trial account.
_TEST_SUFFIXES = ("_SB", "_RP")
_TEST_PREFIXES = ("TSTDRV", "TD")


class Account(msgspec.Struct, frozen=True):
    """One NetSuite account: `id` in the realm's spelling, `base_url` of its REST services."""

    id: str
    base_url: str
    app_url: str

    @property
    def environment(self) -> Environment:
        """The environment by the account's id; a host that is not NetSuite's is a stand-in."""
        suffix = any(mark in self.id for mark in _TEST_SUFFIXES)
        test = suffix or self.id.startswith(_TEST_PREFIXES) or ".netsuite.com" not in self.base_url
        return "test" if test else "production"


def account_of(connection: NetSuiteConnection, environ: Mapping[str, str]) -> Account:
    """The account of a profile, its id derived once into the host's spelling and the realm's."""
    given = literal(connection.account, environ)
    host = given.lower().replace("_", "-")
    base_url = literal(connection.base_url, environ) or f"https://{host}.suitetalk.api.netsuite.com"
    return Account(
        id=given.upper().replace("-", "_"),
        base_url=base_url.rstrip("/"),
        app_url=literal(connection.app_url, environ) or f"https://{host}.app.netsuite.com",
    )


def grant(connection: NetSuiteConnection, account: Account, environ: Mapping[str, str]) -> ClientAssertion:
    """OAuth 2.0 client credentials with a signed assertion: NetSuite refuses RS256 and shared secrets."""
    return ClientAssertion(
        account.base_url + _TOKEN_PATH,
        client_id=literal(connection.client_id, environ),
        key=resolve(connection.private_key, environ),
        alg=connection.algorithm,
        kid=literal(connection.certificate_id, environ),
        scope=("rest_webservices",),
    )
