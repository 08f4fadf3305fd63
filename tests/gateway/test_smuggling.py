"""tests/gateway: requests that two readers might read in two ways, byte by byte against the served door."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.deployment import Deployment
from tests.gateway.test_sockets import serving

HOST = b"Host: gateway.test\r\n"
HIDDEN = b"GET /apis/problems HTTP/1.1\r\nHost: gateway.test\r\n\r\n"
GET = b"GET /health/live HTTP/1.1\r\n" + HOST
POST = b"POST /experience/shop/v1/orders/o-1/poke HTTP/1.1\r\nAuthorization: Bearer TOKEN\r\n" + HOST
JSON = b"Content-Type: application/json\r\n"
CHUNKED = POST + JSON + b"Transfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"

# What follows each is a request of its own for whoever was led astray about where the first one ends.
REFUSED = {
    "codings, chunked first": POST + JSON + b"Transfer-Encoding: chunked, identity\r\n\r\n" + END,
    "codings, chunked last": POST + JSON + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + END,
    "codings on a read": GET + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + END,
    "coding named twice": CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n" + END,
    "coding and another": CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + END,
    "coding that is none": POST + JSON + b"Transfer-Encoding: xchunked\r\n\r\n" + END,
    "coding identity": POST + JSON + b"Transfer-Encoding: identity\r\n\r\n" + END,
    "coding quoted": POST + JSON + b'Transfer-Encoding: "chunked"\r\n\r\n' + END,
    "coding after a vertical tab": POST + JSON + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + END,
    "coding before its colon a space": POST + JSON + b"Transfer-Encoding : chunked\r\n\r\n" + END,
    "coding folded": POST + JSON + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + END,
    "coding in HTTP/1.0": CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n" + END,
    "lengths that differ": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "lengths in a list": POST + b"Content-Length: 0, 44\r\n\r\n",
    "length with a plus": POST + b"Content-Length: +0\r\n\r\n",
    "length below zero": POST + b"Content-Length: -1\r\n\r\n",
    "length in hex": POST + b"Content-Length: 0x0\r\n\r\n",
    "length with a space inside": POST + b"Content-Length: 0 0\r\n\r\n",
    "length with an underscore": POST + b"Content-Length: 0_0\r\n\r\n",
    "length that is empty": POST + b"Content-Length:\r\n\r\n",
    "length beyond all numbers": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "length before its colon a space": POST + b"Content-Length : 0\r\n\r\n",
    "chunk below zero": CHUNKED + b"\r\n-1\r\n\r\n",
    "chunk beyond all numbers": CHUNKED + b"\r\nffffffffffffffffffff\r\n\r\n",
    "chunk with a prefix": CHUNKED + b"\r\n0x0\r\n\r\n",
    "chunk longer than it says": CHUNKED + b"\r\n2\r\n{}XX0\r\n\r\n",
    "chunk extension without end": CHUNKED + b"\r\n0;" + b"a" * 100_000 + b"\r\n\r\n",
    "chunk extension with a bare LF": CHUNKED + b"\r\n0;a=\nb\r\n\r\n",
    "header folded": GET + b"X-A: a\r\n b\r\n\r\n",
    "first header folded": b"GET /health/live HTTP/1.1\r\n Host: gateway.test\r\n\r\n",
    "bare CR": GET + b"X-A: a\rX-B: b\r\n\r\n",
    "NUL in a value": GET + b"X-A: a\x00b\r\n\r\n",
    "NUL in a name": GET + b"X\x00: a\r\n\r\n",
    "control character in a value": GET + b"X-A: a\x01b\r\n\r\n",
    "header without a name": GET + b": a\r\n\r\n",
    "header without a colon": GET + b"nonsense\r\n\r\n",
    "Host twice": GET + b"Host: evil.test\r\n\r\n",
    "Host missing": b"GET /health/live HTTP/1.1\r\n\r\n",
    "Host list": b"GET /health/live HTTP/1.1\r\nHost: gateway.test, evil.test\r\n\r\n",
    "Host with a user": b"GET /health/live HTTP/1.1\r\nHost: gateway.test@evil.test\r\n\r\n",
    "Host with a path": b"GET /health/live HTTP/1.1\r\nHost: gateway.test/x\r\n\r\n",
    "Host before its colon a space": b"GET /health/live HTTP/1.1\r\nHost : gateway.test\r\n\r\n",
    "HTTP/0.9": b"GET /health/live\r\n\r\n",
    "HTTP/2 in words": b"GET /health/live HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/2 by its preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.2": b"GET /health/live HTTP/1.2\r\n" + HOST + b"\r\n",
    "two spaces": b"GET  /health/live HTTP/1.1\r\n" + HOST + b"\r\n",
    "tabs for spaces": b"GET\t/health/live\tHTTP/1.1\r\n" + HOST + b"\r\n",
    "a space in the address": b"GET /health/live x HTTP/1.1\r\n" + HOST + b"\r\n",
}
# The chunks are believed, as RFC 9112 §6.3 has it, and nothing that follows is.
CLOSED = {
    "both, length believed": POST
    + JSON
    + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    "both, chunks believed": POST + JSON + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n",
    "both, on a read": GET + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + END,
}
# Read in one way only, and refused or answered as what they are; the request behind is then one of its own.
PLAIN = {
    "upgrade to h2c": (
        GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        200,
    ),
    "upgrade to a websocket": (
        GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
        200,
    ),
    "absolute address": (b"GET http://gateway.test/health/live HTTP/1.1\r\n" + HOST + b"\r\n", 200),
    "address of a tunnel": (b"CONNECT evil.test:80 HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "line ends in the address": (b"GET /health/live%0d%0aX-A:b HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "a header that looks like one": (GET + b"Content_Length: 5\r\n\r\n", 200),
}


@pytest.fixture(scope="module")
def port(keys_folder: Path) -> Iterator[int]:
    """The demo house behind the server of production."""
    with serving("granian", keys_folder) as number:
        yield number


async def speak(
    port: int, data: bytes, deployment: Deployment, *, patience: float = 10, ends: bool = True
) -> list[int]:
    """The statuses of all answers until the server closes, or has answered twice; with a good token.

    Fails when the connection has not ended in time, unless it need not: where the server waits for the rest
    of a body, it says `Connection: close` and answers no more, and the end comes when the caller leaves.
    """
    data = data.replace(b"TOKEN", deployment.token("ci").encode())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told = b""
    try:
        writer.write(data)
        async with asyncio.timeout(patience):
            while part := await reader.read(65_536):
                told += part
                if len(_statuses(told)) > 1:
                    break
    except ConnectionError:
        pass  # the server has closed the gateway
    except TimeoutError:
        if ends:
            raise
    finally:
        writer.close()
    return _statuses(told)


def _statuses(told: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3})", told)]


@pytest.mark.parametrize("name", REFUSED)
async def test_what_can_be_read_in_two_ways_is_refused_and_ends_the_connection(
    port: int, deployment: Deployment, name: str
):
    """One refusal at most, and never an answer to what was hidden behind."""
    assert await speak(port, REFUSED[name] + HIDDEN, deployment) in ([], [400])


@pytest.mark.parametrize("name", CLOSED)
async def test_a_length_beside_chunks_ends_the_conversation(port: int, deployment: Deployment, name: str):
    """Whatever the answer, it is the only one."""
    assert len(await speak(port, CLOSED[name] + HIDDEN, deployment, patience=2, ends=False)) <= 1


@pytest.mark.parametrize("name", PLAIN)
async def test_what_can_be_read_in_one_way_is_answered_as_that(port: int, deployment: Deployment, name: str):
    """No protocol is changed, no tunnel opened and no header made from an address."""
    data, status = PLAIN[name]
    assert (await speak(port, data + HIDDEN, deployment))[0] == status


async def test_chunk_extensions_mean_nothing(port: int, deployment: Deployment):
    """A body with extensions of its chunks and a trailer is the body without them."""
    data = CHUNKED + b'\r\n2;a="b"\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n'
    assert (await speak(port, data + HIDDEN, deployment))[0] == 200
