"""Telemetry to a collector by OTLP over HTTP: spans, metrics and log lines of this process, for one resource.

Headers, timeouts, certificates and compression are read by the exporters, from OpenTelemetry's own variables.
"""

import logging
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

import msgspec
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.log_utils import std_to_otel
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    PeriodicExportingMetricReader,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.metrics.export import Histogram as ExportedHistogram
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from kit.telemetry.collectors import Signal
from kit.telemetry.metrics import Histogram, Sample, configure_metrics, own_gauges, own_histograms
from kit.telemetry.tracing import record_spans

_STARTED = time.time_ns()
_UNKNOWN = cast("float", None)  # least and most are optional in OTLP, though not in the SDK's types
_SCOPE = InstrumentationScope("enfilade")
# What an exporter has to say of its own sending would be sent again.
_SENDERS = ("opentelemetry", "urllib3", "requests")


def export(service: str, ratio: float, wanted: Mapping[Signal, str], lines: logging.Formatter) -> None:
    """Send each signal to its address from now on; `lines` makes JSON of what is logged."""
    resource = _resource(service)
    if address := wanted.get("traces"):
        exporter = OTLPSpanExporter(endpoint=address)
        record_spans(service, ratio, BatchSpanProcessor(exporter), resource=resource)
    if address := wanted.get("metrics"):
        configure_metrics(PeriodicExportingMetricReader(_AllMetrics(resource, address)), resource=resource)
    if address := wanted.get("logs"):
        provider = LoggerProvider(resource)
        provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=address)))
        logging.getLogger().addHandler(_Lines(provider, lines))


def _resource(service: str) -> Resource:
    """What the variables say that this is (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES), over our own."""
    try:
        ours = {"service.name": service, "service.version": version("enfilade")}
    except PackageNotFoundError:  # run from a folder that is not installed
        ours = {"service.name": service}
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})


class _Lines(logging.Handler):
    """Sends what is logged: the event as the body, the rest as attributes, with the trace that it is of."""

    def __init__(self, provider: LoggerProvider, lines: logging.Formatter) -> None:
        super().__init__()
        self._provider = provider
        self.setFormatter(lines)

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(_SENDERS):
            return
        fields: dict[str, Any] = msgspec.json.decode(self.format(record))
        self._provider.get_logger(record.name).emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                severity_text=record.levelname,
                severity_number=std_to_otel(record.levelno),
                body=str(fields.pop("event", "")),
                attributes={name: _attribute(value) for name, value in fields.items() if value is not None},
            )
        )


def _attribute(value: Any) -> str | float | bool:
    return value if isinstance(value, str | int | float | bool) else msgspec.json.encode(value).decode()


class _AllMetrics(OTLPMetricExporter):
    """Sends the histograms and gauges of `kit.telemetry.metrics` with what OpenTelemetry collects."""

    def __init__(self, resource: Resource, address: str) -> None:
        super().__init__(endpoint=address)
        self._resource = resource

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        # Under one resource: the encoder takes the last of several that are equal.
        scopes = [scope for each in metrics_data.resource_metrics for scope in each.scope_metrics]
        scopes.append(ScopeMetrics(_SCOPE, _own(), ""))
        whole = MetricsData([ResourceMetrics(self._resource, scopes, "")])
        return super().export(whole, timeout_millis, **kwargs)


def _own() -> list[Metric]:
    now = time.time_ns()
    histograms = [_histogram(each, now) for each in own_histograms()]
    return [*histograms, *(_gauge(*each, now) for each in own_gauges())]


def _gauge(name: str, description: str, samples: list[Sample], now: int) -> Metric:
    points = [NumberDataPoint(sample.labels, _STARTED, now, sample.value) for sample in samples]
    return Metric(name, description, "", Gauge(points))


def _histogram(histogram: Histogram, now: int) -> Metric:
    points = [
        HistogramDataPoint(
            labels, _STARTED, now, sum(counts), total, counts, histogram.bounds, _UNKNOWN, _UNKNOWN
        )
        for labels, counts, total in histogram.points()
    ]
    data = ExportedHistogram(points, AggregationTemporality.CUMULATIVE)
    return Metric(histogram.name, histogram.description, histogram.unit, data)
