"""Login at the Salesforce stand-in: the flows of the vendor's token endpoint, and what a session is worth."""

import base64
import time

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from .conftest import Api

TOKEN = "/services/oauth2/token"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


async def test_jwt_bearer_gives_a_session_without_refresh_or_expiry(account, client, assertion):
    """The JWT bearer flow answers with token, scope, instance, identity and type, and nothing else."""
    answer = await client.post(TOKEN, data={"grant_type": BEARER, "assertion": assertion(account)})
    body = answer.json()
    assert set(body) == {"access_token", "scope", "instance_url", "id", "token_type"}
    assert body["access_token"].startswith(account.credentials["org_id"][:15] + "!")
    assert body["instance_url"] == account.base_url
    assert body["id"].split("/")[-2] == account.credentials["org_id"]
    rows = await Api(client, body["access_token"]).soql("SELECT Id FROM Account LIMIT 1")
    assert len(rows) == 1


async def test_jwt_bearer_takes_an_expiry_of_text_and_of_this_second(account, client, assertion):
    """An `exp` as a string, or of now, is taken: two real clients send such."""
    for exp in (str(int(time.time()) + 200), int(time.time())):
        form = {"grant_type": BEARER, "assertion": assertion(account, exp=exp)}
        assert (await client.post(TOKEN, data=form)).status_code == 200


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "audience is invalid"),
        ({"sub": "nobody@northbeam.example"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"iss": "unknown"}, "invalid_client_id", "client identifier invalid"),
        ({"exp": 1_600_000_000}, "invalid_grant", "expired authorization code"),
    ],
)
async def test_jwt_bearer_refusals(account, client, assertion, claims, error, description):
    """A wrong assertion is a 400 with an object, in the vendor's words."""
    form = {"grant_type": BEARER, "assertion": assertion(account, **claims)}
    answer = await client.post(TOKEN, data=form)
    assert answer.status_code == 400
    assert "no-store" in answer.headers["cache-control"]
    assert answer.json() == {"error": error, "error_description": description}


async def test_jwt_bearer_wants_the_apps_own_key(account, client):
    """An assertion signed by another key is refused."""
    known = account.credentials
    claims = {"iss": known["client_id"], "sub": known["username"], "aud": "https://login.salesforce.com"}
    forged = jwt.encode({"alg": "RS256"}, claims | {"exp": int(time.time()) + 60}, RSAKey.generate_key(2048))
    answer = await client.post(TOKEN, data={"grant_type": BEARER, "assertion": forged})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_each_account_has_its_own_key(account, salesforce_sandbox, client, assertion):
    """An assertion for one account, signed with the key of another of the same stand-in, is refused."""
    other = await salesforce_sandbox.create_account()
    mine, theirs = account.credentials, other.credentials
    assert mine["private_key"] != theirs["private_key"]
    claims = {"iss": mine["client_id"], "sub": mine["username"]}
    answer = await client.post(TOKEN, data={"grant_type": BEARER, "assertion": assertion(other, **claims)})
    assert answer.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}
    form = {"grant_type": BEARER, "assertion": assertion(other)}
    assert (await client.post(TOKEN, data=form)).status_code == 200


async def test_client_credentials_by_basic_and_by_body(account, client):
    """Both ways of telling the secret work; a wrong secret does not, nor does the login host."""
    known = account.credentials
    pair = (known["client_id"], known["client_secret"])
    basic = await client.post(TOKEN, data={"grant_type": "client_credentials"}, auth=pair)
    assert set(basic.json()) >= {"access_token", "signature", "issued_at", "instance_url", "api_instance_url"}
    assert basic.json()["issued_at"].isdigit()
    assert "expires_in" not in basic.json()
    wrong = await client.post(TOKEN, data={"grant_type": "client_credentials"}, auth=(pair[0], "no"))
    assert wrong.json()["error"] == "invalid_client"
    coded = base64.b64encode(":".join(pair).encode()).decode()
    headers = {"Host": "login.salesforce.com", "Authorization": f"Basic {coded}"}
    refused = await client.post(TOKEN, data={"grant_type": "client_credentials"}, headers=headers)
    assert refused.json() == {
        "error": "invalid_grant",
        "error_description": "request not supported on this domain",
    }
    unknown = await client.post(TOKEN, data={"grant_type": "password"}, auth=pair)
    assert unknown.json()["error"] == "unsupported_grant_type"


async def test_refresh_keeps_or_rotates_the_token(account, salesforce_sandbox, client):
    """A refresh gives a new session; with rotation the old refresh token is dead at once."""

    async def refresh(org, token):
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": org.credentials["client_id"],
        }
        return await client.post(TOKEN, data=form)

    old = account.credentials["refresh_token"]
    for _ in range(2):
        body = (await refresh(account, old)).json()
        assert "refresh_token" not in body
        assert await Api(client, body["access_token"]).get("/limits")
    rotating = await salesforce_sandbox.create_account(refresh_token_rotation=True)
    old = rotating.credentials["refresh_token"]
    fresh = (await refresh(rotating, old)).json()["refresh_token"]
    dead = await refresh(rotating, old)
    assert dead.json() == {"error": "invalid_grant", "error_description": "expired access/refresh token"}
    assert (await refresh(rotating, fresh)).status_code == 200


async def test_a_dead_session_is_told_by_an_array(account, api):
    """After revocation, and after idle time, every call is 401 INVALID_SESSION_ID."""
    dead = (401, "INVALID_SESSION_ID", "Session expired or invalid")
    assert "sforce-limit-info" in (await api.send("GET", "/limits")).headers
    await account.advance_clock(7300)
    assert await api.refused("GET", "/limits") == dead
    # Nobody known, no allowance told.
    assert "sforce-limit-info" not in (await api.send("GET", "/limits")).headers


async def test_revoke_ends_a_session(account, api):
    """A revoked token is worth nothing; revoking it again is refused."""
    assert (await api.client.post("/services/oauth2/revoke", data={"token": api.token})).status_code == 200
    assert (await api.refused("GET", "/limits"))[:2] == (401, "INVALID_SESSION_ID")
    again = await api.client.post("/services/oauth2/revoke", data={"token": api.token})
    assert again.json()["error"] == "unsupported_token_type"


async def test_userinfo_names_user_and_org(account, api):
    """Userinfo tells whose session it is."""
    body = (await api.send("GET", "/services/oauth2/userinfo")).json()
    assert body["preferred_username"] == account.credentials["username"]
    assert body["organization_id"] == account.credentials["org_id"]


async def test_the_call_log_names_the_user_and_never_the_token(account, api):
    """A token appears nowhere in the log."""
    await api.get("/limits")
    calls = await account.calls()
    assert calls[-1]["auth"] == account.credentials["username"]
    assert api.token not in str(calls)
    assert calls[-1]["request_id"]


async def test_a_fault_can_end_a_session(account, api, client, login):
    """An injected expiry makes the token used dead, and a new login works."""
    await account.add_fault({"expire_token": True}, path="/limits")
    assert (await api.refused("GET", "/limits"))[0] == 401
    assert await Api(client, await login(account)).get("/limits")
