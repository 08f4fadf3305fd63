"""tests of kit/http: credentials in a header, in the query and in the body, and tokens in such places."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from kit.http import ApiKeyLogin, Basic, ClientCredentials, Credentials, InBody, Outbound
from kit.http.answer import VendorAnswer
from kit.secrets import Secret
from kit.telemetry import tracing
from tests.kit.http.stand import Asked, Reply, Stand

Open = Callable[..., Outbound]


async def test_basic(stand: Stand, client: Open) -> None:
    """User and password go as RFC 7617 says, also a key in the user's place and letters beyond ASCII."""
    await client(auth=Basic(Secret("key"), "x")).send("GET", "/x")
    await client(auth=Basic("Aladdin", Secret("öpen"))).send("GET", "/x")
    assert stand.asked[0].headers["authorization"] == "Basic a2V5Ong="
    assert stand.asked[1].headers["authorization"] == "Basic QWxhZGRpbjrDtnBlbg=="


async def test_key_in_a_header(stand: Stand, client: Open) -> None:
    """A key goes into the header that the vendor names, after its prefix."""
    await client(auth=ApiKeyLogin(Secret("k1"), header="Authorization", prefix="Token ")).send("GET", "/x")
    assert stand.asked[0].headers["authorization"] == "Token k1"


@pytest.mark.parametrize("params", [None, {"page": "2"}])
async def test_key_in_the_query(stand: Stand, client: Open, params: dict[str, str] | None) -> None:
    """A key goes into the query beside what the call has there, also in a link of the vendor's own."""
    path = "/x" if params else "/x?page=2"
    await client(auth=ApiKeyLogin(Secret("k&1"), query="hapikey")).send("GET", path, params=params)
    assert stand.asked[0].path == "/x?page=2&hapikey=k%261"


@pytest.mark.parametrize("places", [{}, {"header": "a", "query": "b"}])
def test_a_key_has_one_place(places: dict[str, str]) -> None:
    """A key without a place, or with two, is refused when it is built."""
    with pytest.raises(ValueError, match="one header or"):
        ApiKeyLogin(Secret("k"), **places)


async def test_credentials_in_the_body(stand: Stand, client: Open) -> None:
    """Credentials are written into each body when it is sent, so that no call holds them before."""

    def write(body: bytes) -> bytes:
        return body.replace(b"<credentials/>", b'<credentials login="svc" password="p"/>')

    await client(auth=InBody(write)).send("POST", "/api", body=b"<call><credentials/></call>", effect=False)
    assert stand.asked[0].body == b'<call><credentials login="svc" password="p"/></call>'


async def test_a_token_in_the_body_that_expires(stand: Stand, client: Open) -> None:
    """A token that belongs into the body is renewed when a 200 says that it is no longer accepted."""
    granted = 0

    async def answer(asked: Asked) -> Reply:
        nonlocal granted
        if asked.path == "/token":
            granted += 1
            return Reply(body=b'{"access_token":"t%d"}' % granted)
        return Reply(body=b"yes" if b'token="t2"' in asked.body else b"authentication failed")

    def place(token: Mapping[str, Any]) -> Credentials:
        text = f'<c token="{token["access_token"]}"/>'.encode()
        return Credentials(body=lambda body: body.replace(b"<c/>", text))

    def expired(given: VendorAnswer) -> bool:
        return b"authentication failed" in given.body

    stand.answer = answer
    auth = ClientCredentials(f"{stand.url}/token", "me", Secret("s"), place=place)
    found = await client(auth=auth, login_expired=expired).send("POST", "/api", body=b"<c/>", effect=False)
    assert found.body == b"yes"
    assert granted == 2


def test_a_login_does_not_show_itself() -> None:
    """Printed, a login shows none of its credentials."""
    assert "k1" not in repr(Credentials(headers={"X": "k1"}, params={"q": "k1"}))


async def test_no_span_has_a_query() -> None:
    """What is recorded of a call has its address without the query, where a key may stand."""
    span = TracerProvider().get_tracer("t").start_span("GET", attributes={"http.url": "https://v/x?key=k1"})
    await tracing._hide_query(span, None)  # pyright: ignore[reportPrivateUsage]
    assert span.attributes == {"http.url": "https://v/x"}  # pyright: ignore[reportAttributeAccessIssue]
