"""Answers: validates a tier's answers against the frozen document, as often and as strictly as configured."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contracts.problems import Fault, Unexpected
from gateway.exchange import Exchange, Reply, Route
from gateway.policies.contract.validators import Validator
from kit.telemetry import log, meter

_NOT_MODIFIED = 304
_LOGGED_FAULTS = 20  # pointers in a log line
_RouteName = Annotated[str, Meta(pattern=r"^[a-z]+/[a-z0-9\-]+@[0-9]+(\.[a-z0-9_]+)?$")]
_log = log(__name__)
_off_contract = meter(__name__).create_counter(
    "enfilade.gateway.answers.off_contract",
    description="Answers that were against their contract, by route, status, consumer and mode",
)


class Checking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """*enforce* checks every answer and replaces one that violates the contract by a bare 500.

    *shadow* checks every answer and only reports (a metric and a log line); *sample* does so for the share
    `ratio` of them; *off* checks none.
    """

    mode: Literal["enforce", "sample", "shadow", "off"] = "sample"
    ratio: Annotated[float, Meta(ge=0, le=1)] = 0.01


class AnswerValidationSettings(Checking, frozen=True, forbid_unknown_fields=True):
    """The rule for all, and those for some routes or consumers.

    A route is named as an API (``process/works@1``) or as an operation (``process/works@1.decide``). The
    most specific rule applies: the consumer's, else the operation's, else its API's, else the one for all.
    """

    routes: dict[_RouteName, Checking] = {}
    consumers: dict[str, Checking] = {}


Check = Callable[[Exchange, Reply], None]


def check_of(route: Route, settings: AnswerValidationSettings) -> Check | None:
    """The check of a route's answers, None when none is checked; raises ValueError for a broken schema."""
    rule = _Rule(_of_route(route, settings))
    others = {name: _Rule(checking) for name, checking in settings.consumers.items()}
    documented = _DocumentedAnswers(route)  # always: a broken schema is refused, even if it is not used
    if not rule.looks and not any(other.looks for other in others.values()):
        return None

    def check(exchange: Exchange, reply: Reply) -> None:
        consumer = exchange.caller.consumer if exchange.caller else ""
        applicable = others.get(consumer, rule) if others else rule
        if not applicable.due() or reply.status == _NOT_MODIFIED:
            return
        if faults := documented.faults(reply):
            _log_faults(exchange, route, reply, applicable.mode, faults)
            if applicable.mode == "enforce":
                if reply.stream is not None:
                    reply.stream.abandon()
                raise Unexpected("The answer was against the contract")

    return check


def answer_headers(route: Route, consumer: str, settings: AnswerValidationSettings) -> str:
    """How a consumer's answers on a route are checked, in words; empty where they are not."""
    checking = settings.consumers.get(consumer) or _of_route(route, settings)
    share = f"{checking.ratio:.2%} of answers" if checking.mode == "sample" else "answers"
    return f"{share} against the document ({checking.mode})" if checking.mode != "off" else ""


def _of_route(route: Route, settings: AnswerValidationSettings) -> Checking:
    api = route.api.slug if route.api else ""
    return settings.routes.get(route.name) or settings.routes.get(api) or settings


class _Rule:
    """A rule with a counter, so that a sample is an exact share and not a random one."""

    def __init__(self, checking: Checking) -> None:
        self.mode = checking.mode
        share = {"off": 0.0, "sample": checking.ratio}.get(checking.mode, 1.0)
        self.looks = share > 0
        self._share = share
        self._count = 0.0

    def due(self) -> bool:
        """Whether this answer is to be checked."""
        self._count += self._share
        if self._count < 1:
            return False
        self._count -= 1
        return True


class _DocumentedAnswers:
    """The documented answers of a route by status: a media type and a schema."""

    def __init__(self, route: Route) -> None:
        self._by_status: dict[int, tuple[bytes, Validator] | None] = {}
        made: dict[str, Validator] = {}  # most failures share one schema
        for status, response in route.shape.get("responses", {}).items():
            self._by_status[int(status)] = None
            for kind, media in response.get("content", {}).items():
                schema: dict[str, Any] = media.get("schema", {})
                if (same := str(schema)) not in made:
                    made[same] = Validator(schema, route.components)
                self._by_status[int(status)] = (kind.encode(), made[same])

    def faults(self, reply: Reply) -> list[Fault]:
        """Every fault of a reply."""
        if reply.status not in self._by_status:
            return [Fault("", f"the status {reply.status} is not documented", "status")]
        documented = self._by_status[reply.status]
        if documented is None:
            return [Fault("", "a body is not documented", "body")] if reply.body else []
        kind, validator = documented
        content_type = next((value for name, value in reply.headers if name == b"content-type"), b"")
        if content_type.partition(b";")[0].strip() != kind:
            return [Fault("", "the media type is not the documented one", "media_type")]
        if reply.stream is not None:  # its body is no document
            return []
        try:
            value = msgspec.json.decode(reply.body)
        except (msgspec.DecodeError, RecursionError):
            return [Fault("", "the body is not JSON", "json")]
        return [] if validator.is_valid(value) else validator.faults(value)


def _log_faults(exchange: Exchange, route: Route, reply: Reply, mode: str, faults: list[Fault]) -> None:
    """Count and log the faults by pointer and code, without values, which may be confidential."""
    consumer = exchange.caller.consumer if exchange.caller else ""
    attributes = {"http.route": route.template, "http.response.status_code": reply.status}
    _off_contract.add(1, {**attributes, "enfilade.consumer": consumer, "mode": mode})
    _log.error(
        "answer against the contract",
        route=route.name,
        status=reply.status,
        consumer=consumer,
        mode=mode,
        faults=[f"{fault.pointer} {fault.code}".strip() for fault in faults[:_LOGGED_FAULTS]],
        correlation_id=exchange.correlation_id,
    )
