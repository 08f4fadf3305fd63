"""Answer: every reply and every failure in its final form, with the headers that all answers carry."""

import datetime as dt
from email.utils import format_datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.operation import Deprecation
from contracts.problems import Problem, Unexpected
from gateway.exchange import Asked, Exchange, Header, Reply, Route, Rule, Step
from kit import problems
from kit.telemetry import log

_log = log(__name__)
_PROBLEM_TYPE = (b"content-type", problems.MEDIA_TYPE.encode())


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`hsts_seconds` tells browsers to come by TLS only; zero where the door itself has none."""

    hsts_seconds: Annotated[int, Meta(ge=0)] = 0


class Answer:
    """Turns problems into documents (RFC 9457) and unforeseen failures into a bare 500 with a log line."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._always: list[Header] = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"x-frame-options", b"DENY"),
        ]
        if settings.hsts_seconds:
            self._always.append((b"strict-transport-security", f"max-age={settings.hsts_seconds}".encode()))
        self._deprecated: dict[str, list[Header]] = {}

    def around(self, _: Route | None, onward: Step) -> Step:
        always = self._always

        async def answer(exchange: Exchange) -> Reply:
            try:
                reply = await onward(exchange)
            except Problem as problem:
                reply = _tell(exchange, problem)
            except Exception as error:  # noqa: BLE001 - whatever it was, the caller gets an answer
                _log.error(
                    "unexpected", path=exchange.path, correlation_id=exchange.correlation_id, exc_info=error
                )
                reply = _tell(exchange, Unexpected())
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
            if route is not None and route.operation is not None and route.operation.deprecation is not None:
                headers += self._deprecation(route.name, route.operation.deprecation)
            return reply

        return answer

    def explain(self, asked: Asked) -> list[Rule]:
        found = []
        if self._settings.hsts_seconds:
            found.append(Rule("browsers are told to come by TLS only", "answer.hsts_seconds"))
        deprecation = asked.route.operation.deprecation if asked.route.operation else None
        if deprecation is not None:
            found.append(Rule(f"deprecated since {deprecation.since}, gone on {deprecation.sunset}", file=""))
        return found

    def _deprecation(self, name: str, deprecation: Deprecation) -> list[Header]:
        found = self._deprecated.get(name)
        if found is None:
            found = self._deprecated[name] = deprecation_headers(deprecation)
        return found


def deprecation_headers(deprecation: Deprecation) -> list[Header]:
    """Deprecation (RFC 9745), Sunset (RFC 8594) and where the successor is.

    Raises ValueError when an operation would go before it is deprecated.
    """
    since, sunset = (
        dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
        for text in (deprecation.since, deprecation.sunset)
    )
    if sunset < since:
        raise ValueError("an operation cannot go before it is deprecated")
    return [
        (b"deprecation", f"@{int(since.timestamp())}".encode()),
        (b"sunset", format_datetime(sunset, usegmt=True).encode()),
        (b"link", f'<{deprecation.successor}>; rel="successor-version"'.encode()),
    ]


def _tell(exchange: Exchange, problem: Problem) -> Reply:
    exchange.problem = problem
    body = problems.encode(problem, instance=exchange.path, correlation_id=exchange.correlation_id)
    headers = [(name.lower().encode(), value.encode()) for name, value in problems.headers(problem).items()]
    return Reply(problem.status, [_PROBLEM_TYPE, *headers], body)
