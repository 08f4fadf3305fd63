"""tests/gateway: whom the gateway believes."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwk, jwt

from contracts.problems import InvalidToken, Unavailable
from gateway.identity import Issuer, IssuerKeys, Rules, Verifier
from tests.gateway.deployment import URL, Deployment, problem

ORDERS = "/experience/shop/v1/orders/o-1"


def claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": URL,
        "sub": "ci",
        "aud": URL,
        "client_id": "ci",
        "iat": now,
        "exp": now + 60,
        "jti": "j-1",
        "scope": "experience.shop.read",
        **other,
    }


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def hand_signed(deployment: Deployment, **header: Any) -> str:
    """A token with a header that no honest library would write, rightly signed."""
    kid = deployment.issuer.jwks()["keys"][0]["kid"]
    signed = f"{encoded({'alg': 'RS256', 'typ': 'at+jwt', 'kid': kid, **header})}.{encoded(claims())}"
    key = deployment.issuer.keyring._current.private_key
    assert key is not None
    return f"{signed}.{encoded(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


async def refused(deployment: Deployment, token: str) -> dict[str, Any]:
    answer = await deployment.call("GET", ORDERS, "", headers={"Authorization": f"Bearer {token}"})
    found = problem(answer, 401, "invalid_token")
    challenge = answer.headers["www-authenticate"]
    assert 'error="invalid_token"' in challenge
    assert f'resource_metadata="{URL}/.well-known/oauth-protected-resource"' in challenge
    return found


async def test_no_token_is_401_with_a_bare_challenge(deployment: Deployment):
    """Who sends no credential is told how, and of no error (RFC 6750)."""
    answer = await deployment.call("GET", ORDERS, "")
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer realm=")
    assert "error" not in answer.headers["www-authenticate"]


@pytest.mark.parametrize("header", ["Basic Y2k6c2VjcmV0", "Bearer", "Bearer  ", "Token abc"])
async def test_another_scheme_is_no_token(deployment: Deployment, header: str):
    """Only a bearer token is a credential here."""
    problem(
        await deployment.call("GET", ORDERS, "", headers={"Authorization": header}), 401, "unauthenticated"
    )


@pytest.mark.parametrize("token", ["x", "a.b.c", "a.b", "....", "ey.ey.ey", "x" * 9000])
async def test_what_is_no_jwt_is_401(deployment: Deployment, token: str):
    """Rubbish is refused as rubbish."""
    await refused(deployment, token)


async def test_an_expired_token_is_401(deployment: Deployment):
    """Expired is expired, beyond a small leeway."""
    await refused(deployment, deployment.issuer.sign(claims(exp=int(time.time()) - 31)))
    answer = await deployment.call(
        "GET",
        ORDERS,
        "",
        headers={"Authorization": f"Bearer {deployment.issuer.sign(claims(exp=int(time.time()) - 5))}"},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "other",
    [
        {"aud": "https://elsewhere.test"},
        {"aud": []},
        {"iss": "https://evil.test"},
        {"iat": int(time.time()) + 50_000},
        {"nbf": int(time.time()) + 50_000},
        {"exp": "tomorrow"},
        {"exp": True},
        {"client_id": "nobody"},
        {"client_id": None},
        {"sub": ""},
        {"jti": None},
    ],
)
async def test_wrong_claims_are_401(deployment: Deployment, other: dict[str, Any]):
    """Audience, issuer, times, subject, consumer and id are all needed and all checked (RFC 9068)."""
    await refused(deployment, deployment.issuer.sign(claims(**other)))


async def test_no_algorithm_is_401(deployment: Deployment):
    """`none` is never an algorithm."""
    kid = deployment.issuer.jwks()["keys"][0]["kid"]
    for algorithm in ("none", "None", "NONE", None):
        header = {"alg": algorithm, "typ": "at+jwt", "kid": kid}
        await refused(deployment, f"{encoded(header)}.{encoded(claims())}.")


async def test_the_public_key_is_no_hmac_secret(deployment: Deployment):
    """A token signed by HMAC with our public key as its secret is refused."""
    key = jwk.RSAKey.import_key(deployment.issuer.jwks()["keys"][0])
    for algorithm in ("HS256", "RS256"):
        header = {"alg": algorithm, "typ": "at+jwt", "kid": deployment.issuer.jwks()["keys"][0]["kid"]}
        signed = f"{encoded(header)}.{encoded(claims())}"
        mac = hmac.new(key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
        await refused(deployment, f"{signed}.{encoded(mac)}")


async def test_an_algorithm_that_the_key_does_not_say_is_401(deployment: Deployment):
    """The key is for RS256; PS256 with the same key is refused."""
    found = await refused(deployment, deployment.issuer.sign(claims(), alg="PS256"))
    assert "a key of its issuer that allows its algorithm" in found["detail"]


@pytest.mark.parametrize("kind", ["JWT", "id_token+jwt", "", "dpop+jwt"])
async def test_another_kind_of_token_is_401(deployment: Deployment, kind: str):
    """An ID token, or any other JWT of the same issuer, is no access token."""
    await refused(deployment, deployment.issuer.sign(claims(), typ=kind))


async def test_a_strangers_key_is_401(deployment: Deployment):
    """Neither an unknown kid, nor our kid on another key, nor a key named in the header is believed."""
    stranger = jwk.RSAKey.generate_key(2048)
    kid = deployment.issuer.jwks()["keys"][0]["kid"]
    for header in (
        {"kid": "unknown"},
        {"kid": kid},
        {"kid": "../../etc/passwd"},
        {"kid": kid, "jku": "https://evil.test/jwks.json"},
        {"kid": "x", "jwk": stranger.as_dict(private=False)},
    ):
        full = {"alg": "RS256", "typ": "at+jwt", **header}
        await refused(deployment, jwt.encode(full, claims(), stranger, algorithms=["RS256"]))


async def test_a_changed_token_is_401(deployment: Deployment):
    """A payload that was changed after signing does not hold."""
    header, _, signature = deployment.issuer.sign(claims()).split(".")
    await refused(deployment, f"{header}.{encoded(claims(scope='*'))}.{signature}")


async def test_an_unknown_critical_header_is_401(deployment: Deployment):
    """What a token declares critical and we do not know, we do not pass over."""
    for more in ({"crit": ["exotic"], "exotic": True}, {"crit": 5}, {"crit": ["missing"]}, {"b64": False}):
        await refused(deployment, hand_signed(deployment, **more))


async def test_nothing_of_a_token_is_in_the_answer_or_the_log(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
):
    """A refused token is repeated nowhere."""
    token = deployment.issuer.sign(claims(aud="elsewhere"))
    found = await refused(deployment, token)
    assert token.split(".")[1][:40] not in str(found) + caplog.text


async def test_the_floor_learns_who_calls(deployment: Deployment):
    """Subject and consumer reach the tier by the context."""
    token = deployment.issuer.mint("ci", subject="pat@example.com")
    answer = await deployment.call("GET", ORDERS, "", headers={"Authorization": f"Bearer {token}"})
    assert (answer.json()["subject"], answer.json()["consumer"]) == ("pat@example.com", "ci")


ISSUER = Issuer(issuer="https://login.test", jwks_uri="https://login.test/jwks", audience="api")


class FakeIssuer:
    """An issuer elsewhere, with keys that turn over."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.fetches = 0
        self.down = False
        self.keys: dict[str, jwk.ECKey] = {}
        self.document: dict[str, Any] = {"keys": []}
        self.rotate("one")

    def rotate(self, *kids: str) -> None:
        for kid in kids:
            self.keys.setdefault(kid, jwk.ECKey.generate_key("P-256"))
        self.document = {"keys": [{**self.keys[kid].as_dict(private=False), "kid": kid} for kid in kids]}

    async def fetch(self, address: str) -> dict[str, Any]:
        self.fetches += 1
        assert address == ISSUER.jwks_uri
        if self.down:
            raise OSError("no route")
        return self.document

    def sign(self, kid: str, **header: Any) -> str:
        full = {"alg": "ES256", "typ": "at+jwt", "kid": kid, **header}
        content = claims(iss=ISSUER.issuer, aud=["other", "api"])
        return jwt.encode(full, content, self.keys[kid], algorithms=["ES256"])

    def verifier(self) -> Verifier:
        keys = IssuerKeys(address=ISSUER.jwks_uri, fetch=self.fetch, clock=lambda: self.now)
        return Verifier({ISSUER.issuer: (ISSUER, keys)}, Rules("ours"))


async def test_an_issuers_keys_are_fetched_once_and_again_when_a_kid_is_new():
    """A key that turns over is found without a restart."""
    other = FakeIssuer()
    verifier = other.verifier()
    for _ in range(3):
        assert (await verifier.verify(other.sign("one"))).consumer == "ci"
    assert other.fetches == 1
    other.rotate("one", "two")
    other.now += 11
    await verifier.verify(other.sign("two"))
    assert other.fetches == 2


async def test_made_up_kids_do_not_make_us_fetch_without_end():
    """Unknown kids cause a bounded number of fetches."""
    other = FakeIssuer()
    verifier = other.verifier()
    await verifier.verify(other.sign("one"))
    other.now += 11
    for number in range(50):
        other.keys[f"fake-{number}"] = jwk.ECKey.generate_key("P-256")
        with pytest.raises(InvalidToken):
            await verifier.verify(other.sign(f"fake-{number}"))
    assert other.fetches == 2


async def test_a_key_that_was_withdrawn_is_not_believed_for_long():
    """Keys are fetched anew after a while even when every kid is known."""
    other = FakeIssuer()
    verifier = other.verifier()
    await verifier.verify(other.sign("one"))
    old = other.sign("one")
    other.rotate("two")
    other.now += 301
    with pytest.raises(InvalidToken):
        await verifier.verify(old)


async def test_identity_fails_closed_when_the_keys_cannot_be_had():
    """Known keys hold for a while without their issuer; then nobody is believed, and it is 503."""
    other = FakeIssuer()
    verifier = other.verifier()
    await verifier.verify(other.sign("one"))
    other.down = True
    other.now += 400
    await verifier.verify(other.sign("one"))
    other.now += 600
    with pytest.raises(Unavailable):
        await verifier.verify(other.sign("one"))


async def test_symmetric_and_encryption_keys_of_an_issuer_are_left_out():
    """A key set may name keys that are not for us."""
    other = FakeIssuer()
    other.document["keys"] += [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct", "alg": "HS256"},
        {**other.keys["one"].as_dict(private=False), "kid": "enc", "use": "enc"},
        {"kty": "RSA", "kid": "broken"},
    ]
    keys = IssuerKeys(document=other.document)
    assert len(await keys.find("one", "ES256")) == 1
    assert [await keys.find(kid, "ES256") for kid in ("oct", "enc", "broken")] == [[], [], []]


async def test_the_key_survives_a_restart(keys_folder: Path, deployment: Deployment):
    """A token of before the restart still holds."""
    again = Deployment(keys_folder)
    token = deployment.issuer.mint("ci")
    answer = await again.call("GET", ORDERS, "", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_nobody_else_may_read_the_issuers_files(keys_folder: Path, deployment: Deployment):
    """Key and secret are readable by their owner alone."""
    assert deployment.issuer.jwks()["keys"]
    assert {path.name: path.stat().st_mode & 0o777 for path in keys_folder.iterdir()} == {
        "issuer.keys.json": 0o600,
        "issuer.secret": 0o600,
    }


async def test_a_kid_that_was_not_there_causes_no_fetch_for_a_while():
    """A client that keeps sending a withdrawn kid does not make us ask its issuer again and again."""
    other = FakeIssuer()
    verifier = other.verifier()
    await verifier.verify(other.sign("one"))
    other.keys["gone"] = jwk.ECKey.generate_key("P-256")
    for _ in range(4):
        other.now += 11
        with pytest.raises(InvalidToken):
            await verifier.verify(other.sign("gone"))
    assert other.fetches == 2
    other.now += 30
    other.rotate("one", "gone")
    assert (await verifier.verify(other.sign("gone"))).consumer == "ci"


async def test_an_issuer_that_hangs_makes_one_caller_wait_and_not_all():
    """While keys are fetched anew, those that are known and not too old are believed at once."""
    other = FakeIssuer()
    gate = asyncio.Event()
    gate.set()

    async def fetch(address: str) -> dict[str, Any]:
        await gate.wait()
        return await other.fetch(address)

    keys = IssuerKeys(address=ISSUER.jwks_uri, fetch=fetch, clock=lambda: other.now)
    assert await keys.find("one", "ES256")
    gate.clear()
    other.now += 400
    waiting = asyncio.create_task(keys.find("one", "ES256"))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(keys.find("one", "ES256"), 20)
    assert not waiting.done()
    gate.set()
    assert await waiting


async def test_a_key_set_is_bounded():
    """Of a key set without end a hundred keys are read, and none under a kid without end."""
    made = jwk.ECKey.generate_key("P-256").as_dict(private=False)
    many = {"keys": [{**made, "kid": str(number)} for number in range(150)]}
    keys = IssuerKeys(document={"keys": [{**made, "kid": "k" * 300}, *many["keys"]]})
    assert await keys.find("98", "ES256")
    assert [await keys.find(kid, "ES256") for kid in ("99", "k" * 300)] == [[], []]


@pytest.mark.parametrize("document", [{}, {"keys": 7}, {"keys": [7]}, {"keys": None}])
async def test_a_key_set_that_is_none_leaves_the_old_keys(document: dict[str, Any]):
    """Rubbish from an issuer is as good as no answer."""
    other = FakeIssuer()
    verifier = other.verifier()
    await verifier.verify(other.sign("one"))
    other.document = document
    other.now += 301
    assert (await verifier.verify(other.sign("one"))).consumer == "ci"
    assert other.fetches == 2
