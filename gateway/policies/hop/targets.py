"""Targets: how a hop reaches a tier: by a call in this process, or over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

from contracts.problems import Problem
from gateway.exchange import JSON, Exchange, Header, PipelineStep, Reply
from gateway.streams import BodyStream
from kit import context, problems
from kit.conditions import etag_of
from kit.operations import bind
from kit.routes import Call, calls, foreseen
from kit.streaming import Produced

# The request headers that a tier needs. No other is forwarded: not credentials, hop-by-hop headers, nor any
# header by which a caller could pose as a proxy or as another caller.
_PASSED = (b"accept", b"accept-language", b"content-type", b"if-match", b"if-none-match", b"prefer")
_NOT_FORWARDED = frozenset(
    {
        b"connection",
        b"content-encoding",  # the client has decoded the body
        b"date",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"server",
        b"set-cookie",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"via",
        b"x-powered-by",
    }
)

_JSON = (b"content-type", JSON)
_UNBUFFERED: list[Header] = [(b"cache-control", b"no-store, no-transform"), (b"x-accel-buffering", b"no")]

Send = Callable[[str, str, list[Header], bytes], Awaitable[tuple[int, list[Header], bytes]]]
"""Sends method, address, headers and body to a tier in another process, with an internal token for the
caller of `kit.context.current()` and under its deadline; raises Unavailable or DeadlineExceeded. Values of
headers are bytes (RFC 9110 §5.5): what a caller wrote in whatever encoding is passed on as it is."""

OpenStream = Callable[
    [str, str, list[Header], bytes, str],
    Awaitable[tuple[int, list[Header], bytes | AsyncIterator[bytes]]],
]
"""As `Send` for a read that streams in a media type: its pieces where it succeeds, else the whole body."""

Target = Callable[[str], PipelineStep]
"""How an API is reached: the step to each of its operations, by name."""


def in_process(interface: type, implementation: Any, prefix: str | None = None) -> Target:
    """The implementation in this process, called directly; `prefix` as for `kit.routes.calls`."""
    calls_by_name = calls(interface, implementation, prefix)
    streams = {bound.name: bound.operation.streams for bound in bind(interface)}
    return lambda name: _direct(calls_by_name[name], streams[name])


def _direct(call: Call, media_type: str) -> PipelineStep:
    async def step(exchange: Exchange) -> Reply:
        if_match = exchange.headers.get(b"if-match")
        try:
            status, content, version, stream = await call(
                exchange.path_parameters,
                exchange.query,
                if_match.decode("latin-1") if if_match is not None else None,
                exchange.body or b"",
            )
        except Exception as error:  # noqa: BLE001 - a refusal is an answer, which policies may store
            return _refusal(foreseen(error, exchange.path), exchange.path)
        if stream is not None:
            return _streaming(status, BodyStream(stream, media_type))
        headers: list[Header] = [_JSON]
        if version:
            headers.append((b"etag", etag_of(version).encode()))
        return Reply(status, headers, content)

    return step


def _streaming(status: int, stream: BodyStream) -> Reply:
    """The reply of a stream, which no proxy may store, transform or hold back."""
    kind = stream.media_type + ("; charset=utf-8" if stream.media_type.startswith("text/") else "")
    return Reply(status, [(b"content-type", kind.encode()), *_UNBUFFERED], stream=stream)


def _refusal(problem: Problem, path: str) -> Reply:
    fields = {**problems.headers(problem), "content-type": problems.MEDIA_TYPE}
    headers = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    return Reply(problem.status, headers, problems.encode(problem, instance=path))


def over_http(base_url: str, send: Send, open_stream: OpenStream | None = None) -> Target:
    """The tier at an address, called through the deployment's sender."""
    base = base_url.rstrip("/")

    async def call(exchange: Exchange) -> Reply:
        headers = _headers(exchange)
        address = (
            base + quote(exchange.path) + (f"?{exchange.query.decode('ascii')}" if exchange.query else "")
        )
        operation = exchange.route.operation if exchange.route is not None else None
        if operation is not None and operation.streams and open_stream is not None:
            status, received, body = await open_stream(
                _method(exchange), address, headers, exchange.body or b"", operation.streams
            )
            if not isinstance(body, bytes):
                stream = await Produced.open(body, operation.streams)
                return _streaming(status, BodyStream(stream, operation.streams))
        else:
            status, received, body = await send(_method(exchange), address, headers, exchange.body or b"")
        return Reply(status, _end_to_end(received), body)

    return lambda _name: call


def _method(exchange: Exchange) -> str:
    return "GET" if exchange.method == "HEAD" else exchange.method


def _end_to_end(received: list[Header]) -> list[Header]:
    """What a tier answered, without what is meant for this connection only (RFC 9110 §7.6.1)."""
    fields = [(name.lower(), value) for name, value in received]
    named = b",".join(value for name, value in fields if name == b"connection")
    dropped = _NOT_FORWARDED | {name.strip() for name in named.lower().split(b",")}
    return [(name, value) for name, value in fields if name not in dropped]


def _headers(exchange: Exchange) -> list[Header]:
    headers, current = exchange.headers, context.current()
    forwarded = [(name, headers[name]) for name in _PASSED if name in headers]
    forwarded += [
        (context.HEADER.lower().encode(), exchange.correlation_id.encode()),
        (b"traceparent", current.traceparent.encode()),
    ]
    if current.tracestate:
        forwarded.append((b"tracestate", current.tracestate.encode()))
    if exchange.idempotency_key:
        forwarded.append((b"idempotency-key", exchange.idempotency_key.encode()))
    if exchange.body:
        forwarded.append((b"content-length", str(len(exchange.body)).encode()))
    return forwarded
