"""tests of kit/http: logging in, once for all, and again when a token dies."""

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from contracts.problems import VendorRejected, VendorUnavailable
from kit.http import (
    LOGIN_FAILED,
    Bearer,
    ClientAssertion,
    ClientCredentials,
    JwtBearer,
    Limits,
    Outbound,
)
from kit.secrets import Secret
from tests.kit.http.stand import Asked, Reply, Stand

Open = Callable[..., Outbound]


class TokenShop:
    """Grants token-1, token-2, …; takes only the newest."""

    def __init__(self, stand: Stand) -> None:
        self.granted = 0
        self.forms: list[dict[str, list[str]]] = []
        self.headers: list[dict[str, str]] = []
        stand.answer = self.answer

    async def answer(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            self.granted += 1
            self.forms.append(parse_qs(asked.body.decode()))
            self.headers.append(asked.headers)
            return Reply(body=b'{"access_token":"token-%d","expires_in":"3600"}' % self.granted)
        good = asked.headers.get("authorization") == f"Bearer token-{self.granted}"
        return Reply() if good else Reply(401)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def credentials(stand: Stand, **more: object) -> ClientCredentials:
    return ClientCredentials(f"{stand.url}/token", "me", Secret("s3cr:et"), **more)  # pyright: ignore[reportArgumentType]


async def test_one_login_for_all(stand: Stand, client: Open) -> None:
    """Twenty first calls at once log in once."""
    shop = TokenShop(stand)
    outbound = client(auth=credentials(stand))
    await asyncio.gather(*(outbound.send("GET", "/x") for _ in range(20)))
    assert shop.granted == 1
    assert shop.headers[0]["authorization"] == "Basic bWU6czNjciUzQWV0"


async def test_one_renewal_for_all(stand: Stand, client: Open) -> None:
    """A token that died under twenty calls is renewed once, and every call then succeeds."""
    shop = TokenShop(stand)
    outbound = client(auth=credentials(stand, style="body"))
    await outbound.send("GET", "/x")
    shop.granted += 1  # the vendor now takes only a token that nobody has
    await asyncio.gather(*(outbound.send("POST", "/x") for _ in range(20)))
    assert shop.granted == 3
    assert shop.forms[1]["client_secret"] == ["s3cr:et"]


async def test_a_401_that_stays(stand: Stand, client: Open) -> None:
    """A fresh token that is refused, too, ends the call after one renewal."""
    stand.answer = refuse_all
    with pytest.raises(VendorRejected):
        await client(auth=credentials(stand)).send("GET", "/x")
    assert [asked.path for asked in stand.asked] == ["/token", "/x", "/token", "/x"]


async def test_a_lost_login_leaves_no_doubt(stand: Stand, client: Open) -> None:
    """When the login's answer is lost, what it was for was surely not sent, and is tried again."""
    stand.script(Reply(drop=True), Reply(body=b'{"access_token":"t"}'), Reply())
    await client(auth=credentials(stand)).send("POST", "/x")
    assert [asked.path for asked in stand.asked] == ["/token", "/token", "/x"]


async def refuse_all(asked: Asked) -> Reply:
    return Reply(body=b'{"access_token":"t"}') if asked.path == "/token" else Reply(401)


async def test_a_static_token_is_not_renewed(stand: Stand, client: Open) -> None:
    """A bearer token from the configuration is sent once."""
    stand.script(Reply(401))
    with pytest.raises(VendorRejected):
        await client(auth=Bearer(Secret("t"))).send("GET", "/x")
    assert len(stand.asked) == 1


async def test_a_refused_login_is_not_repeated(stand: Stand, client: Open) -> None:
    """A refused login is told by its code, and not tried again at once: vendors lock accounts."""
    stand.script(Reply(400, body=b'{"error":"invalid_grant","error_description":"user bob is locked"}'))
    outbound = client(auth=credentials(stand))
    for _ in range(2):
        with pytest.raises(VendorRejected) as caught:
            await outbound.send("GET", "/x")
        assert "invalid_grant" in caught.value.detail
        assert "bob" not in caught.value.detail
    assert len(stand.asked) == 1


async def test_a_login_server_that_is_down(stand: Stand, client: Open) -> None:
    """A login server's own failure is the vendor being unavailable."""
    stand.script(Reply(503))
    with pytest.raises(VendorUnavailable):
        await client(auth=credentials(stand)).send("GET", "/x")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(400, body=b'{"error":"invalid_grant","error_description":"login rate exceeded"}'),
        Reply(400, body=b'{"error":"temporarily_unavailable"}'),
        Reply(400, body=b'{"error":"server_error"}'),
        Reply(400, body=b'{"error":"unknown_error","error_description":"retry your request"}'),
        Reply(403, body=b'{"error":"rate_limit_exceeded"}'),
        Reply(403, body=b"<html><title>Too many requests</title></html>"),
        Reply(408, body=b""),
        Reply(502, body=b"<html>Bad gateway</html>"),
        Reply(200, body=b"<html>We are down for maintenance</html>"),
        Reply(200, body=b'{"error":"temporarily_unavailable"}'),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[-40:].decode()}",
)
async def test_a_login_refused_for_a_while_is_tried_again(stand: Stand, client: Open, reply: Reply) -> None:
    """What may end by itself is no refusal of our credentials, whatever code or page it comes with."""
    stand.script(reply, reply, reply, Reply(body=b'{"access_token":"t"}'), Reply())
    outbound = client(auth=credentials(stand, rest=0.0), limits=Limits(attempts=1))
    for _ in range(3):
        with pytest.raises(VendorUnavailable) as caught:
            await outbound.send("GET", "/x")
        assert caught.value.extra[LOGIN_FAILED]
    await outbound.send("GET", "/x")
    assert [asked.path for asked in stand.asked] == [*["/token"] * 4, "/x"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":"invalid_grant","error_description":"expired access/refresh token"}',
        b'{"error":"invalid_client","error_description":"invalid client credentials"}',
        b'{"error":"invalid_grant","error_description":"authentication failure"}',
        b'{"error":"inactive_user","error_description":"user is inactive"}',
        b'{"error":"invalid_grant","error_description":"ip restricted"}',
        b"<html>Forbidden</html>",
        b'{"error":"invalid_grant"}',
    ],
)
async def test_a_login_refused_for_good_is_a_refusal(stand: Stand, client: Open, body: bytes) -> None:
    """Words about our credentials are final, and the problem says that the login failed, not the call."""
    stand.script(Reply(400, body=body))
    with pytest.raises(VendorRejected) as caught:
        await client(auth=credentials(stand)).send("GET", "/x")
    assert caught.value.extra[LOGIN_FAILED]


async def test_client_assertion(stand: Stand, client: Open) -> None:
    """The assertion names the client, the audience, the scopes and the key, and its signature holds."""
    shop = TokenShop(stand)
    key = ec.generate_private_key(ec.SECP256R1())
    auth = ClientAssertion(
        f"{stand.url}/token", client_id="me", key=Secret(pem(key)), alg="ES256", kid="k1", scope=("rest",)
    )
    await client(auth=auth).send("GET", "/x")
    token = jwt.decode(shop.forms[0]["client_assertion"][0], ECKey.import_key(pem(key)), algorithms=["ES256"])
    assert token.header["kid"] == "k1"
    assert token.claims["iss"] == "me"
    assert token.claims["aud"] == f"{stand.url}/token"
    assert token.claims["scope"] == ["rest"]


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
async def test_jwt_bearer(stand: Stand, client: Open, alg: str) -> None:
    """The grant is an assertion about the subject, signed as asked; its whole answer can be read."""
    shop = TokenShop(stand)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    auth = JwtBearer(
        f"{stand.url}/token", issuer="me", subject="bob", audience="https://l", key=Secret(pem(key)), alg=alg
    )
    await client(auth=auth).send("GET", "/x")
    token = jwt.decode(shop.forms[0]["assertion"][0], RSAKey.import_key(pem(key)), algorithms=[alg])
    assert (token.claims["iss"], token.claims["sub"], token.claims["aud"]) == ("me", "bob", "https://l")
    assert (await auth.token())["expires_in"] == "3600"


async def test_a_key_that_is_none(stand: Stand, client: Open) -> None:
    """A broken private key is told without a word of it."""
    auth = ClientAssertion(f"{stand.url}/token", client_id="me", key=Secret("hunter2"), alg="ES256", kid="k1")
    with pytest.raises(VendorRejected) as caught:
        await client(auth=auth).send("GET", "/x")
    assert "hunter2" not in str(caught.value)
