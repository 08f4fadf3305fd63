"""tests/kit: where spans are sent."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.settings import examine
from kit.telemetry import traces_address

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
    assert traces_address(endpoint) == address


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("http://collector:4317", "port 4317 takes OTLP over gRPC; spans are sent over HTTP, to port 4318"),
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
    """What an OpenTelemetry collector's OTLP receiver takes over HTTP: protobuf at /v1/traces, else 404."""

    def __init__(self) -> None:
        self.names: list[str] = []
        super().__init__(("127.0.0.1", 0), _Receiver)


class _Receiver(BaseHTTPRequestHandler):
    server: Collector  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        accepted = self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
        if accepted:
            traces = ExportTraceServiceRequest.FromString(body).resource_spans
            scopes = [scope for each in traces for scope in each.scope_spans]
            self.server.names += [span.name for scope in scopes for span in scope.spans]
        self.send_response(200 if accepted else 404)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector, served by a thread."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_spans_arrive_at_a_collector(collector: Collector) -> None:
    """With a collector's base address and nothing else, it receives what is recorded."""
    endpoint = f"http://127.0.0.1:{collector.server_port}"
    command = [sys.executable, "-m", "tests.kit.exporting", endpoint]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    assert sorted(collector.names) == ["GET /orders", "inside"]
