"""Clients: the same typed interface over a local call or over HTTP, as configuration chooses."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode

import httpx
import msgspec

from contracts.problems import DeadlineExceeded, Problem, Unavailable
from kit import context, problems
from kit.context import remaining
from kit.delegation import Credential, audience_of
from kit.operations import Bound, api_of, bind, bind_cursors
from kit.streaming import IDLE_SECONDS, until_failure

T = TypeVar("T")

_PLACE = re.compile(r"{(\w+)}")
_encode = msgspec.json.Encoder().encode


def local(interface: type[T], implementation: Any, prefix: str | None = None) -> T:
    """The implementation behind its interface, in this process, under the deadline.

    `prefix` is the path to which the cursors of its lists are bound, where it differs by instance.
    """
    prefix = prefix or api_of(interface).prefix
    methods = {
        bound.name: _local_method(bound, bind_cursors(bound, getattr(implementation, bound.name), prefix))
        for bound in bind(interface)
    }
    return cast("T", type(f"Local{interface.__name__}", (), {"__slots__": (), **_static(methods)})())


def _local_method(bound: Bound, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def call(*arguments: Any, **named: Any) -> Any:
        remaining()
        return await method(*arguments, **named)

    return call if not bound.operation.streams else _streaming(call)


def _streaming(call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The call of an operation that streams: its iterator, which fails after so many seconds of silence."""

    async def open_stream(*arguments: Any, **named: Any) -> AsyncIterator[bytes]:
        return _unless_silent(await call(*arguments, **named))

    return open_stream


async def _unless_silent(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    try:
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield piece
    except TimeoutError:
        raise DeadlineExceeded("The stream was silent for too long") from None
    finally:
        if (stop := getattr(pieces, "aclose", None)) is not None:
            await stop()


def remote(interface: type[T], base_url: str, http: httpx.AsyncClient, credential: Credential) -> T:
    """The interface over HTTP at a base address.

    `credential` gives the short-lived token of our own that names the caller to the next tier.
    """
    methods = {
        bound.name: _remote_method(bound, base_url.rstrip("/"), http, credential) for bound in bind(interface)
    }
    return cast("T", type(f"Remote{interface.__name__}", (), {"__slots__": (), **_static(methods)})())


def _static(methods: dict[str, Any]) -> dict[str, Any]:
    return {name: staticmethod(method) for name, method in methods.items()}


def _remote_method(
    bound: Bound, base_url: str, http: httpx.AsyncClient, credential: Credential
) -> Callable[..., Awaitable[Any]]:
    places = _PLACE.findall(bound.operation.path)
    pattern = base_url + bound.operation.path
    optional = bound.query.__struct_fields__ if bound.query else ()
    streams = bound.operation.streams
    decode = msgspec.json.Decoder(bound.answer if not streams else None).decode
    audience, scope = audience_of(bound.api.tier), bound.api.scope(bound.operation.access)

    async def call(*arguments: Any, **named: Any) -> Any:
        given = {**dict(zip(bound.parameters, arguments, strict=False)), **named}
        url = pattern
        for place in places:
            url = url.replace(f"{{{place}}}", quote(str(given[place]), safe=""))
        query = {name: given[name] for name in optional if given.get(name) is not None}
        if query:
            url += "?" + urlencode(msgspec.to_builtins(query))
        content = _encode(given["body"]) if bound.body is not None else None
        authorization = credential(audience, scope).authorization
        headers = _headers(authorization, given.get("if_match"), content)
        if streams:
            return await _open_stream(http, bound, url, content, headers)
        answer = await _send(http, bound, url, content, headers)
        return decode(answer.content)

    return call


def _headers(authorization: str, if_match: str | None, content: bytes | None) -> httpx.Headers:
    current = context.current()
    # What a caller wrote has been read as Latin-1, and goes on as the same bytes.
    headers = httpx.Headers(encoding="latin-1")
    headers["Authorization"], headers[context.HEADER] = authorization, current.correlation_id
    if current.traceparent:
        headers["traceparent"] = current.traceparent
    if current.tracestate:
        headers["tracestate"] = current.tracestate
    if current.idempotency_key:
        headers["Idempotency-Key"] = current.idempotency_key
    if if_match is not None:
        headers["If-Match"] = if_match
    if content is not None:
        headers["Content-Type"] = "application/json"
    return headers


async def _send(
    http: httpx.AsyncClient, bound: Bound, url: str, content: bytes | None, headers: httpx.Headers
) -> httpx.Response:
    timeout = _set_deadline(bound, headers)
    try:
        answer = await http.request(
            bound.operation.method, url, content=content, headers=headers, timeout=timeout
        )
    except httpx.TimeoutException:
        raise DeadlineExceeded(f"{bound.api.slug} did not answer in time") from None
    except httpx.HTTPError:
        raise Unavailable(f"{bound.api.slug} cannot be reached", retry_after=1) from None
    if answer.is_success:
        return answer
    raise _problem_of(bound, answer.status_code, answer.content)


def _set_deadline(bound: Bound, headers: httpx.Headers) -> float:
    left = remaining()
    timeout = bound.operation.deadline if left is None else min(left, bound.operation.deadline)
    headers["Deadline"] = f"{timeout:.3f}"
    return timeout


def _problem_of(bound: Bound, status: int, content: bytes) -> Problem:
    try:
        document = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        return Unavailable(f"{bound.api.slug} answered {status}", retry_after=1)
    return problems.from_document(document)


async def _open_stream(
    http: httpx.AsyncClient, bound: Bound, url: str, content: bytes | None, headers: httpx.Headers
) -> "RemotePieces":
    timeout = _set_deadline(bound, headers)
    request = http.build_request(bound.operation.method, url, content=content, headers=headers)
    try:
        answer = await send_streaming(http, request, timeout)
    except DeadlineExceeded:
        raise DeadlineExceeded(f"{bound.api.slug} did not answer in time") from None
    if answer.is_success:
        return RemotePieces(answer, bound.operation.streams)
    async with aclosing(answer):
        raise _problem_of(bound, answer.status_code, await answer.aread())


async def send_streaming(http: httpx.AsyncClient, request: httpx.Request, seconds: float) -> httpx.Response:
    """The answer with its body unread, for `RemotePieces`; raises DeadlineExceeded and Unavailable."""
    request.extensions["timeout"] = httpx.Timeout(seconds, read=IDLE_SECONDS).as_dict()
    try:
        async with asyncio.timeout(seconds):
            return await http.send(request, stream=True)
    except (TimeoutError, httpx.TimeoutException):
        raise DeadlineExceeded from None
    except httpx.HTTPError:
        raise Unavailable("A tier of the deployment cannot be reached", retry_after=1) from None


class RemotePieces:
    """The pieces of a streaming answer; raises Unavailable when the other end breaks off or falls silent."""

    def __init__(self, answer: httpx.Response, media_type: str) -> None:
        self._answer = answer
        self._pieces = until_failure(answer.aiter_bytes(), media_type)

    def __aiter__(self) -> "RemotePieces":
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except httpx.HTTPError:
            raise Unavailable("The stream broke off", retry_after=1) from None

    async def aclose(self) -> None:
        """Close the connection, so that the other end stops."""
        await self._pieces.aclose()
        await self._answer.aclose()
