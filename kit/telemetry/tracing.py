"""Tracing: spans of inbound and outbound requests, for the sampled ones."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

_SERVER_ERROR = 500
_gateway_tracer: trace.Tracer | None = None


def record_spans(service: str, ratio: float, processor: Any, *, resource: Any = None) -> None:
    """Hand every span that is sampled to a processor of OpenTelemetry's SDK.

    OTEL_TRACES_SAMPLER, where it is set, comes before the `ratio` of what begins here, and is asked once more
    of what the gateway has sampled.
    """
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor  # noqa: PLC0415
    from opentelemetry.instrumentation.redis import RedisInstrumentor  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import (  # noqa: PLC0415
        ALWAYS_ON,
        ParentBased,
        Sampler,
        TraceIdRatioBased,
    )

    of_environment = bool(os.environ.get("OTEL_TRACES_SAMPLER"))
    resource = resource or Resource.create({"service.name": service})

    def provider(sampler: Sampler) -> TracerProvider:
        made = TracerProvider(resource=resource, sampler=None if of_environment else sampler)
        made.add_span_processor(processor)
        return made

    trace.set_tracer_provider(provider(ParentBased(TraceIdRatioBased(ratio))))
    # A version that an instrumentation refuses would leave out spans without a word.
    HTTPXClientInstrumentor().instrument(async_request_hook=_hide_query, raise_exception_on_conflict=True)
    RedisInstrumentor().instrument(raise_exception_on_conflict=True)
    global _gateway_tracer  # noqa: PLW0603 - as OpenTelemetry's own provider
    # What the gateway asks for is sampled already.
    _gateway_tracer = provider(ALWAYS_ON).get_tracer("enfilade.gateway")


def records_spans() -> bool:
    """Whether this process records spans; an engine that is made where none are pays nothing for them."""
    return _gateway_tracer is not None


async def _hide_query(span: Any, _: Any) -> None:
    """Leave the query out of a call's address: some vendors want their credentials there."""
    for name in ("http.url", "url.full"):
        url = (getattr(span, "attributes", None) or {}).get(name)
        if url:
            span.set_attribute(name, str(url).partition("?")[0])


class ServerSpan:
    """The span of one request at the gateway; `traceparent` is sent to the tiers behind."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        known = span.get_span_context()
        self.traceparent = f"00-{known.trace_id:032x}-{known.span_id:016x}-{known.trace_flags:02x}"

    def answered(self, status: int) -> None:
        """Note the answer; only a failure of ours makes the span one (OpenTelemetry's HTTP conventions)."""
        self._span.set_attribute("http.response.status_code", status)
        if status >= _SERVER_ERROR:
            self._span.set_attribute("error.type", str(status))
            self._span.set_status(Status(StatusCode.ERROR))


def server_span(
    name: str, parent: str, attributes: Mapping[str, str | int], state: str = ""
) -> AbstractContextManager[ServerSpan] | None:
    """The block of a request that is to be recorded; None where no spans are recorded at all.

    `parent` and `state` are the traceparent and tracestate of a caller whom we trust, empty where a new trace
    begins.
    """
    return None if _gateway_tracer is None else _span(_gateway_tracer, name, parent, attributes, state)


@contextmanager
def _span(
    tracer: trace.Tracer, name: str, parent: str, attributes: Mapping[str, str | int], state: str
) -> Iterator[ServerSpan]:
    above = None
    if parent:
        _, trace_id, span_id, flags = parent.split("-")
        known = SpanContext(
            int(trace_id, 16),
            int(span_id, 16),
            is_remote=True,
            trace_flags=TraceFlags(int(flags, 16)),
            trace_state=TraceState.from_header([state]),
        )
        above = trace.set_span_in_context(trace.NonRecordingSpan(known))
    with tracer.start_as_current_span(name, above, SpanKind.SERVER, dict(attributes)) as span:
        yield ServerSpan(span)
