"""tests/gateway: tokens that count no more, because a code was sent again or their client gave them back."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from joserfc import jwk, jwt

from gateway.identity import dpop
from gateway.pipeline import GatewaySettings
from gateway.policies.identity import IdentitySettings
from tests.gateway.deployment import PLANS, URL
from tests.gateway.signing import Browser, SigningDeployment, challenge

ORDER = "/experience/shop/v1/orders/o"
ENDPOINT = URL + "/oauth/token"
KEY = jwk.ECKey.generate_key("P-256")
MACHINE = {"grant_type": "client_credentials"}


async def use(deployment: SigningDeployment, token: str, **headers: str) -> httpx.Response:
    scheme = {"Authorization": f"{'DPoP' if headers else 'Bearer'} {token}"}
    return await deployment.call("GET", ORDER, "", headers={**scheme, **headers})


async def until_refused(deployment: SigningDeployment, token: str) -> None:
    async with asyncio.timeout(15):
        while (await use(deployment, token)).status_code != 401:  # noqa: ASYNC110 - seen over HTTP only
            await asyncio.sleep(0.05)


async def machine_token(
    deployment: SigningDeployment, consumer: str = "screen", **headers: str
) -> httpx.Response:
    auth = (consumer, deployment.issuer.client_secret(consumer))
    return await deployment.http.post("/oauth/token", data=MACHINE, auth=auth, headers=headers)


async def give_back(
    deployment: SigningDeployment, token: str, consumer: str = "screen", **form: str
) -> httpx.Response:
    auth = (consumer, deployment.issuer.client_secret(consumer))
    return await deployment.http.post("/oauth/revoke", data={"token": token, **form}, auth=auth)


async def test_a_code_that_is_sent_again_costs_its_token(signing: SigningDeployment):
    """Whoever redeemed the code first may have been the thief (RFC 6749 section 4.1.2)."""
    browser = Browser(signing.http)
    code = await browser.sign_in()
    token = (await browser.redeem(code)).json()["access_token"]
    assert (await use(signing, token)).status_code == 200
    assert (await browser.redeem(code)).json()["error"] == "invalid_grant"
    await until_refused(signing, token)


async def test_a_stranger_cannot_cost_anybody_a_token(signing: SigningDeployment):
    """Another client that sends a spent code again revokes nothing."""
    browser = Browser(signing.http)
    code = await browser.sign_in()
    token = (await browser.redeem(code)).json()["access_token"]
    await browser.redeem(code, auth=("desk", signing.issuer.client_secret("desk")))
    other = (await machine_token(signing)).json()["access_token"]
    await give_back(signing, other)
    await until_refused(signing, other)  # by now a revocation of the first would be known as well
    assert (await use(signing, token)).status_code == 200


async def test_a_client_gives_its_token_back(signing: SigningDeployment):
    """RFC 7009: 200 and an empty document, whatever the hint says, and again for a token that is gone."""
    for hint in ({}, {"token_type_hint": "access_token"}, {"token_type_hint": "whatever"}):
        token = (await machine_token(signing)).json()["access_token"]
        for _ in range(2):
            answer = await give_back(signing, token, **hint)
            assert (answer.status_code, answer.json()) == (200, {})
        await until_refused(signing, token)


async def test_what_is_no_token_is_given_back_in_vain(signing: SigningDeployment):
    """Rubbish is no error (RFC 7009 section 2.2), a missing token is, and a stranger is refused."""
    for rubbish in ("x", "a.b.c", "\u00e9", "x" * 9000, jwt.encode({"alg": "ES256"}, {"jti": "x"}, KEY)):
        answer = await give_back(signing, rubbish)
        assert answer.status_code in (200, 400)
        assert answer.json().get("error", "invalid_request") == "invalid_request"
    token = (await machine_token(signing)).json()["access_token"]
    nobody = await signing.http.post("/oauth/revoke", data={"token": token}, auth=("screen", "wrong"))
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")
    other = await give_back(signing, token, "desk")
    assert (other.status_code, other.json()["error"]) == (400, "invalid_grant")
    missing = await signing.http.post(
        "/oauth/revoke", auth=("screen", signing.issuer.client_secret("screen"))
    )
    assert missing.json()["error"] == "invalid_request"
    assert (await use(signing, token)).status_code == 200


async def test_a_page_in_a_browser_gives_its_token_back(signing: SigningDeployment):
    """A public client names itself; that it has the token is its proof."""
    browser = Browser(signing.http)
    token = (await browser.redeem(await browser.sign_in())).json()["access_token"]
    answer = await signing.http.post("/oauth/revoke", data={"token": token, "client_id": "page"})
    assert answer.status_code == 200
    await until_refused(signing, token)


def proof(url: str = ENDPOINT, method: str = "POST", token: str = "", **claims: Any) -> str:
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.as_dict(private=False)}
    content = {
        "htm": method,
        "htu": url,
        "iat": int(time.time()),
        "jti": f"p-{time.perf_counter_ns()}",
        **claims,
    }
    if token:
        content["ath"] = challenge(token)  # the same sum: base64url of SHA-256
    return jwt.encode(header, content, KEY, algorithms=["ES256"])


async def test_a_token_is_bound_to_the_key_of_the_proof(signing: SigningDeployment):
    """With a proof the token is a DPoP token, of use only to whoever holds the key (RFC 9449 section 5)."""
    found = (await machine_token(signing, DPoP=proof())).json()
    assert found["token_type"] == "DPoP"
    token = found["access_token"]
    assert (await use(signing, token)).status_code == 401
    used = await use(signing, token, DPoP=proof(URL + ORDER, "GET", token))
    assert used.status_code == 200


async def test_people_get_bound_tokens_too(signing: SigningDeployment):
    """The exchange of a code takes a proof as client credentials do."""
    browser = Browser(signing.http)
    form = {
        "grant_type": "authorization_code",
        "code": await browser.sign_in(),
        "redirect_uri": browser.question()["redirect_uri"],
        "code_verifier": browser.verifier,
        "client_id": "page",
    }
    answer = await signing.http.post("/oauth/token", data=form, headers={"DPoP": proof()})
    assert answer.json()["token_type"] == "DPoP"


@pytest.mark.parametrize(
    "wrong",
    [
        proof(URL + "/oauth/elsewhere"),
        proof(method="GET"),
        proof(iat=int(time.time()) - 3600),
        proof(jti=None),
        "rubbish",
        "",
    ],
)
async def test_a_wrong_proof_gets_no_token(signing: SigningDeployment, wrong: str):
    """It is told in OAuth's words, and no bearer token is given instead."""
    answer = await machine_token(signing, DPoP=wrong)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_a_proof_is_used_once(signing: SigningDeployment):
    """The second request with it gets nothing."""
    once = proof()
    assert (await machine_token(signing, DPoP=once)).status_code == 200
    assert (await machine_token(signing, DPoP=once)).json()["error"] == "invalid_dpop_proof"


async def test_a_strangers_proof_is_not_remembered(signing: SigningDeployment):
    """Client and grant come first: a proof that came without them can still be used."""
    once = proof()
    wrong = await signing.http.post(
        "/oauth/token", data=MACHINE, auth=("screen", "wrong"), headers={"DPoP": once}
    )
    assert wrong.json()["error"] == "invalid_client"
    form = {"grant_type": "authorization_code", "code": "x", "client_id": "page", "code_verifier": "v" * 43}
    guessed = await signing.http.post("/oauth/token", data=form, headers={"DPoP": once})
    assert guessed.json()["error"] == "invalid_grant"
    assert (await machine_token(signing, DPoP=once)).json()["token_type"] == "DPoP"


async def test_a_replayed_code_is_noticed_beside_a_proof(signing: SigningDeployment):
    """A code that is sent again costs its token, proof or not."""
    browser = Browser(signing.http)
    code = await browser.sign_in()
    token = (await browser.redeem(code)).json()["access_token"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": browser.question()["redirect_uri"],
        "code_verifier": browser.verifier,
        "client_id": "page",
    }
    again = await signing.http.post("/oauth/token", data=form, headers={"DPoP": proof()})
    assert again.json()["error"] == "invalid_grant"
    await until_refused(signing, token)


@pytest.fixture
async def noncing(keys_folder: Any) -> AsyncIterator[SigningDeployment]:
    """A gateway whose proofs must carry a nonce of ours."""
    identity = IdentitySettings(dpop=dpop.DPoPSettings(nonces=True))
    found = SigningDeployment(keys_folder, settings=GatewaySettings(plans=PLANS, identity=identity))
    async with found.http:
        yield found


async def test_a_nonce_is_given_and_asked_for(noncing: SigningDeployment):
    """The refusal carries it, and the next proof with it is taken (RFC 9449 section 8)."""
    first = await machine_token(noncing, DPoP=proof())
    assert (first.status_code, first.json()["error"]) == (400, "use_dpop_nonce")
    again = await machine_token(noncing, DPoP=proof(nonce=first.headers["dpop-nonce"]))
    assert again.json()["token_type"] == "DPoP"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
async def test_another_type_than_a_form_gets_oauths_own_error(signing: SigningDeployment, path: str):
    """A client that sends JSON reads in RFC 6749's document what to send."""
    answer = await signing.http.post(path, json={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "application/x-www-form-urlencoded" in answer.json()["error_description"]
