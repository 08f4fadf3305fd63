"""tests/gateway: people sign in at the embedded issuer, and nobody else in their place."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec
import pytest
from authlib.oauth2 import rfc8414, rfc9207
from joserfc.util import urlsafe_b64decode

from gateway.pipeline import GatewaySettings
from gateway.plans import OAuthClient
from gateway.policies.cors import CorsSettings
from kit import clock
from kit.database import Database
from tests.gateway.deployment import PLANS, URL
from tests.gateway.signing import BACK, CLIENTS, OTHER_BACK, Browser, SigningDeployment, fields, sent_back


@pytest.fixture
async def browser(signing: SigningDeployment) -> AsyncIterator[Browser]:
    """A browser of one's own."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(signing.gateway), base_url=URL) as http:
        yield Browser(http)


def said(token: str) -> dict[str, Any]:
    return msgspec.json.decode(urlsafe_b64decode(token.split(".")[1].encode()))


async def test_a_person_signs_in_and_the_client_acts_for_them(browser: Browser, signing: SigningDeployment):
    """Code and verifier give a token of the person, which the gateway believes."""
    answer = await browser.redeem(await browser.sign_in())
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    found = answer.json()
    assert (found["token_type"], found["scope"]) == ("Bearer", "experience.shop.read")
    auth = {"Authorization": f"Bearer {found['access_token']}"}
    used = await signing.call("GET", "/experience/shop/v1/orders/o", "", headers=auth)
    assert (used.json()["subject"], used.json()["consumer"]) == ("fiona.finance", "page")


async def test_a_persons_roles_count_only_as_far_as_the_client_has_them(browser: Browser):
    """Fiona is an auditor too, and the page is sold to salespeople too: neither is Fiona's role there."""
    claims = said((await browser.redeem(await browser.sign_in())).json()["access_token"])
    assert claims["roles"] == ["finance"]
    assert claims["entities"] == ["NB-UK", "NB-DE"]
    other = said((await browser.redeem(await browser.sign_in("sofia.marsh"))).json()["access_token"])
    assert other["roles"] == ["sales"]


async def test_the_page_names_client_scopes_and_people_and_needs_no_script(browser: Browser):
    """Every choice is labelled, nothing is fetched, and no other page may frame it."""
    page = await browser.open(scope="experience.shop.read process.works.approve")
    found = fields(page)
    assert "process.works.approve" in page.text
    assert "crm.test" in page.text
    assert found.choices == ["fiona.finance", "sofia.marsh"]
    assert found.ids == found.labels
    assert {"fieldset", "legend", "h1", "main", "button"} <= set(found.tags)
    assert not {"script", "img", "link", "iframe"} & set(found.tags)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert policy.endswith("form-action 'self' https://crm.test")
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_the_cookie_is_for_us_alone(browser: Browser, keys_folder: Path, database: Database):
    """No script reads it, no other site sends it, and behind TLS it never travels in the clear."""
    plain = (await browser.open()).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(plain.split("; "))
    deployment = SigningDeployment(keys_folder, database=database, url="https://gateway.test")
    async with deployment.http:
        secure = (await Browser(deployment.http).open()).headers["set-cookie"]
    assert secure.startswith("__Host-enfilade-sign-in=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(secure.split("; "))


async def test_deny_goes_back_as_access_denied(browser: Browser):
    """The client learns that the person refused, and gets no code."""
    told = sent_back(await browser.decide(await browser.open(), "", "deny"))
    assert (told["error"], told["state"]) == ("access_denied", "s-1")
    assert "code" not in told


async def test_whatever_is_not_approve_is_a_refusal(browser: Browser):
    """An unknown decision approves nothing."""
    told = sent_back(await browser.decide(await browser.open(), decision="perhaps"))
    assert told["error"] == "access_denied"


async def test_approval_by_nobody_is_none(browser: Browser):
    """Somebody who is not on the list signs in nowhere."""
    for person in ("", "root", "FIONA.FINANCE"):
        answer = await browser.decide(await browser.open(), person)
        assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    "uri",
    [
        "https://crm.test/callback/",
        "https://crm.test/callback?x=1",
        "https://crm.test/callback#frag",
        "https://crm.test/callback%2f..",
        "https://crm.test/Callback",
        "https://CRM.test/callback",
        "https://crm.test:443/callback",
        "https://crm.test:8443/callback",
        "https://crm.test.evil.test/callback",
        "https://crm.test@evil.test/callback",
        "https://evil.test/https://crm.test/callback",
        "https://evil.test/callback",
        "http://crm.test/callback",
        "//crm.test/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://crm.test/callback\r\nSet-Cookie: a=b",
        "https://crm.test/callback\x00",
        "https://crm.test\\@evil.test/callback",
        OTHER_BACK,
        " https://crm.test/callback",
        "",
        None,
    ],
)
async def test_nobody_is_sent_to_an_address_that_was_not_registered(browser: Browser, uri: str | None):
    """The address is compared letter by letter; otherwise the person is told, and sent nowhere."""
    answer = await browser.open(redirect_uri=uri)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not fields(answer).forms


async def test_an_unknown_client_sends_nobody_anywhere(browser: Browser):
    """Nor does one that has no sign-in, or one whose name came twice."""
    for client in ("nobody", "", None, "screen", "robot"):
        answer = await browser.open(client_id=client)
        assert (answer.status_code, "location" in answer.headers) == (400, False)
    for twice in ("client_id=page", f"redirect_uri={quote(BACK)}"):
        answer = await browser.http.get(f"/oauth/authorize?{urlencode(browser.question())}&{twice}")
        assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'co"de\\'}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "made.up.scope"}, "invalid_scope"),
        ({"scope": "system.vault.read"}, "invalid_scope"),
        ({"scope": "experience.shop.rea\u00e9"}, "invalid_request"),
    ],
)
async def test_what_is_wrong_with_a_request_is_told_to_its_client(
    browser: Browser, other: dict[str, str | None], error: str
):
    """PKCE by S256 is not optional, only codes are given, and only granted scopes."""
    told = sent_back(await browser.open(**other))
    assert (told["error"], told["state"]) == (error, "s-1")
    assert "code" not in told


@pytest.mark.parametrize("name", ["scope", "state", "response_type", "code_challenge", "whatever"])
async def test_a_parameter_that_comes_twice_is_refused(browser: Browser, name: str):
    """Two readers might take two values."""
    query = urlencode({"whatever": "1", **browser.question()})
    told = sent_back(await browser.http.get(f"/oauth/authorize?{query}&{name}=x"))
    assert told["error"] == "invalid_request"


async def test_scopes_beyond_the_grant_are_not_given(browser: Browser):
    """Of what was asked the client gets what it was granted, is told, and cannot widen it later."""
    code = await browser.sign_in(scope="experience.shop.read system.vault.read")
    answer = await browser.redeem(code, scope="experience.shop.read experience.shop.write")
    assert answer.json()["scope"] == said(answer.json()["access_token"])["scope"] == "experience.shop.read"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "code_challenge", "x"])
async def test_no_parameter_becomes_markup(browser: Browser, name: str):
    """Whatever a parameter holds, the page shows it as text or not at all."""
    attack = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
    answer = await browser.open(**{name: attack})
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    page = await browser.open()
    assert "<b>browser</b>" not in page.text
    assert "<i>Marsh</i>" not in page.text


async def test_a_form_from_elsewhere_signs_nobody_in(browser: Browser, signing: SigningDeployment):
    """Without the cookie of the browser that saw the page, or from another site, the form does nothing."""
    page = await browser.open()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(signing.gateway), base_url=URL) as http:
        victim = Browser(http)
        assert (await victim.decide(page)).status_code == 400  # has no cookie
        await victim.open()
        assert (await victim.decide(page)).status_code == 400  # has another
    for site in ("cross-site", "same-site"):
        assert (await browser.decide(page, **{"Sec-Fetch-Site": site})).status_code == 400
    assert "code" in sent_back(await browser.decide(page, **{"Sec-Fetch-Site": "same-origin"}))


async def test_two_pages_in_one_browser_do_not_disturb_each_other(browser: Browser):
    """The page that was opened first still works."""
    first, second = await browser.open(state="one"), await browser.open(state="two")
    assert sent_back(await browser.decide(first))["state"] == "one"
    assert sent_back(await browser.decide(second))["state"] == "two"


async def test_a_changed_or_unsigned_request_is_not_taken(browser: Browser, signing: SigningDeployment):
    """What the page carries cannot be made by anybody else, not even from another token of ours."""
    page = await browser.open()
    sealed = fields(page).hidden["request"]
    header, payload, signature = sealed.split(".")
    token = signing.issuer.mint("page")
    none = "eyJhbGciOiJub25lIn0"
    for forged in ("", "x", f"{header}.{payload}x.{signature}", f"{none}.{payload}.", token):
        form = {"request": forged, "person": "fiona.finance", "decision": "approve"}
        answer = await browser.http.post("/oauth/authorize", data=form)
        assert (answer.status_code, "location" in answer.headers) == (400, False)


async def test_a_code_buys_one_token(browser: Browser):
    """Sent again, the code gives nothing."""
    code = await browser.sign_in()
    assert (await browser.redeem(code)).status_code == 200
    again = await browser.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_a_code_expires_after_a_minute(browser: Browser):
    """What a client did not fetch at once, nobody fetches later."""
    code = await browser.sign_in()
    try:
        clock.advance(61)
        answer = await browser.redeem(code)
    finally:
        clock.real()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_code_is_bound_to_what_it_was_made_for(browser: Browser, signing: SigningDeployment):
    """Another client, address or verifier, or none, gets no token for it; its own client still does."""
    code = await browser.sign_in()
    desk = ("desk", signing.issuer.client_secret("desk"))
    cases = [
        (await browser.redeem(code, auth=desk), 400, "invalid_grant"),
        (await browser.redeem(code, client_id="desk"), 401, "invalid_client"),
        (await browser.redeem(code, redirect_uri=OTHER_BACK), 400, "invalid_grant"),
        (await browser.redeem(code, redirect_uri=None), 400, "invalid_grant"),
        (await browser.redeem(code, code_verifier=None), 400, "invalid_request"),
        (await browser.redeem(code, code_verifier="x" * 43), 400, "invalid_grant"),
        (await browser.redeem(code, code_verifier="short"), 400, "invalid_request"),
        (await browser.redeem(code + "x"), 400, "invalid_grant"),
        (await browser.redeem(""), 400, "invalid_request"),
    ]
    for answer, status, error in cases:
        assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert (await browser.redeem(code)).status_code == 200


async def test_a_confidential_client_proves_itself_at_the_exchange(
    browser: Browser, signing: SigningDeployment
):
    """A stolen code is worth nothing without the client's own secret."""
    code = await browser.sign_in(client_id="desk", scope="process.works.approve")
    stolen = await browser.redeem(code, client_id="desk")
    assert stolen.json()["error"] == "invalid_client"
    answer = await browser.redeem(code, auth=("desk", signing.issuer.client_secret("desk")))
    assert answer.json()["scope"] == "process.works.approve"


async def test_a_registered_query_is_kept(browser: Browser, signing: SigningDeployment):
    """An address with a query of its own gets the code beside it."""
    page = await browser.open(client_id="desk", scope=None, redirect_uri=OTHER_BACK)
    told = sent_back(await browser.decide(page), OTHER_BACK)
    assert told["from"] == "desk"
    auth = ("desk", signing.issuer.client_secret("desk"))
    answer = await browser.redeem(told["code"], auth=auth, redirect_uri=OTHER_BACK)
    assert answer.json()["scope"] == "process.works.approve process.works.read"


async def test_a_public_client_gets_no_token_of_its_own(browser: Browser, signing: SigningDeployment):
    """It has no secret, so client credentials are not for it, with or without one."""
    secret = signing.issuer.client_secret("page")
    for more in ({}, {"client_secret": secret}):
        form = {"grant_type": "client_credentials", "client_id": "page", **more}
        answer = await browser.http.post("/oauth/token", data=form)
        assert answer.json()["error"] in ("invalid_client", "unauthorized_client")


async def test_without_a_database_there_is_no_sign_in(deployment: SigningDeployment):
    """Codes that other processes would not know are not given, and the metadata does not promise them."""
    assert (await deployment.http.get("/oauth/authorize")).status_code == 404
    server = (await deployment.http.get("/.well-known/oauth-authorization-server")).json()
    assert "authorization_endpoint" not in server
    assert server["grant_types_supported"] == ["client_credentials"]


async def test_the_metadata_promises_what_there_is(browser: Browser):
    """Every address of RFC 8414's document answers, and every promise is one that is kept above."""
    server = (await browser.http.get("/.well-known/oauth-authorization-server")).json()
    assert server["authorization_endpoint"] == URL + "/oauth/authorize"
    assert server["response_types_supported"] == ["code"]
    assert server["code_challenge_methods_supported"] == ["S256"]
    assert server["authorization_response_iss_parameter_supported"] is True
    assert set(server["token_endpoint_auth_methods_supported"]) == {
        "private_key_jwt",
        "client_secret_basic",
        "client_secret_post",
        "none",
    }
    assert "none" not in server["token_endpoint_auth_signing_alg_values_supported"]
    assert (await browser.http.get(server["jwks_uri"])).status_code == 200
    assert (await browser.http.post(server["token_endpoint"])).status_code == 400


async def test_the_metadata_is_as_the_rfcs_want_it(keys_folder: Path, database: Database):
    """RFC 8414 with RFC 9207, by Authlib's own reading."""
    deployment = SigningDeployment(keys_folder, database=database, url="https://gateway.test")
    async with deployment.http:
        found = (await deployment.http.get("/.well-known/oauth-authorization-server")).json()
    document = rfc8414.AuthorizationServerMetadata(found)
    document.validate(metadata_classes=[rfc9207.AuthorizationServerMetadata])


async def test_a_house_under_a_path_is_described_where_the_rfcs_say(keys_folder: Path):
    """The path of issuer and resource comes last (RFC 8414 and RFC 9728, section 3.1)."""
    deployment = SigningDeployment(keys_folder, url="https://gateway.test/door")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(deployment.gateway), base_url="https://gateway.test"
    ) as http:
        server = (await http.get("/.well-known/oauth-authorization-server/door")).json()
        resource = (await http.get("/.well-known/oauth-protected-resource/door")).json()
        refused = await http.get("/experience/shop/v1/orders/o")
    assert server["token_endpoint"] == "https://gateway.test/door/oauth/token"
    assert resource["resource"] == "https://gateway.test/door"
    assert (
        "https://gateway.test/.well-known/oauth-protected-resource/door"
        in refused.headers["www-authenticate"]
    )


@pytest.mark.parametrize(
    "uri",
    [
        "http://crm.test/callback",
        "https://crm.test/callback#x",
        "https://user@crm.test/callback",
        "https://*.crm.test/callback",
        "crm:/callback",
        "https:///callback",
        "https://crm.test/call back",
        "https://crm.test;/callback",
    ],
)
def test_an_unsafe_address_cannot_be_registered(uri: str):
    """The file that names it is refused."""
    with pytest.raises(ValueError, match="redirect URI"):
        OAuthClient(redirect_uris=(uri,))
    assert OAuthClient(redirect_uris=("http://127.0.0.1:8765/callback", "http://[::1]:1/x"))


def test_a_client_is_public_or_has_keys():
    """A page in a browser keeps no key, and a key that is private does not belong into a file of ours."""
    keys = CLIENTS["robot"].client.jwks
    for wrong in (
        {"public": True},
        {"public": True, "redirect_uris": (BACK,), "jwks": keys},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]}},
        {"jwks": {"keys": [{**keys["keys"][0], "d": "AA"}]}},
        {"jwks": {"keys": [{"kty": "RSA", "kid": "a", "n": "AQAB"}]}},
    ):
        with pytest.raises(ValueError, match=r"key|public"):
            OAuthClient(**wrong)


async def test_no_script_of_another_origin_reads_the_sign_in_page(keys_folder: Path, database: Database):
    """CORS opens the token endpoint to pages that are allowed, and never the page (RFC 9700 section 2.6)."""
    cors = GatewaySettings(plans=PLANS, cors=CorsSettings(origins=("https://crm.test",)))
    deployment = SigningDeployment(keys_folder, settings=cors, database=database)
    origin = {"Origin": "https://crm.test", "Access-Control-Request-Method": "GET"}
    async with deployment.http:
        for method in ("GET", "OPTIONS", "POST"):
            page = await deployment.http.request(method, "/oauth/authorize", headers=origin)
            assert not [name for name in page.headers if name.startswith("access-control")]
        token = await deployment.http.post("/oauth/token", headers=origin)
    assert token.headers["access-control-allow-origin"] == "https://crm.test"


async def test_guessed_secrets_are_counted(browser: Browser, signing: SigningDeployment):
    """A client that does not prove itself is a stranger, and counted by its address."""
    before = sum(signing.gateway._account._unknown.values())
    for guess in ("a", "b"):
        await browser.http.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=("screen", guess)
        )
    assert sum(signing.gateway._account._unknown.values()) == before + 2
