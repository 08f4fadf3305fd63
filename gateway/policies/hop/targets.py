"""Targets: how a hop reaches a floor, as an ASGI application in this process or over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from contracts.problems import Unexpected
from gateway.exchange import ASGI, Exchange, Header, Reply, Step
from kit import context

# What a floor needs to know of a request. All else stays at the door: credentials, hop-by-hop headers, and
# every header by which a caller might pretend to be a proxy or somebody else.
_PASSED = (b"accept", b"accept-language", b"content-type", b"if-match", b"if-none-match", b"prefer")
_KEPT_BACK = frozenset(
    {b"connection", b"keep-alive", b"server", b"date", b"transfer-encoding", b"upgrade", b"set-cookie"}
)

Send = Callable[[str, str, dict[str, str], bytes], Awaitable[tuple[int, dict[str, str], bytes]]]
"""Sends method, address, headers and body to a floor elsewhere, with an internal token for the caller of
`kit.context.current()` and under its deadline; raises Unavailable or DeadlineExceeded."""


def in_process(app: ASGI) -> Step:
    """The floor's ASGI application, called directly."""

    async def call(exchange: Exchange) -> Reply:
        answer = _Answer()
        await app(_scope(exchange), _receiver(exchange.body or b""), answer.take)
        return answer.reply()

    return call


def over_http(base_url: str, send: Send) -> Step:
    """The floor at an address, reached through a sender that the deployment gives."""
    base = base_url.rstrip("/")

    async def call(exchange: Exchange) -> Reply:
        current = context.current()
        headers = {name.decode(): value.decode("latin-1") for name, value in _headers(exchange)}
        headers |= {context.HEADER: exchange.correlation_id, "traceparent": current.traceparent}
        if exchange.idempotency_key:
            headers["Idempotency-Key"] = exchange.idempotency_key
        address = (
            base + quote(exchange.path) + (f"?{exchange.query.decode('ascii')}" if exchange.query else "")
        )
        status, found, body = await send(_method(exchange), address, headers, exchange.body or b"")
        kept = [(name.lower().encode(), value.encode("latin-1")) for name, value in found.items()]
        return Reply(
            status, [item for item in kept if item[0] not in _KEPT_BACK | {b"content-encoding"}], body
        )

    return call


def _method(exchange: Exchange) -> str:
    return "GET" if exchange.method == "HEAD" else exchange.method


def _headers(exchange: Exchange) -> list[Header]:
    headers = exchange.headers
    found = [(name, headers[name]) for name in _PASSED if name in headers]
    if exchange.body:
        found.append((b"content-length", str(len(exchange.body)).encode()))
    return found


def _scope(exchange: Exchange) -> dict[str, Any]:
    scope = exchange.scope
    found = _headers(exchange)
    found.append((b"host", exchange.headers.get(b"host", b"")))
    return {
        "type": "http",
        "asgi": scope["asgi"],
        "http_version": scope.get("http_version", "1.1"),
        "method": _method(exchange),
        "scheme": scope.get("scheme", "http"),
        "path": exchange.path,
        "raw_path": exchange.raw_path,
        "query_string": exchange.query,
        "root_path": "",
        "headers": found,
        "client": scope.get("client"),
        "server": scope.get("server"),
        "state": {},
    }


def _receiver(body: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    told = False

    async def receive() -> dict[str, Any]:
        nonlocal told
        if told:
            await asyncio.Event().wait()  # nobody leaves: the hop's own deadline ends it
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


class _Answer:
    """Gathers an application's messages into a reply."""

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self) -> None:
        self._status = 0
        self._headers: list[Header] = []
        self._body = b""

    async def take(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [item for item in message.get("headers", ()) if item[0] not in _KEPT_BACK]
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    def reply(self) -> Reply:
        if not self._status:
            raise Unexpected("The floor gave no answer")
        return Reply(self._status, self._headers, self._body)
