"""tests/gateway: the gateway behind a real server, byte by byte."""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.ports import free_port
from contracts.problems import BodyTooLarge
from gateway.exchange import Exchange
from tests.gateway.deployment import Deployment
from tests.support.processes import GRANIAN, running

ORDERS = "/experience/shop/v1/orders"
UVICORN = ["uvicorn", "--host", "127.0.0.1", "--log-level", "warning"]


@pytest.fixture(scope="module", params=["granian", "uvicorn"])
def port(request: pytest.FixtureRequest, keys_folder: Path) -> Iterator[int]:
    """The port of a server with the demo house."""
    with serving(request.param, keys_folder) as number:
        yield number


@contextmanager
def serving(server: str, keys_folder: Path, app: str = "tests.gateway.served:app") -> Iterator[int]:
    """A server with the demo house, at a port, for the length of the block."""
    number = free_port()
    command = GRANIAN if server == "granian" else UVICORN
    arguments = (*command, "--port", str(number), app)
    with running(*arguments, environ={"ISSUER_FOLDER": str(keys_folder)}) as process:
        _await_port(number, process)
        yield number


def _await_port(number: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server did not start"
        with closing(socket.socket()) as attempt:
            if attempt.connect_ex(("127.0.0.1", number)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the server does not listen")


async def speak(port: int, *parts: bytes) -> tuple[int, bytes, bytes]:
    """Send bytes as they are; the answer's status, headers and body (as far as Content-Length says)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(15):
            head = await reader.readuntil(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            body = await reader.readexactly(int(length[0].split(b":")[1])) if length else b""
    finally:
        writer.close()
    return int(head.split()[1]), head, body


def lines(method: str, path: str, *headers: str, host: str = "Host: gateway.test") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", *([host] if host else []), *headers, "", ""]).encode()


def bearer(deployment: Deployment) -> str:
    return f"Authorization: Bearer {deployment.token('ci')}"


async def test_a_read_with_a_query_answers(port: int, deployment: Deployment):
    """Path and query arrive as they were sent."""
    status, head, body = await speak(port, lines("GET", f"{ORDERS}?limit=7&state=open", bearer(deployment)))
    assert status == 200, head
    assert b'"id":"7-open-False"' in body


async def test_an_encoded_id_is_the_same_id(port: int, deployment: Deployment):
    """A colon may be written as it is or encoded."""
    for path in (f"{ORDERS}/a:b", f"{ORDERS}/a%3Ab"):
        status, _, body = await speak(port, lines("GET", path, bearer(deployment)))
        assert (status, b'"id":"a:b"' in body) == (200, True)


async def test_a_body_in_chunks_is_read(port: int, deployment: Deployment):
    """A chunked body is a body."""
    body = b'{"customer":"acme","lines":[{"name":"tea"}]}'
    headers = lines(
        "POST",
        ORDERS,
        bearer(deployment),
        "Idempotency-Key: chunked-0001",
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
    )
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:10], body[10:])]
    status, _, answer = await speak(port, headers, *chunks, b"0\r\n\r\n")
    assert (status, b'"id":"acme"' in answer) == (202, True)


async def test_a_body_that_trickles_is_given_up(port: int, deployment: Deployment):
    """A caller that holds back its body is answered after the deadline, and not waited for."""
    headers = lines(
        "POST",
        ORDERS,
        bearer(deployment),
        "Idempotency-Key: trickle-0001",
        "Content-Type: application/json",
        "Content-Length: 100",
    )
    status, _, body = await speak(port, headers, b'{"custo')
    assert (status, b"did not arrive" in body) == (400, True)


async def test_a_form_that_trickles_gets_oauths_own_error(port: int):
    """At the token endpoint, too, a body that is held back is given up (RFC 6749 section 5.2)."""
    form = ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 100")
    status, head, body = await speak(port, lines("POST", "/oauth/token", *form), b"grant_ty")
    assert (status, json.loads(body)["error"]) == (400, "invalid_request")
    assert b"connection: close" in head.lower()


async def test_a_large_body_is_refused_unread(port: int, deployment: Deployment):
    """413 comes before the body does."""
    headers = lines(
        "POST", ORDERS, bearer(deployment), "Content-Type: application/json", "Content-Length: 100000000"
    )
    status, _, _ = await speak(port, headers)
    assert status == 413


async def test_a_caller_that_sends_a_large_body_reads_its_refusal(port: int, deployment: Deployment):
    """What is under way is discarded before the connection is closed: the answer is not lost by a reset."""
    size = 8_000_000
    for path in (ORDERS, "/oauth/token"):
        headers = lines(
            "POST", path, bearer(deployment), "Content-Type: application/json", f"Content-Length: {size}"
        )
        status, _, _ = await speak(port, headers, b" " * size)
        assert status == 413


async def test_a_refused_body_is_discarded_for_its_time_only():
    """A caller that goes on byte by byte holds its request no longer than a body may take."""

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x", "more_body": True}

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}
    exchange = Exchange(scope, receive)
    exchange.body_seconds = 0.05
    async with asyncio.timeout(10):
        with pytest.raises(BodyTooLarge):
            await exchange.refuse_body(1)


async def test_a_large_body_in_chunks_is_cut_off(port: int, deployment: Deployment):
    """A body without a length is counted."""
    headers = lines(
        "POST",
        ORDERS,
        bearer(deployment),
        "Idempotency-Key: large-00001",
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
    )
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    status, _, _ = await speak(port, headers, *([chunk] * 4))
    assert status == 413


@pytest.mark.parametrize(
    ("request_bytes", "statuses"),
    [
        (lines("GET", "/health/live", host=""), {400}),
        (lines("GET", "/health/live", "Host: other.test"), {400}),
        (lines("GET", "/%2e%2e/health/live"), {400}),
        (lines("GET", "/apis/../health/live"), {400}),
        (lines("GET", "//health/live"), {400}),
        (lines("GET", "/health/live", "X-Large: " + "x" * 20_000), {431}),
        (lines("GET", "/health/live", "X-Large: " + "x" * 400_000), {400, 431}),
        (lines("GET", "/health/live?" + "x" * 9_000), {414}),
        # A server may know fewer methods than we refuse.
        (lines("BREW", "/health/live"), {400, 405}),
    ],
)
async def test_strange_requests_are_refused(port: int, request_bytes: bytes, statuses: set[int]):
    """A missing Host, tricks in paths, large headers and odd methods, whatever the server lets by."""
    try:
        status, _, _ = await speak(port, request_bytes)
    except (ConnectionError, asyncio.IncompleteReadError):
        status = 431  # the server closed the gateway itself
    assert status in statuses


async def test_a_length_and_chunks_together_smuggle_nothing(port: int, deployment: Deployment):
    """Whichever of the two a server believes, what is hidden behind is never a second request of ours."""
    hidden = lines("GET", f"{ORDERS}/hidden", bearer(deployment))
    headers = lines(
        "POST",
        f"{ORDERS}/o-1/poke",
        bearer(deployment),
        "Content-Type: application/json",
        f"Content-Length: {len(hidden) + 5}",
        "Transfer-Encoding: chunked",
        "Connection: close",
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(headers + b"0\r\n\r\n" + hidden)
    await writer.drain()
    async with asyncio.timeout(15):
        answer = await reader.read()
    writer.close()
    assert b'"id":"hidden"' not in answer


async def test_head_has_no_body(port: int, deployment: Deployment):
    """After HEAD the connection is free for the next request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(lines("HEAD", f"{ORDERS}/o-1", bearer(deployment)) + lines("GET", "/health/live"))
    async with asyncio.timeout(15):
        first = await reader.readuntil(b"\r\n\r\n")
        second = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert (first.split()[1], second.split()[1]) == (b"200", b"200")
