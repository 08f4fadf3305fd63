"""Routes: the Litestar handlers of an implementation, derived from its interface's declaration.

A derived handler converts path, query and body to the declared types, awaits the implementation's method and
answers with its Struct as JSON. A gateway in the same process makes the same calls without a web framework.
"""

import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response, Router
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from litestar.types import ASGIApp

from contracts.problems import (
    BadJson,
    BadRequest,
    BodyTooLarge,
    Fault,
    InsufficientScope,
    Invalid,
    InvalidToken,
    MethodNotAllowed,
    Problem,
    Unexpected,
    UnknownRoute,
    challenge,
)
from kit import context, problems
from kit.conditions import etag_of
from kit.delegation import Delegated, delegation_verifier
from kit.operations import Bound, api_of, bind, bind_cursors
from kit.secrets import Secret
from kit.streaming import EVENT_STREAM, Produced, failure
from kit.telemetry import log

_encode = msgspec.json.Encoder().encode
_log = log("kit.routes")
_SCOPE = "enfilade.scope"  # where require_delegation puts the scope of its token


class Answer(NamedTuple):
    """What an operation answered: its document as JSON, and the version for the ETag where there is one.

    An operation that streams answers its `stream` instead, which the receiver must close.
    """

    status: int
    content: bytes
    version: str = ""
    stream: Produced | None = None


Call = Callable[[Mapping[str, str], bytes, str | None, bytes], Awaitable[Answer]]
"""An operation as a request names it: by path values, query string, If-Match and body."""


def calls(interface: type, implementation: Any, prefix: str | None = None) -> dict[str, Call]:
    """Every operation of an implementation by its name; the calls raise whatever the implementation does.

    The cursors of its lists are bound to the path prefix: where it differs by instance, it must be given.
    """
    prefix = prefix or api_of(interface).prefix
    return {
        bound.name: _call(bound, bind_cursors(bound, getattr(implementation, bound.name), prefix))
        for bound in bind(interface)
    }


def _call(bound: Bound, method: Callable[..., Awaitable[Any]]) -> Call:
    kinds = bound.path_parameters
    read_query = _query_reader(bound.query) if bound.query is not None else None
    # The gateway has held the body against the document; not strict, since JSON Schema calls 1.0 an integer.
    decode = msgspec.json.Decoder(bound.body, strict=False).decode if bound.body is not None else None
    takes_if_match, status = bound.takes_if_match, bound.operation.status
    streams, any_of = bound.operation.streams, bound.operation.any_of

    async def call(path: Mapping[str, str], query: bytes, if_match: str | None, body: bytes) -> Answer:
        arguments = {name: _convert(path[name], kind, f"/path/{name}") for name, kind in kinds.items()}
        if read_query is not None:
            arguments.update(read_query(query))
        if any_of and all(arguments[name] is None for name in any_of):
            faults = [
                Fault(f"/query/{name}", "give this or another", "missing", field=name) for name in any_of
            ]
            raise Invalid(f"Give at least one of {', '.join(any_of)}.", errors=faults)
        if takes_if_match:
            arguments["if_match"] = if_match
        if decode is not None:
            arguments["body"] = _decode(decode, body)
        answer = await method(**arguments)
        if streams:
            return Answer(status, b"", stream=await Produced.open(answer, streams))
        return Answer(status, _encode(answer), getattr(answer, "version", ""))

    return call


def _query_reader(kind: type[msgspec.Struct]) -> Callable[[bytes], dict[str, Any]]:
    names = kind.__struct_fields__

    def read(query: bytes) -> dict[str, Any]:
        given = dict(parse_qsl(query.decode("ascii"), keep_blank_values=True)) if query else {}
        values = _convert(given, kind, "/query")
        return {name: _in_utc(getattr(values, name), f"/query/{name}") for name in names}

    return read


def router(interface: type, implementation: Any, prefix: str) -> Router:
    """All operations of an implementation under a path prefix."""
    return Router(path=prefix, route_handlers=handlers(interface, implementation, prefix))


def handlers(interface: type, implementation: Any, prefix: str) -> list[HTTPRouteHandler]:
    """One Litestar handler per operation of the interface."""
    methods = calls(interface, implementation, prefix)
    return [_handler(bound, methods[bound.name]) for bound in bind(interface)]


def _handler(bound: Bound, call: Call) -> HTTPRouteHandler:
    needed = bound.api.scope(bound.operation.access)

    async def handle(request: Request[Any, Any, Any]) -> Response[Any]:
        if request.scope.get(_SCOPE, needed) != needed:
            raise InsufficientScope("The internal token was made for another operation.")
        body = await request.body() if bound.body is not None else b""
        query, if_match = request.scope["query_string"], request.headers.get("if-match")
        status, content, version, stream = await call(request.path_params, query, if_match, body)
        if stream is not None:
            pieces = _with_failure(stream, bound.operation.streams, request.url.path)
            return Stream(pieces, status_code=status, media_type=bound.operation.streams)
        headers = {"ETag": etag_of(version)} if version else None
        return Response(content=content, status_code=status, media_type="application/json", headers=headers)

    handle.__name__ = bound.name
    handle.__doc__ = bound.doc
    return HTTPRouteHandler(
        path=_litestar_path(bound),
        http_method=bound.operation.method,
        status_code=bound.operation.status,
        name=None,
        operation_id=bound.operation_id,
        include_in_schema=False,
    )(handle)


async def _with_failure(stream: Produced, media_type: str, path: str) -> AsyncIterator[bytes]:
    """The pieces, and of an event stream its failure; raises it then, so that the connection breaks."""
    try:
        async for piece in stream:
            yield piece
    except Exception as error:
        if media_type == EVENT_STREAM:
            yield failure(foreseen(error, path), instance=path)
        raise
    finally:
        await stream.close()


def _litestar_path(bound: Bound) -> str:
    return bound.operation.path.replace("}", ":str}")


def _convert(value: Any, kind: Any, pointer: str) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(errors=(Fault(pointer=pointer, detail=str(error)),)) from None


def _in_utc(value: Any, pointer: str) -> Any:
    """The instant as every store and vendor is asked for it; the first hours of the year 1 have none."""
    if not isinstance(value, dt.datetime):
        return value
    try:
        return value.astimezone(dt.UTC)
    except OverflowError:
        raise Invalid(errors=(Fault(pointer=pointer, detail="There is no such instant"),)) from None


def _decode(decode: Callable[[bytes], Any], body: bytes) -> Any:
    try:
        return decode(body)
    except msgspec.ValidationError as error:
        raise Invalid(errors=(Fault(pointer="", detail=str(error)),)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadJson(str(error)) from None


def require_delegation(app: ASGIApp, key: Secret, tiers: Iterable[str]) -> ASGIApp:
    """Wraps tiers that run alone: admits what our own processes send, trusts no header."""
    receive_token = delegation_verifier(key, tiers)

    async def verified_app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            delegated = _delegated(headers, receive_token)
        except InvalidToken as problem:
            with context.use(context.Context(headers.get("correlation-id") or context.new_correlation_id())):
                await _refuse(problem, scope["path"], send)
            return
        with context.use(_internal_context(headers, delegated)):
            scope[_SCOPE] = delegated.scope
            await app(scope, receive, send)

    return verified_app


def _delegated(headers: dict[str, str], receive: Callable[[str], Delegated]) -> Delegated:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidToken("This tier is reached through the gateway only.")
    return receive(token)


def _internal_context(headers: dict[str, str], delegated: Delegated) -> context.Context:
    deadline = headers.get("deadline")
    return context.Context(
        correlation_id=headers.get("correlation-id") or context.new_correlation_id(),
        caller=delegated.caller,
        actor=delegated.actor,
        traceparent=headers.get("traceparent", ""),
        tracestate=headers.get("tracestate", ""),
        deadline=time.monotonic() + float(deadline) if deadline else None,
        idempotency_key=headers.get("idempotency-key", ""),
        lane="batch" if delegated.lane == "batch" else "interactive",
        via=delegated.via,
    )


async def _refuse(problem: Problem, path: str, send: Any) -> None:
    fields = {
        **problems.headers(problem),
        "Content-Type": problems.MEDIA_TYPE,
        "WWW-Authenticate": challenge("Bearer"),
    }
    headers = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": problems.encode(problem, instance=path)})


def _from_framework(error: HTTPException) -> Problem:
    kinds: dict[int, type[Problem]] = {404: UnknownRoute, 405: MethodNotAllowed, 413: BodyTooLarge}
    return kinds.get(error.status_code, BadRequest if error.status_code < 500 else Unexpected)()  # noqa: PLR2004


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The problem document of an exception; an unforeseen one is logged, and its text is not sent."""
    if isinstance(error, HTTPException):
        error = _from_framework(error)
    problem = foreseen(error, request.url.path)
    return Response(
        content=problems.encode(problem, instance=request.url.path),
        status_code=problem.status,
        media_type=problems.MEDIA_TYPE,
        headers=problems.headers(problem),
    )


def foreseen(error: Exception, path: str) -> Problem:
    """The error if it is a problem; else it is logged, and Unexpected reveals nothing of it."""
    if isinstance(error, Problem):
        return error
    _log.error("unexpected", path=path, exc_info=error)
    return Unexpected()
