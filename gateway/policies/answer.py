"""Answer: gives every reply and failure its final form, with the headers that all answers carry."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import Problem, Unexpected
from gateway.exchange import Asked, Exchange, Header, PipelineStep, Reply, Route, Rule
from gateway.lifecycle import NONE, ApiLifecycles, deprecation_headers
from kit import problems
from kit.telemetry import log

_log = log(__name__)
_PROBLEM_TYPE = (b"content-type", problems.MEDIA_TYPE.encode())

Mark = Callable[[Exchange, Reply], Reply]
"""Completes a refusal before the route was known, as the policies of the route complete all others."""


class AnswerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`hsts_seconds` makes browsers use TLS only; zero where the gateway itself serves no TLS."""

    hsts_seconds: Annotated[int, Meta(ge=0)] = 0


class AnswerPolicy:
    """Turns problems into documents (RFC 9457) and unforeseen failures into a bare 500 with a log line."""

    def __init__(
        self, settings: AnswerSettings, lifecycles: ApiLifecycles = NONE, mark: Mark | None = None
    ) -> None:
        self._lifecycles = lifecycles
        self._mark = mark
        self._settings = settings
        self._always: list[Header] = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"x-frame-options", b"DENY"),
        ]
        if settings.hsts_seconds:
            self._always.append((b"strict-transport-security", f"max-age={settings.hsts_seconds}".encode()))
        self._headers_by_route: dict[str, list[Header]] = {}

    def wrap(self, _: Route | None, call_next: PipelineStep) -> PipelineStep:
        always, mark = self._always, self._mark

        async def answer(exchange: Exchange) -> Reply:
            try:
                reply = await call_next(exchange)
            except Problem as problem:
                reply = _log_failure(exchange, problem)
            except Exception as error:  # noqa: BLE001 - the caller gets an answer in any case
                _log.error(
                    "unexpected", path=exchange.path, correlation_id=exchange.correlation_id, exc_info=error
                )
                reply = _log_failure(exchange, Unexpected())
            if exchange.route is None and mark is not None:
                reply = mark(exchange, reply)
            headers = reply.headers
            if exchange.notes:
                headers += exchange.notes
            headers += always
            headers.append((b"correlation-id", exchange.correlation_id.encode()))
            for name, _ in headers:
                if name == b"cache-control":
                    break
            else:
                headers.append((b"cache-control", b"no-store"))
            route = exchange.route
            if route is not None and route.api is not None:
                headers += self._lifecycle_headers(route)
            return reply

        return answer

    def explain(self, asked: Asked) -> list[Rule]:
        rules = []
        if self._settings.hsts_seconds:
            rules.append(Rule("browsers use TLS only", "answer.hsts_seconds"))
        deprecation = asked.route.operation.deprecation if asked.route.operation else None
        if deprecation is not None:
            rules.append(
                Rule(f"deprecated since {deprecation.since}, retired on {deprecation.sunset}", file="")
            )
        return rules

    def _lifecycle_headers(self, route: Route) -> list[Header]:
        """The deprecation headers of the route, computed once."""
        headers = self._headers_by_route.get(route.name)
        if headers is None:
            slug = route.api.slug if route.api else ""
            own = route.operation.deprecation if route.operation else None
            headers = self._headers_by_route[route.name] = deprecation_headers(slug, self._lifecycles, own)
        return headers


def _log_failure(exchange: Exchange, problem: Problem) -> Reply:
    # The frames of its traceback reference the exchange: a cycle that only the garbage collector could free.
    problem.__traceback__ = problem.__context__ = problem.__cause__ = None
    exchange.problem = problem
    body = problems.encode(problem, instance=exchange.path, correlation_id=exchange.correlation_id)
    headers = [(name.lower().encode(), value.encode()) for name, value in problems.headers(problem).items()]
    return Reply(problem.status, [_PROBLEM_TYPE, *headers], body)
