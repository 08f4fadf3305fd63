"""tests/gateway: what the wire lets in."""

from typing import Any

import pytest

from gateway.pipeline import GatewaySettings
from gateway.policies.wire import WireSettings
from tests.gateway.deployment import ORDER, Deployment, problem

SHOP = "/experience/shop/v1/orders"


async def test_an_address_that_is_too_long_is_414(deployment: Deployment):
    """A long query is refused before anything is looked up."""
    problem(await deployment.call("GET", f"{SHOP}?limit={'1' * 9000}"), 414, "uri_too_long")


async def test_headers_that_are_too_large_are_431(deployment: Deployment):
    """So are large headers."""
    problem(
        await deployment.call("GET", f"{SHOP}/a", headers={"X-Large": "x" * 20_000}), 431, "headers_too_large"
    )


async def test_too_many_headers_are_431(deployment: Deployment):
    """So are many headers."""
    many = {f"X-{number}": "x" for number in range(120)}
    problem(await deployment.call("GET", f"{SHOP}/a", headers=many), 431, "headers_too_large")


async def test_a_body_that_says_it_is_too_large_is_413(deployment: Deployment):
    """A body over the limit is refused by its length, unread."""
    answer = await deployment.place(content=b"x" * 1_100_000, json=None)
    problem(answer, 413, "body_too_large")


async def test_a_body_that_turns_out_too_large_is_413(deployment: Deployment):
    """A chunked body is counted while it is read."""

    async def chunks():
        for _ in range(30):
            yield b"x" * 50_000

    headers = {"Idempotency-Key": "key-chunked-1", "Content-Type": "application/json"}
    problem(await deployment.call("POST", SHOP, headers=headers, content=chunks()), 413, "body_too_large")


async def test_a_body_that_does_not_come_is_given_up(keys_folder: Any):
    """A caller that stops in the middle of a body is told so after the deadline."""
    deployment = Deployment(keys_folder, GatewaySettings(wire=WireSettings(body_seconds=0.05)))
    sent: list[dict[str, Any]] = []
    scope = _scope(
        "POST",
        SHOP,
        [
            (b"host", b"gateway.test"),
            (b"authorization", b"Bearer " + deployment.token("ci").encode()),
            (b"idempotency-key", b"key-slowbody"),
            (b"content-type", b"application/json"),
            (b"content-length", b"10"),
        ],
    )

    async def receive() -> dict[str, Any]:
        if not sent and not hasattr(receive, "told"):
            receive.told = True  # pyright: ignore[reportFunctionMemberAccess]
            return {"type": "http.request", "body": b"{", "more_body": True}
        import asyncio  # noqa: PLC0415

        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await deployment.gateway(scope, receive, send)
    assert sent[0]["status"] == 400


@pytest.mark.parametrize(
    "kind", ["text/plain", "text/xml", "application/x-www-form-urlencoded", "application/vnd.api+json", ""]
)
async def test_a_body_of_another_content_type_than_json_is_415(deployment: Deployment, kind: str):
    """An API takes JSON only, and names no other type (RFC 9110 §15.5.16)."""
    headers = {"Idempotency-Key": "key-00000002", "Content-Type": kind}
    answer = await deployment.call("POST", SHOP, headers=headers, content=b"<a/>")
    found = problem(answer, 415, "unsupported_media_type")
    assert found["detail"] == "The body's Content-Type must be application/json"
    assert answer.headers["accept"] == "application/json"


async def test_a_type_is_not_asked_for_where_no_body_is_taken(deployment: Deployment):
    """An operation without a body refuses one of any type, and names none."""
    sent = {"content": b"hello", "headers": {"Content-Type": "text/plain"}}
    problem(await deployment.call("POST", f"{SHOP}/a/poke", **sent), 422, "invalid")


async def test_compressed_bodies_are_415(deployment: Deployment):
    """A compressed body could grow behind us, so none is taken."""
    headers = {"Idempotency-Key": "key-00000002", "Content-Encoding": "gzip"}
    problem(await deployment.call("POST", SHOP, headers=headers, json=ORDER), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "path",
    [
        f"{SHOP}/%2e%2e/x",
        f"{SHOP}/%2E",
        f"{SHOP}/.%2e",
        f"{SHOP}/a%2Fb",
        f"{SHOP}//a",
        f"{SHOP}/a%00b",
        f"{SHOP}/a%5Cb",
    ],
)
async def test_a_path_that_can_be_read_in_two_ways_is_400(deployment: Deployment, path: str):
    """Nobody behind us shall read another path than we did."""
    problem(await deployment.call("GET", path), 400, "bad_request")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"gateway.test"), (b"host", b"other.test")],
        [(b"host", b"gateway.test\\@evil")],
        [(b"host", b"gateway.test"), (b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")],
    ],
)
async def test_missing_doubled_or_malformed_single_headers_are_400(
    deployment: Deployment, headers: list[Any]
):
    """A header that decides something is there once and well-formed."""
    assert await _status(deployment, _scope("GET", SHOP, headers)) == 400


@pytest.mark.parametrize(
    "value",
    [
        "close, Authorization",
        "If-Match",
        "Idempotency-Key, keep-alive",
        "X-Forwarded-For",
        "x-forwarded-host,close",
        "Content-Length",
        "close, DPoP",
        "Client-Cert",
        "Cache-Control",
    ],
)
async def test_connection_may_not_name_headers_that_decide(deployment: Deployment, value: str):
    """No proxy in between shall be made to drop what we go by (RFC 9110 §7.6.1)."""
    problem(await deployment.call("GET", f"{SHOP}/a", headers={"Connection": value}), 400, "bad_request")


@pytest.mark.parametrize(
    "value",
    [
        "close",
        "Keep-Alive",
        "keep-alive, Upgrade",
        "Upgrade, HTTP2-Settings",
        "TE",
        "TE, close",
        "close, X-Trace",
        "X-Trace,Keep-Alive",
        "Proxy-Connection",
        "close,,",
    ],
)
async def test_connection_may_name_what_is_its_own(deployment: Deployment, value: str):
    """What every client may say of its connection is not held against it."""
    assert (await deployment.call("GET", f"{SHOP}/a", headers={"Connection": value})).status_code == 200


async def test_a_length_of_thousands_of_digits_is_413(deployment: Deployment):
    """Also one of which Python would make no number."""
    headers = [(b"host", b"gateway.test"), (b"content-length", b"9" * 5000)]
    assert await _status(deployment, _scope("POST", SHOP, headers)) == 413


async def test_length_and_chunks_together_are_400(deployment: Deployment):
    """Two ways to say where a body ends are one too many."""
    headers = [(b"host", b"gateway.test"), (b"content-length", b"3"), (b"transfer-encoding", b"chunked")]
    assert await _status(deployment, _scope("POST", SHOP, headers)) == 400


def _scope(method: str, path: str, headers: list[Any]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def _status(deployment: Deployment, scope: dict[str, Any]) -> int:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await deployment.gateway(scope, receive, send)
    return sent[0]["status"]
