"""Clients: the same typed interface over a local call or over HTTP, as configuration chooses."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode

import httpx
import msgspec

from contracts.problems import DeadlineExceeded, Unavailable
from kit import context, problems
from kit.context import remaining
from kit.delegation import Credential, audience_of
from kit.operations import Bound, bind

T = TypeVar("T")

_PLACE = re.compile(r"{(\w+)}")
_encode = msgspec.json.Encoder().encode


def local(interface: type[T], implementation: Any) -> T:
    """The implementation behind its interface, in this process, under the deadline."""
    methods = {bound.name: _local_method(getattr(implementation, bound.name)) for bound in bind(interface)}
    return cast("T", type(f"Local{interface.__name__}", (), {"__slots__": (), **_static(methods)})())


def _local_method(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def call(*arguments: Any, **named: Any) -> Any:
        remaining()
        return await method(*arguments, **named)

    return call


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
    decode = msgspec.json.Decoder(bound.answer).decode
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
        answer = await _send(
            http, bound, url, content, _headers(authorization, given.get("if_match"), content)
        )
        return decode(answer.content)

    return call


def _headers(authorization: str, if_match: str | None, content: bytes | None) -> dict[str, str]:
    current = context.current()
    headers = {"Authorization": authorization, context.HEADER: current.correlation_id}
    if current.traceparent:
        headers["traceparent"] = current.traceparent
    if current.idempotency_key:
        headers["Idempotency-Key"] = current.idempotency_key
    if if_match is not None:
        headers["If-Match"] = if_match
    if content is not None:
        headers["Content-Type"] = "application/json"
    return headers


async def _send(
    http: httpx.AsyncClient, bound: Bound, url: str, content: bytes | None, headers: dict[str, str]
) -> httpx.Response:
    left = remaining()
    timeout = bound.operation.deadline if left is None else min(left, bound.operation.deadline)
    headers["Deadline"] = f"{timeout:.3f}"
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
    try:
        document = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        raise Unavailable(f"{bound.api.slug} answered {answer.status_code}", retry_after=1) from None
    raise problems.from_document(document)
