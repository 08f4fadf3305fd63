"""tests/gateway: the embedded issuer, as any OAuth client meets it."""

import re

import httpx
import pytest

from tests.gateway.deployment import URL, Deployment


async def ask(deployment: Deployment, auth: tuple[str, str] | None, **form: str) -> httpx.Response:
    data = {"grant_type": "client_credentials", **form}
    return await deployment.http.post("/oauth/token", data=data, auth=auth)


async def test_a_consumer_gets_a_token_with_its_secret_and_can_use_it(deployment: Deployment):
    """Client credentials by HTTP Basic give a token with all that was granted."""
    answer = await ask(deployment, ("screen", deployment.issuer.client_secret("screen")))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert (found["token_type"], found["scope"]) == ("Bearer", "experience.shop.read experience.shop.write")
    used = await deployment.call(
        "GET",
        "/experience/shop/v1/orders/o",
        "",
        headers={"Authorization": f"Bearer {found['access_token']}"},
    )
    assert used.status_code == 200


async def test_the_secret_may_come_in_the_form(deployment: Deployment):
    """Clients that cannot send Basic post their secret."""
    secret = deployment.issuer.client_secret("screen")
    answer = await ask(deployment, None, client_id="screen", client_secret=secret)
    assert answer.status_code == 200


async def test_a_narrower_scope_is_given_as_asked(deployment: Deployment):
    """A client may ask for less than it was granted."""
    secret = deployment.issuer.client_secret("screen")
    answer = await ask(deployment, ("screen", secret), scope="experience.shop.read")
    assert answer.json()["scope"] == "experience.shop.read"


async def test_wrong_requests_get_oauths_own_errors(deployment: Deployment):
    """A wrong secret, an unknown client, another grant and an unknown scope are told as RFC 6749 says."""
    secret = deployment.issuer.client_secret("screen")
    cases = [
        (await ask(deployment, ("screen", "wrong")), 401, "invalid_client"),
        (await ask(deployment, ("nobody", secret)), 401, "invalid_client"),
        (await ask(deployment, ("partner", secret)), 401, "invalid_client"),
        (await ask(deployment, ("screen", secret), grant_type="password"), 400, "unsupported_grant_type"),
        (await ask(deployment, ("screen", secret), grant_type=""), 400, "invalid_request"),
        (await ask(deployment, ("screen", secret), scope="process.works.approve"), 400, "invalid_scope"),
        (await ask(deployment, ("screen", secret), scope="made.up.scope"), 400, "invalid_scope"),
    ]
    for answer, status, error in cases:
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        described = answer.json()["error_description"]
        assert re.fullmatch(r"[A-Z][\w ,']+\.", described), "a sentence, and nothing that was sent"
        challenge = {401: 'Basic realm="enfilade"'}.get(status)
        assert answer.headers.get("www-authenticate") == challenge


@pytest.mark.parametrize("credential", ["\xe9", "/w==", "====", "\xb2", "YQ==", "ADoA"])
async def test_an_unreadable_basic_credential_authenticates_nobody(deployment: Deployment, credential: str):
    """Whatever its characters, it is a client that is not authenticated, and no failure of ours."""
    headers = [(b"authorization", f"Basic {credential}".encode("latin-1"))]
    form = {"grant_type": "client_credentials"}
    answer = await deployment.http.post("/oauth/token", data=form, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_the_metadata_says_where_everything_is(deployment: Deployment):
    """Issuer and resource name themselves exactly (RFC 8414, RFC 9728), and the key set is public."""
    server = (await deployment.http.get("/.well-known/oauth-authorization-server")).json()
    resource = (await deployment.http.get("/.well-known/oauth-protected-resource")).json()
    keys = (await deployment.http.get("/.well-known/jwks.json")).json()["keys"]
    assert (server["issuer"], server["token_endpoint"]) == (URL, URL + "/oauth/token")
    assert (resource["resource"], resource["authorization_servers"]) == (URL, [URL])
    assert "experience.shop.read" in resource["scopes_supported"]
    assert [set(key) & {"d", "p", "q"} for key in keys] == [set(), set()]
