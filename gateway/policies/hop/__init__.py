"""Hop: calls the tier, with the request's context and under the operation's deadline."""

import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import Problem
from gateway.exchange import Asked, Exchange, PipelineStep, Reply, Route, Rule
from gateway.policies.hop.deadlines import Watch
from gateway.policies.hop.targets import Send, Target, in_process, over_http
from gateway.policies.hop.trace import continue_or_start, parent_of, state_of
from gateway.streams import OpenStreams, StreamSettings
from kit import context
from kit.context import Context
from kit.telemetry import server_span

__all__ = ["Hop", "HopSettings", "Send", "Target", "in_process", "over_http"]


class HopSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bound on every operation's own deadline, and the share of new traces that is recorded.

    The deadline of an operation that streams is until its first byte; `streams` bounds the rest.
    """

    max_seconds: Annotated[float, Meta(gt=0)] = 60.0
    sample_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.0
    streams: StreamSettings = StreamSettings()


class Hop:
    """The last policy: builds the context for the tiers, and calls the route's target."""

    def __init__(self, settings: HopSettings, streams: OpenStreams) -> None:
        self._settings = settings
        self._streams = streams
        self._watch = Watch()

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        operation = route.operation if route else None
        seconds = min(operation.deadline if operation else 10.0, self._settings.max_seconds)
        batch = operation is not None and operation.lane == "batch"
        sampled, watch = _sampler(self._settings.sample_ratio), self._watch

        async def hop(exchange: Exchange) -> Reply:
            caller, plan = exchange.caller, exchange.plan
            unhurried = batch or (plan is not None and plan.lane == "background")
            deadline = time.monotonic() + seconds
            trusted = caller is not None and not caller.outside
            made = Context(
                correlation_id=exchange.correlation_id,
                caller=caller,
                actor=caller.subject if caller else "",
                traceparent=continue_or_start(
                    exchange.headers.get(b"traceparent"),
                    trusted=trusted,
                    sampled=sampled(),
                ),
                tracestate=state_of(exchange.headers, trusted=trusted),
                deadline=deadline,
                idempotency_key=exchange.idempotency_key,
                lane="batch" if unhurried else "interactive",
            )
            if made.traceparent.endswith("1"):
                return await _recorded(exchange, made, lambda: watch.run(call_next(exchange), deadline))
            with context.use(made):
                return await watch.run(call_next(exchange), deadline)

        return self._bounded(hop) if operation is not None and operation.streams else hop

    def _bounded(self, hop: PipelineStep) -> PipelineStep:
        """The hop of an operation that streams: its place among the open streams is held to the end."""
        limits, streams = self._settings.streams, self._streams

        async def bounded_hop(exchange: Exchange) -> Reply:
            leave = streams.admit(limits.max_open)
            try:
                reply = await hop(exchange)
            except BaseException:
                leave()
                raise
            if reply.stream is None:
                leave()
            else:
                reply.stream.limits = limits
                reply.stream.at_end(leave)
            return reply

        return bounded_hop

    def explain(self, asked: Asked) -> list[Rule]:
        operation = asked.route.operation
        if operation is None:
            return []
        bound, streams = self._settings.max_seconds, self._settings.streams
        awaited = "the first byte" if operation.streams else "an answer"
        if operation.deadline > bound:
            rules = [Rule(f"{awaited} within {bound:g} s", "hop.max_seconds")]
        else:
            rules = [Rule(f"{awaited} within {operation.deadline:g} s", file="")]
        if operation.streams:
            says = f"open for {streams.max_seconds:g} s, silent for {streams.idle_seconds:g} s at most"
            rules.append(Rule(says, "hop.streams"))
        return rules


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
    block = server_span(f"{exchange.method} {template}", parent, attributes, made.tracestate)
    if block is None:
        with context.use(made):
            return await work()
    with ExitStack() as stack:
        span = stack.enter_context(block)
        with context.use(msgspec.structs.replace(made, traceparent=span.traceparent)):
            try:
                reply = await work()
            except Problem as problem:
                span.answered(problem.status)
                raise
        span.answered(reply.status)
        if reply.stream is not None:
            reply.stream.at_end(stack.pop_all().close)  # the span is as long as the answer
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
