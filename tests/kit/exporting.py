"""tests/kit: a process that sends a span, metrics and a line to a collector: recording cannot be undone."""

import os

from opentelemetry import trace

from kit.telemetry import (
    Histogram,
    Sample,
    configure_logging,
    export_telemetry,
    gauge,
    log,
    meter,
    server_span,
)

configure_logging()
export_telemetry("tests", "", 1.0, os.environ)
meter("tests").create_counter("tests.refused").add(2)
gauge("tests.waiting", "What waits", lambda: [Sample(3.0, {"queue": "a"})])
series = Histogram("tests.duration", "How long", bounds=(1.0,)).series()
series.record(0.5)
series.record(5.0)
block = server_span("GET /orders", "", {"http.request.method": "GET"})
if block is not None:
    with block:
        trace.get_tracer("tests").start_span("inside").end()
        log("tests").warning("refused", sent=["Bearer 00Dxx!AQabcdefgh"])
