"""The types that policies share: exchange, reply, route, and the protocol of policies."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, Self, runtime_checkable

import msgspec

from contracts.operation import Api, Operation
from contracts.problems import BadRequest, BodyTooLarge, Problem, UnsupportedMediaType
from gateway.plans import Consumer, Plan
from gateway.streams import BodyStream
from kit.context import Caller, new_correlation_id

Header = tuple[bytes, bytes]
Receive = Callable[[], Awaitable[Any]]

JSON = b"application/json"

# Of a body that is refused, so much is read for so long as more of it comes.
_DISCARDED_BYTES, _DISCARDED_WITHIN_SECONDS = 64 << 20, 1.0


class Reply:
    """An answer: a small document as a whole, or a `stream`, whose body is then sent piece by piece."""

    __slots__ = ("body", "headers", "status", "stream")

    def __init__(
        self, status: int, headers: list[Header], body: bytes = b"", stream: BodyStream | None = None
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.stream = stream


class Exchange:
    """One request and the results of the policies so far."""

    __slots__ = (
        "body",
        "body_limit",
        "body_seconds",
        "caller",
        "check_rows",
        "consumer",
        "correlation_id",
        "headers",
        "idempotency_key",
        "method",
        "notes",
        "page",
        "path",
        "path_parameters",
        "payload",
        "plan",
        "problem",
        "query",
        "raw_path",
        "receive",
        "route",
        "scope",
        "source",
        "started",
    )

    def __init__(self, scope: Any, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.started = time.perf_counter()
        self.correlation_id = new_correlation_id()
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.raw_path: bytes = scope.get("raw_path") or self.path.encode()
        self.query: bytes = scope["query_string"]
        raw: list[Header] = scope["headers"]
        self.headers: dict[bytes, bytes] = dict(raw)
        if len(self.headers) != len(raw):
            self.headers = combined(raw)
        self.source = ""
        # The page bundle under whose prefix an API was called: its session is the credential.
        self.page = ""
        self.route: Route | None = None
        self.path_parameters: dict[str, str] = {}
        self.caller: Caller | None = None
        self.consumer: Consumer | None = None
        self.plan: Plan | None = None
        # Set by authorisation, called by contract with caller, path, query and body once these are read.
        self.check_rows: Callable[[Caller, Any, Any, Any], None] | None = None
        self.idempotency_key = ""
        self.problem: Problem | None = None
        self.notes: list[Header] = []
        self.body: bytes | None = None
        self.payload: Any = None
        self.body_limit = 1 << 20
        self.body_seconds = 10.0

    async def read_body(self) -> bytes:
        """The body, read once; raises BodyTooLarge, and BadRequest when it does not arrive in time."""
        if self.body is None:
            try:
                async with asyncio.timeout(self.body_seconds):
                    self.body = await self._collect()
            except TimeoutError:
                raise BadRequest(
                    f"The body did not arrive within {self.body_seconds:g} seconds",
                    headers={"Connection": "close"},
                ) from None
        return self.body

    async def _collect(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("The caller disconnected before the body was complete")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self.body_limit:
                await self.refuse_body(self.body_limit)
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)

    async def refuse_body(self, limit: int) -> NoReturn:
        """Raise BodyTooLarge, once what is under way was discarded, as long as it comes and is not endless.

        A connection that is closed with bytes unread is reset, and the answer may be lost (RFC 9112 §9.6).
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.body_seconds):
                await self._discard()
        raise too_large(limit)

    async def _discard(self) -> None:
        discarded = 0
        while discarded < _DISCARDED_BYTES:
            async with asyncio.timeout(_DISCARDED_WITHIN_SECONDS):
                message = await self.receive()
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                return
            discarded += len(message.get("body", b""))


PipelineStep = Callable[[Exchange], Awaitable[Reply]]


def combined(headers: Iterable[Header]) -> dict[bytes, bytes]:
    """Each header once, the lines of a repeated one as a list (RFC 9110 §5.3).

    So a header that is no list is malformed when it is repeated, instead of one of its values being believed.
    Cookies are joined by semicolons (RFC 9113 §8.2.3).
    """
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return {name: (b"; " if name == b"cookie" else b", ").join(lines) for name, lines in values.items()}


def too_large(limit: int) -> BodyTooLarge:
    """The refusal of a body over the limit."""
    return BodyTooLarge(f"A body may have {limit} bytes", headers={"Connection": "close"})


def require_type(exchange: Exchange, *accepted: str, any_json: bool = False) -> None:
    """Raise UnsupportedMediaType, with the accepted types (RFC 9110 §15.5.16), for a body of another type.

    `any_json` accepts every type that is JSON by its suffix (RFC 6839) too.
    """
    sent = exchange.headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
    if sent in accepted or (any_json and sent.startswith("application/") and sent.endswith("+json")):
        return
    detail = f"The body's Content-Type must be {' or '.join(accepted)}"
    raise UnsupportedMediaType(detail, headers={"Accept": ", ".join(accepted)})


@dataclass(frozen=True, slots=True)
class Route:
    """One method at one path: an operation of an API, or an open address of the gateway.

    `template` is the path with its parameters, `shape` the operation's part of the API's document and
    `components` the schemas that it refers to; both are empty at an open address. A `page` is for browsers:
    no script of another origin may read it.
    """

    method: str
    template: str
    name: str
    target: PipelineStep
    api: Api | None = None
    operation: Operation | None = None
    instance: str = ""
    shape: dict[str, Any] = field(default_factory=dict)
    components: dict[str, Any] = field(default_factory=dict)
    page: bool = False

    @property
    def scope(self) -> str:
        """The OAuth scope that the operation requires; empty at an open address."""
        return self.api.scope(self.operation.access) if self.api and self.operation else ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A hypothetical call of a route; `consumer` is None for an unknown one."""

    route: Route
    name: str
    consumer: Consumer | None
    person: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy for a request, and the place of the file that configures it.

    A rule without a `file` is part of the operation's declaration.
    """

    says: str
    place: str = ""
    file: str = "gateway.toml"


@runtime_checkable
class Policy(Protocol):
    """A policy wraps a step, and explains its rules.

    `wrap` is called once per route when the pipeline is built (with None before routing); a policy that does
    not apply returns the next step itself. `explain` returns the rules that would apply.
    """

    def wrap(self, route: Route | None, call_next: PipelineStep, /) -> PipelineStep: ...

    def explain(self, asked: Asked, /) -> list[Rule]: ...


@runtime_checkable
class Judges(Protocol):
    """A policy that decides by method, path, query and caller alone, so that it can judge a probe.

    `judge` raises the Problem of a refusal. `probe` has the results of earlier policies; `asked` is None
    before the route is known. What depends on headers, a body or a count is not judged.
    """

    async def judge(self, probe: Exchange, asked: Asked | None, /) -> None: ...


@runtime_checkable
class Inherits(Protocol):
    """A policy that takes over counters or caches of its predecessor when the policy files change."""

    def inherit(self, old: Self, /) -> None: ...


class _LetByError(Exception):
    """The policy admitted a probe, which has no answer."""


async def _arrive(_: Exchange) -> Reply:
    raise _LetByError


async def try_policy(policy: Policy, route: Route | None, probe: Exchange) -> None:
    """Run a policy on a probe as on a request; raises the problem of a refusal."""
    with contextlib.suppress(_LetByError):
        await policy.wrap(route, _arrive)(probe)


def json_reply(status: int, content: Any, *headers: Header) -> Reply:
    """A reply with a JSON document."""
    return Reply(status, [(b"content-type", JSON), *headers], msgspec.json.encode(content))
