"""Hop: calls the tier, with the request's context and under the operation's deadline."""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import Problem
from gateway.exchange import Asked, Exchange, Reply, Route, Rule, Step
from gateway.policies.hop.deadlines import Watch
from gateway.policies.hop.targets import Send, Target, in_process, over_http
from gateway.policies.hop.trace import continue_or_start, parent_of
from kit import context
from kit.context import Context
from kit.telemetry import server_span

__all__ = ["Hop", "HopSettings", "Send", "Target", "in_process", "over_http"]


class HopSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bound on every operation's own deadline, and the share of new traces that is recorded."""

    max_seconds: Annotated[float, Meta(gt=0)] = 60.0
    sample_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.0


class Hop:
    """The last policy: builds the context for the tiers, and calls the route's target."""

    def __init__(self, settings: HopSettings) -> None:
        self._settings = settings
        self._watch = Watch()

    def wrap(self, route: Route | None, call_next: Step) -> Step:
        operation = route.operation if route else None
        seconds = min(operation.deadline if operation else 10.0, self._settings.max_seconds)
        batch = operation is not None and operation.lane == "batch"
        sampled, watch = _sampler(self._settings.sample_ratio), self._watch

        async def hop(exchange: Exchange) -> Reply:
            caller, plan = exchange.caller, exchange.plan
            unhurried = batch or (plan is not None and plan.lane == "background")
            deadline = time.monotonic() + seconds
            made = Context(
                correlation_id=exchange.correlation_id,
                caller=caller,
                actor=caller.subject if caller else "",
                traceparent=continue_or_start(
                    exchange.headers.get(b"traceparent"),
                    trusted=caller is not None and not caller.outside,
                    sampled=sampled(),
                ),
                deadline=deadline,
                idempotency_key=exchange.idempotency_key,
                lane="batch" if unhurried else "interactive",
            )
            if made.traceparent.endswith("1"):
                return await _recorded(exchange, made, lambda: watch.run(call_next(exchange), deadline))
            with context.use(made):
                return await watch.run(call_next(exchange), deadline)

        return hop

    def explain(self, asked: Asked) -> list[Rule]:
        operation = asked.route.operation
        if operation is None:
            return []
        bound = self._settings.max_seconds
        if operation.deadline > bound:
            return [Rule(f"an answer within {bound:g} s", "hop.max_seconds")]
        return [Rule(f"an answer within {operation.deadline:g} s", file="")]


async def _recorded(exchange: Exchange, made: Context, work: Callable[[], Awaitable[Reply]]) -> Reply:
    """The hop under a server span, where spans are recorded."""
    route, caller = exchange.route, exchange.caller
    template = route.template if route else ""
    trusted = caller is not None and not caller.outside
    attributes = {
        "http.request.method": exchange.method,
        "http.route": template,
        "url.scheme": exchange.scope.get("scheme", "http"),
        "enfilade.consumer": caller.consumer if caller else "",
        "enfilade.correlation_id": made.correlation_id,
    }
    parent = parent_of(exchange.headers.get(b"traceparent")) if trusted else ""
    block = server_span(f"{exchange.method} {template}", parent, attributes)
    if block is None:
        with context.use(made):
            return await work()
    with block as span, context.use(msgspec.structs.replace(made, traceparent=span.traceparent)):
        try:
            reply = await work()
        except Problem as problem:
            span.answered(problem.status)
            raise
        span.answered(reply.status)
        return reply


def _sampler(ratio: float):  # noqa: ANN202 - a function without arguments that says yes or no
    if ratio <= 0:
        return lambda: False
    step = 1 / ratio
    due = 0.0

    def sampled() -> bool:
        nonlocal due
        due += 1
        if due < step:
            return False
        due -= step
        return True

    return sampled
