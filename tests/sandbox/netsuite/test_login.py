"""Logging in to the NetSuite stand-in, both ways."""

import asyncio
import base64
import hashlib
import json
import time
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from sandbox.netsuite import tba

VECTOR = {
    "oauth_consumer_key": "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4",
    "oauth_token": "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc",
    "oauth_nonce": "fjaLirsIcCGVZWzBX0pg",
    "oauth_timestamp": "1508242306",
    "oauth_signature_method": "HMAC-SHA256",
    "oauth_version": "1.0",
}


def signed(ns, method, path, *, nonce="abcdefgh", at=None, query="", body=None, **changes):
    """An OAuth 1.0a header for a call, with anything changed."""
    oauth = {
        "realm": ns.known["account"],
        "oauth_consumer_key": ns.known["consumer_key"],
        "oauth_token": ns.known["token_id"],
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(at or int(time.time())),
        "oauth_nonce": nonce,
        "oauth_version": "1.0",
        **changes,
    }
    if body is not None:
        oauth["oauth_body_hash"] = base64.b64encode(hashlib.sha1(body).digest()).decode()  # noqa: S324 - theirs
    base = tba.base_string(method, f"{ns.base_url}{path}", query, oauth)
    oauth["oauth_signature"] = tba.sign(base, ns.known["consumer_secret"], ns.known["token_secret"])
    pairs = ", ".join(f'{k}="{tba._encode(v)}"' for k, v in oauth.items())
    return {"Authorization": f"OAuth {pairs}"}


async def test_token_and_use(ns):
    """An ES256 assertion brings an hour's token that opens the API."""
    answer = await ns.ask_token()
    assert answer.json() | {"access_token": ""} == {
        "access_token": "",
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    assert (await ns.record("GET", "currency")).status_code == 200


async def test_ps256_where_the_certificate_is_rsa(new_account):
    """A PS256 assertion is good where the certificate is RSA; RS256 with the same key is refused."""
    ns = await new_account(certificate="rsa", account_id="123456_SB1")
    key = RSAKey.import_key(ns.known["private_key"])
    assert (await ns.ask_token(ns.assertion(alg="PS256", key=key))).status_code == 200
    refused = await ns.ask_token(ns.assertion(alg="RS256", key=key))
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_request"})


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"exp": int(time.time()) - 10}, (400, "invalid_grant")),
        ({"exp": int(time.time()) + 7200}, (400, "invalid_grant")),
        ({"aud": "https://elsewhere.example/token"}, (400, "invalid_grant")),
        ({"scope": "everything"}, (400, "invalid_scope")),
        ({"iss": "nobody"}, (401, "invalid_client")),
        ({"header": {"kid": "other"}}, (400, "invalid_grant")),
        ({"key": ECKey.generate_key("P-256")}, (400, "invalid_grant")),
    ],
)
async def test_bad_assertions(ns, claims, error):
    """Each way of being wrong has its OAuth error, and only invalid_client is a 401."""
    answer = await ns.ask_token(ns.assertion(**claims))
    assert (answer.status_code, answer.json()["error"]) == error
    assert ("www-authenticate" in answer.headers) == (error[0] == 401)


async def test_bad_grants(ns):
    """A grant of another type and a call without assertion are refused."""
    assert (await ns.ask_token(grant_type="password")).json() == {"error": "unsupported_grant_type"}
    assert (await ns.ask_token(client_assertion_type="x")).json() == {"error": "invalid_request"}


async def test_access_token_is_signed_by_published_keys(ns):
    """The access token verifies against the keys that the account publishes."""
    host = {"Host": ns.known["host"]}
    keys = (await ns.client.get(f"{ns.base_url}/services/rest/auth/oauth2/v1/keys", headers=host)).json()
    token = (await ns.ask_token()).json()["access_token"]
    assert jwt.decode(token, KeySet.import_key_set(keys)).claims["sub"] == "1042;7"


async def test_dead_and_broken_tokens(ns):
    """A malformed token is 400, an expired or killed one 401, both with the vendor's challenge."""
    broken = await ns.record("GET", "currency", headers={"Authorization": "Bearer x"})
    assert (broken.status_code, 'error="invalid_request"' in broken.headers["www-authenticate"]) == (
        400,
        True,
    )
    await ns.control("PUT", "clock", {"advance_seconds": 3700})
    dead = await ns.record("GET", "currency")
    assert (dead.status_code, 'error="invalid_token"' in dead.headers["www-authenticate"]) == (401, True)
    assert dead.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_LOGIN"


async def test_killed_token(ns):
    """The expire_token fault kills the token used, and a new one works."""
    await ns.control("POST", "faults", {"effect": {"expire_token": True}})
    assert [(await ns.record("GET", "currency")).status_code for _ in range(2)] == [401, 401]
    await ns.log_in()
    assert (await ns.record("GET", "currency")).status_code == 200


async def test_no_credentials(ns):
    """A call without credentials is refused with the login envelope."""
    ns.headers = {}
    assert (await ns.record("GET", "currency")).status_code == 401


def test_published_signature_vector():
    """Our signature is the vendor's published one."""
    url = "https://123456.suitetalk.api.netsuite.com/services/rest/record/v1/employee/40"
    base = tba.base_string("GET", url, "", VECTOR)
    signature = tba.sign(
        base,
        "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5",
        "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295",
    )
    assert signature == "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY="


async def test_signed_calls(ns):
    """A signed call with query parameters works, with a body hash or without."""
    path = "/services/rest/record/v1/customer"
    url = f"{ns.base_url}{path}"
    read = await ns.client.get(
        f"{url}?limit=5&offset=0", headers=signed(ns, "GET", path, query="limit=5&offset=0")
    )
    body = json.dumps({"companyName": "X & Co", "subsidiary": {"id": "2"}}).encode()
    media = {"Content-Type": "application/json"}
    made = await ns.client.post(
        url, content=body, headers={**media, **signed(ns, "POST", path, nonce="other123", body=body)}
    )
    forged = signed(ns, "POST", path, nonce="forged123", body=b"{}")
    assert [read.status_code, made.status_code] == [200, 204]
    assert (await ns.client.post(url, content=body, headers={**media, **forged})).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"oauth_signature_method": "HMAC-SHA1"},
        {"realm": "1000001_SB1"},
        {"oauth_token": "0" * 64},
        {"oauth_nonce": "abc"},
        {"at": int(time.time()) - 400},
        {"query": "limit=1"},
    ],
)
async def test_bad_signatures(ns, changes):
    """SHA-1, another realm or token, a short nonce, an old timestamp or an unsigned parameter are 401."""
    path = "/services/rest/record/v1/customer"
    answer = await ns.client.get(f"{ns.base_url}{path}", headers=signed(ns, "GET", path, **changes))
    assert answer.status_code == 401


async def test_nonce_is_good_once(ns):
    """A replayed signature is refused."""
    path = "/services/rest/record/v1/customer"
    headers = signed(ns, "GET", path)
    answers = [(await ns.client.get(f"{ns.base_url}{path}", headers=headers)).status_code for _ in range(2)]
    assert answers == [200, 401]


async def test_environment_names_all_a_client_needs(ns):
    """The env has every credential, the key as a file of its own."""
    wanted = (
        "ACCOUNT BASE_URL TOKEN_URL CLIENT_ID CERTIFICATE_ID PRIVATE_KEY_FILE CONSUMER_KEY CONSUMER_SECRET "
        "TOKEN_ID TOKEN_SECRET PUSH_SECRET"
    )
    assert set(ns.env) == {f"NETSUITE_{name}" for name in wanted.split()}
    assert (
        await asyncio.to_thread(Path(ns.env["NETSUITE_PRIVATE_KEY_FILE"]).read_text)
        == ns.known["private_key"]
    )


async def test_no_secret_in_the_log(ns):
    """Neither token nor assertion nor signature shows in the call log."""
    await ns.record("GET", "currency")
    log = (await ns.control("GET", "calls")).text
    token = ns.headers["Authorization"].split()[1]
    assert token not in log
    assert "client_assertion=" not in log
    assert '"auth":"oauth2:1042;7"' in log
