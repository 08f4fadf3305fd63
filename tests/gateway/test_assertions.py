"""tests/gateway: clients that prove themselves by a signed assertion (private_key_jwt)."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest
from joserfc import jwk, jws, jwt

from contracts.problems import Unavailable
from kit.database import Database
from tests.gateway.deployment import URL, Deployment
from tests.gateway.signing import EC_KEY, RSA_KEY, Browser, SigningDeployment

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ENDPOINT = URL + "/oauth/token"


def claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    content = {
        "iss": "robot",
        "sub": "robot",
        "aud": ENDPOINT,
        "iat": now,
        "exp": now + 60,
        "jti": f"j-{time.perf_counter_ns()}",
        **other,
    }
    return {name: value for name, value in content.items() if value is not None}


def signed(key: jwk.ECKey | jwk.RSAKey = EC_KEY, alg: str = "ES256", kid: str = "ec-1", **other: Any) -> str:
    content = json.dumps(claims(**other)).encode()
    return jws.serialize_compact({"alg": alg, "kid": kid}, content, key, [alg])


async def ask(deployment: Deployment, assertion: str, **form: str) -> httpx.Response:
    data = {
        "grant_type": "client_credentials",
        "client_assertion_type": TYPE,
        "client_assertion": assertion,
        **form,
    }
    return await deployment.http.post("/oauth/token", data=data)


async def refused(answer: httpx.Response) -> None:
    assert answer.json()["error"] in ("invalid_client", "invalid_request"), answer.text
    assert answer.status_code in (400, 401)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_signed_assertion_gets_a_token(signing: SigningDeployment):
    """Either address of ours is a right audience, and each registered kind of key signs."""
    for assertion in (
        signed(),
        signed(aud=URL),
        signed(aud=[URL]),
        signed(RSA_KEY, "RS256", "rsa-1"),
        signed(RSA_KEY, "PS256", "rsa-1"),
    ):
        answer = await ask(signing, assertion)
        assert answer.json()["scope"] == "experience.shop.read"


async def test_an_assertion_is_used_once(signing: SigningDeployment):
    """Whoever overheard it is too late, also when its first use asked for something wrong."""
    assertion = signed()
    assert (await ask(signing, assertion)).status_code == 200
    await refused(await ask(signing, assertion))
    wrong = signed()
    assert (await ask(signing, wrong, scope="made.up.scope")).json()["error"] == "invalid_scope"
    await refused(await ask(signing, wrong))


@pytest.mark.parametrize(
    "other",
    [
        {"aud": "https://elsewhere.test/oauth/token"},
        {"aud": [URL, "https://elsewhere.test"]},
        {"aud": []},
        {"aud": None},
        {"aud": URL + "/"},
        {"exp": int(time.time()) - 60},
        {"exp": int(time.time()) + 86_400},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": int(time.time()) + 50_000},
        {"iat": int(time.time()) + 50_000},
        {"jti": None},
        {"jti": 7},
        {"iss": "screen"},
        {"sub": "screen"},
        {"iss": None},
        {"iss": "kiosk", "sub": "screen"},
        {"iss": "nobody", "sub": "nobody"},
        {"iss": "screen", "sub": "screen"},
    ],
)
async def test_wrong_claims_are_no_proof(signing: SigningDeployment, other: dict[str, Any]):
    """Issuer, subject, our audience alone, a near expiry and an id are all needed."""
    await refused(await ask(signing, signed(**other)))


async def test_an_id_may_be_any_text(signing: SigningDeployment):
    """Any that can be stored: of one that UTF-8 cannot write no JSON is made (RFC 7493)."""
    for text in ("x" * 2000, "a'b\"c\n"):
        assert (await ask(signing, signed(jti=f"{text}{time.perf_counter_ns()}"))).status_code == 200
    await refused(await ask(signing, signed(jti="\ud800")))


async def test_only_the_clients_own_keys_sign(signing: SigningDeployment):
    """A stranger's key under our kid, an unknown kid and a key in the header prove nothing."""
    stranger = jwk.ECKey.generate_key("P-256")
    await refused(await ask(signing, signed(stranger)))
    await refused(await ask(signing, signed(kid="ec-2")))
    header = {"alg": "ES256", "kid": "ec-1", "jwk": stranger.as_dict(private=False)}
    await refused(await ask(signing, jwt.encode(header, claims(), stranger, algorithms=["ES256"])))


async def test_an_algorithm_must_fit_the_key(signing: SigningDeployment):
    """Neither none, nor HMAC with the public key or the client's secret, nor rubbish is a signature."""
    public = RSA_KEY.as_pem(private=False)
    secret = signing.issuer.client_secret("robot").encode()
    for algorithm, key in (("none", b""), ("None", b""), ("HS256", public), ("HS256", secret)):
        parts = [{"alg": algorithm, "kid": "rsa-1"}, claims()]
        text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        mac = encoded(hmac.new(key, text.encode(), hashlib.sha256).digest()) if key else ""
        await refused(await ask(signing, f"{text}.{mac}"))
    await refused(await ask(signing, signed(RSA_KEY, "PS256", "rsa-2")))  # the key is for RS256 alone
    for rubbish in ("", "x", "a.b.c", "....", "é.é.é", "x" * 20_000):
        await refused(await ask(signing, rubbish))


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_a_client_proves_itself_in_one_way(signing: SigningDeployment):
    """Two proofs at once, another client's name beside one, and another type of assertion are refused."""
    secret = signing.issuer.client_secret("screen")
    await refused(await ask(signing, signed(), client_secret=secret, client_id="screen"))
    await refused(await ask(signing, signed(), client_id="screen"))
    await refused(await ask(signing, signed(), client_assertion_type="urn:other"))
    await refused(await ask(signing, signed(), client_secret=signing.issuer.client_secret("robot")))
    data = {"grant_type": "client_credentials", "client_id": "ci"}
    await refused(await signing.http.post("/oauth/token", data=data, auth=("screen", secret)))


async def test_who_has_keys_is_not_believed_by_a_secret(signing: SigningDeployment):
    """The stronger proof cannot be avoided by offering the weaker one."""
    secret = signing.issuer.client_secret("robot")
    data = {"grant_type": "client_credentials"}
    await refused(await signing.http.post("/oauth/token", data=data, auth=("robot", secret)))
    await refused(
        await signing.http.post("/oauth/token", data={**data, "client_id": "robot", "client_secret": secret})
    )


async def test_a_client_with_keys_fetches_tokens_for_people_too(signing: SigningDeployment):
    """The code is exchanged under an assertion, and not without."""
    browser = Browser(signing.http)
    code = await browser.sign_in(client_id="kiosk")
    await refused(await browser.redeem(code, client_id="kiosk"))
    proof = {
        "client_assertion_type": TYPE,
        "client_assertion": signed(iss="kiosk", sub="kiosk"),
        "client_id": None,
    }
    assert (await browser.redeem(code, **proof)).json()["scope"] == "experience.shop.read"


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic ", "Basic %%%", "Basic /////w==", "Basic Og==", "Bearer x", "Basic c2NyZWVu", "\xff"],
)
async def test_a_malformed_credential_is_none(signing: SigningDeployment, header: str):
    """What cannot be read is refused in OAuth's words, and nothing breaks."""
    answer = await signing.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": header.encode("latin-1")},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "grant_type=client_credentials&grant_type=client_credentials",
        "grant_type=client_credentials&scope=a&scope=b",
        "grant_type=%ff",
        "grant_type=a%22b%5C",
        "grant_type=%E2%98%83",
        "&".join(f"p{number}=1" for number in range(100)),
    ],
)
async def test_a_strange_form_is_refused_in_oauths_words(signing: SigningDeployment, body: str):
    """Doubled, undecodable, endless: an error document, and no failure of ours."""
    answer = await signing.http.post(
        "/oauth/token", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_request", "unsupported_grant_type")


async def test_without_a_database_nobody_is_believed_by_an_assertion(signing: SigningDeployment, keys_folder):
    """A server that has gone is no reason to take an assertion twice: the answer is 503."""
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    deployment = SigningDeployment(keys_folder, database=gone)
    async with deployment.http:
        answer = await ask(deployment, signed())
    await gone.close()
    assert (answer.status_code, answer.json()["code"]) == (503, Unavailable.code)
