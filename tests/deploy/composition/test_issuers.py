"""tests/deploy: how the gateway speaks with issuers: bounded, and plain about what is no answer."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contracts.problems import Unavailable
from deploy.composition.issuers import MAX_BYTES, IssuerCalls


async def _without_end() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65_536


def calls(answer: httpx.Response | Exception) -> IssuerCalls:
    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return IssuerCalls(httpx.AsyncClient(transport=httpx.MockTransport(handle)))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"keys": []}),
        httpx.Response(302, headers={"Location": "http://169.254.169.254/"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b'{"keys":"' + b"x" * MAX_BYTES + b'"}'),
        httpx.Response(200, content=_without_end()),
        httpx.ConnectError("no route"),
        httpx.ReadTimeout("slow"),
    ],
)
async def test_what_is_no_document_of_a_bounded_size_is_no_answer(answer: Any):
    """No redirect is followed, nothing endless is read, and the failure is one that callers know."""
    with pytest.raises(Unavailable):
        await calls(answer).fetch("https://login.test/jwks")


async def test_a_document_is_read():
    """The key set as it is."""
    found = await calls(httpx.Response(200, json={"keys": [1]})).fetch("https://login.test/jwks")
    assert found == {"keys": [1]}


async def test_a_form_is_posted_and_any_status_told():
    """Whoever asks decides what the status means."""
    answered = calls(httpx.Response(401, content=b"{}"))
    assert await answered.post("https://login.test/i", {"token": "t"}, {}) == (401, b"{}")
