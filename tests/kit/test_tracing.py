"""tests/kit: where spans, metrics and log lines are sent."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.settings import examine
from kit.telemetry.collectors import addresses, collector_faults, signal_address

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
        ("http://[::1]:4318", "http://[::1]:4318/v1/traces"),
        ("https://otlp.nr-data.net", "https://otlp.nr-data.net/v1/traces"),
        ("https://api.honeycomb.io/", "https://api.honeycomb.io/v1/traces"),
        ("https://x.live.dynatrace.com/api/v2/otlp", "https://x.live.dynatrace.com/api/v2/otlp/v1/traces"),
        ("https://otlp-gateway.grafana.net/otlp/", "https://otlp-gateway.grafana.net/otlp/v1/traces"),
    ],
)
def test_spans_go_to_the_collectors_path_for_traces(endpoint: str, address: str) -> None:
    """The setting is a collector's base address, as in OTEL_EXPORTER_OTLP_ENDPOINT, or that of traces."""
    assert signal_address(endpoint, "traces") == address


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("http://collector:4317", "port 4317 takes OTLP over gRPC; it is sent over HTTP, to port 4318"),
        ("grpc://collector:4318", "no http or https address"),
        ("collector:4318", "no http or https address"),
        ("http://", "no http or https address"),
        ("http://collector:4318?x=1", "no base address"),
        ("http://collector:none", "Port could not be cast"),
    ],
)
def test_an_address_that_takes_no_otlp_over_http_is_a_fault(endpoint: str, says: str) -> None:
    """A start says which setting names what is no such collector, instead of losing every span."""
    _, faults = examine({"ENFILADE_DATABASE_URL": "postgresql://x", "ENFILADE_OTLP_ENDPOINT": endpoint})
    assert len(faults) == 1
    assert faults[0].startswith("ENFILADE_OTLP_ENDPOINT: ")
    assert says in faults[0]


class Collector(ThreadingHTTPServer):
    """What a collector's OTLP receiver takes over HTTP: protobuf at its three paths, else 404."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.metrics: list[Any] = []
        self.lines: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.keys: set[str | None] = set()
        super().__init__(("127.0.0.1", 0), _Receiver)


class _Receiver(BaseHTTPRequestHandler):
    server: Collector  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        accepted = self.headers["content-type"] == "application/x-protobuf" and self._take(body)
        self.send_response(200 if accepted else 404)
        self.send_header("content-length", "0")
        self.end_headers()

    def _take(self, body: bytes) -> bool:
        server = self.server
        server.keys.add(self.headers["x-key"])
        match self.path:
            case "/v1/traces":
                resources = ExportTraceServiceRequest.FromString(body).resource_spans
                server.spans += [
                    span for each in resources for scope in each.scope_spans for span in scope.spans
                ]
            case "/v1/metrics":
                resources = ExportMetricsServiceRequest.FromString(body).resource_metrics
                server.metrics += [
                    metric for each in resources for scope in each.scope_metrics for metric in scope.metrics
                ]
            case "/v1/logs":
                resources = ExportLogsServiceRequest.FromString(body).resource_logs
                server.lines += [
                    line for each in resources for scope in each.scope_logs for line in scope.log_records
                ]
            case _:
                return False
        server.resources += [named(each.resource.attributes) for each in resources]
        return True

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def named(attributes: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in attributes}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """A collector that has received what a process with OpenTelemetry's variables sent."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-key=collectors",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=trial",
            "OTEL_SERVICE_NAME": "orders-gateway",
            "OTEL_TRACES_SAMPLER": "always_on",
        }
        command = [sys.executable, "-m", "tests.kit.exporting"]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=True, timeout=60)
        yield server
        server.shutdown()
        thread.join()


def test_spans_arrive_at_a_collector(collector: Collector) -> None:
    """Where only OpenTelemetry's own variables name it, it receives what is recorded."""
    assert sorted(span.name for span in collector.spans) == ["GET /orders", "inside"]


def test_metrics_arrive_at_a_collector(collector: Collector) -> None:
    """Those of OpenTelemetry's instruments, and the histograms and gauges of ours, by bucket and label."""
    metrics = {metric.name: metric for metric in collector.metrics}
    assert metrics["tests.refused"].sum.data_points[0].as_int == 2
    (gauge,) = metrics["tests.waiting"].gauge.data_points
    assert (gauge.as_double, named(gauge.attributes)) == (3.0, {"queue": "a"})
    (duration,) = metrics["tests.duration"].histogram.data_points
    assert (duration.count, duration.sum) == (2, 5.5)
    assert (list(duration.explicit_bounds), list(duration.bucket_counts)) == ([1.0], [1, 1])


def test_log_lines_arrive_at_a_collector(collector: Collector) -> None:
    """With level and fields, the trace that they are of, and no credential."""
    (line,) = collector.lines
    (span,) = [span for span in collector.spans if span.name == "GET /orders"]
    assert (line.body.string_value, line.severity_text) == ("refused", "WARNING")
    assert (line.trace_id, line.span_id) == (span.trace_id, span.span_id)
    fields = named(line.attributes)
    assert fields["sent"] == '["Bearer …"]'
    assert fields["trace_id"] == span.trace_id.hex()


def test_all_that_is_sent_names_its_resource(collector: Collector) -> None:
    """Name and attributes of the variables, with an instance of its own; and the headers that they demand."""
    assert collector.keys == {"collectors"}
    assert len(collector.resources) >= 3
    for resource in collector.resources:
        assert resource["service.name"] == "orders-gateway"
        assert resource["deployment.environment.name"] == "trial"
    assert len({resource["service.instance.id"] for resource in collector.resources}) == 1


BASE = "http://collector:4318"
OTHER = "https://traces.example/x"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, {}),
        (
            {"ENFILADE": BASE},
            {"traces": f"{BASE}/v1/traces", "metrics": f"{BASE}/v1/metrics", "logs": f"{BASE}/v1/logs"},
        ),
        (
            {"ENFILADE": BASE, "OTEL_EXPORTER_OTLP_ENDPOINT": OTHER, "OTEL_LOGS_EXPORTER": "none"},
            {"traces": f"{BASE}/v1/traces", "metrics": f"{BASE}/v1/metrics"},
        ),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": OTHER}, {"traces": OTHER}),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": BASE, "OTEL_SDK_DISABLED": "true"}, {}),
    ],
)
def test_each_signal_goes_where_the_variables_say(environ: dict[str, str], wanted: dict[str, str]) -> None:
    """A signal's own address as it is, else below the base, of which ours comes first; or nowhere."""
    base = environ.pop("ENFILADE", "")
    assert addresses(base, environ) == wanted


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317", "gRPC"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "collector", "no http or https address"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "allowed is http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "no number"),
        ("OTEL_TRACES_SAMPLER", "sometimes", "allowed are always_on"),
    ],
)
def test_a_variable_by_which_all_would_be_lost_is_a_fault(name: str, value: str, says: str) -> None:
    """The start says which one, and what is allowed."""
    (fault,) = collector_faults("", {name: value})
    assert fault.startswith(f"{name}: ")
    assert says in fault


def test_a_share_of_traces_is_a_number_to_one() -> None:
    """Of the samplers that take one; the others ignore it."""
    sampled = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"}
    assert len(list(collector_faults("", sampled))) == 1
    assert list(collector_faults("", {**sampled, "OTEL_TRACES_SAMPLER": "always_on"})) == []
