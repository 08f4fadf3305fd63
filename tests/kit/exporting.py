"""tests/kit: a process that records one span to a collector: recording cannot be undone."""

import sys

from opentelemetry import trace

from kit.telemetry import configure_tracing, server_span

configure_tracing("tests", sys.argv[1], 1.0)
block = server_span("GET /orders", "", {"http.request.method": "GET"})
if block is not None:
    with block:
        trace.get_tracer("tests").start_span("inside").end()
trace.get_tracer_provider().shutdown()  # pyright: ignore[reportAttributeAccessIssue]
