"""tests/gateway: the demo house with spans recorded, in a process of its own: recording cannot be undone."""

import asyncio
import json
import sys
from pathlib import Path

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gateway.pipeline import GatewaySettings
from gateway.policies.hop import HopSettings
from kit.telemetry import record_spans
from tests.gateway.deployment import Deployment

ORDERS = "/experience/shop/v1/orders"


async def ask(folder: Path, traceparent: str) -> list[str]:
    deployment = Deployment(folder)
    always = Deployment(folder, GatewaySettings(hop=HopSettings(sample_ratio=1.0)))
    sent = {"headers": {"traceparent": traceparent}}
    answers = [
        await deployment.call("GET", f"{ORDERS}/a", **sent),
        await deployment.call("GET", "/experience/shop/v1/slow", **sent),
        await always.call("GET", f"{ORDERS}/a", "partner", **sent),
        await deployment.call("GET", f"{ORDERS}/a"),
    ]
    return [answer.json().get("traceparent", "") for answer in answers]


def main() -> None:
    exporter = InMemorySpanExporter()
    record_spans("tests", 0.0, SimpleSpanProcessor(exporter))
    handed_on = asyncio.run(ask(Path(sys.argv[1]), sys.argv[2]))
    spans = [span for span in exporter.get_finished_spans() if span.kind is SpanKind.SERVER]
    told = [
        {
            "name": span.name,
            "trace": f"{span.context.trace_id:032x}",
            "span": f"{span.context.span_id:016x}",
            "parent": f"{span.parent.span_id:016x}" if span.parent else None,
            "status": span.attributes["http.response.status_code"],
            "error": span.status.status_code is StatusCode.ERROR,
            "traceparent": traceparent,
        }
        for span, traceparent in zip(spans, handed_on, strict=False)
    ]
    print(json.dumps(told))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main()
