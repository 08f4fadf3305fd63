"""Metrics: what this process counts, as families of samples in the manner of Prometheus."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from opentelemetry import metrics

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""The bounds that OpenTelemetry advises for the duration of HTTP requests."""

_NAME = re.compile(r"[^A-Za-z0-9_:]")
_UNITS = {"s": "seconds", "By": "bytes", "1": "ratio"}


class Sample(msgspec.Struct, frozen=True):
    """A value with its labels; `suffix` is what its family's name is followed by."""

    value: float
    labels: dict[str, str] = {}
    suffix: str = ""


class Family(msgspec.Struct, frozen=True):
    """All samples of one name, which by its `kind` is a counter, a gauge or a histogram."""

    name: str
    kind: str
    help: str
    samples: list[Sample]


class _Series:
    """One set of labels of a histogram."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def record(self, value: float) -> None:
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class Histogram:
    """A histogram for paths where OpenTelemetry's own, at ten and more microseconds a call, costs too much.

    Its user stores the series of each set of labels, of which there must be few.
    """

    def __init__(
        self, name: str, description: str, unit: str = "s", bounds: tuple[float, ...] = SECONDS
    ) -> None:
        self.name, self.description, self.unit, self.bounds = name, description, unit, bounds
        self._series: dict[tuple[tuple[str, str], ...], _Series] = {}
        _histograms.append(self)

    def series(self, **labels: str) -> _Series:
        """The series of some labels, made when it is first asked for."""
        key = tuple(sorted(labels.items()))
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series(self.bounds)
        return series

    def points(self) -> list[tuple[dict[str, str], list[int], float]]:
        """Labels, counts by bucket and total of each series as it stands."""
        return [(dict(key), list(series.counts), series.total) for key, series in list(self._series.items())]

    def family(self) -> Family:
        """The samples as they stand."""
        samples: list[Sample] = []
        for labels, counts, total in self.points():
            samples += _histogram_samples(labels, self.bounds, counts, total)
        return Family(_family_name(self.name, self.unit), "histogram", self.description, samples)


_histograms: list[Histogram] = []
_gauges: dict[str, tuple[str, str, Callable[[], Iterable[Sample]]]] = {}


def meter(name: str) -> metrics.Meter:
    """OpenTelemetry's meter, for what is counted seldom."""
    return metrics.get_meter(name)


def gauge(name: str, description: str, read: Callable[[], Iterable[Sample]]) -> None:
    """Register a gauge, which is read at each request for metrics; a later one of the name replaces it."""
    _gauges[_family_name(name, "")] = (name, description, read)


def own_histograms() -> list[Histogram]:
    """Those that OpenTelemetry's instruments do not know of."""
    return list(_histograms)


def own_gauges() -> list[tuple[str, str, list[Sample]]]:
    """Name, description and samples of each gauge that OpenTelemetry's instruments do not know of."""
    return [(name, description, list(read())) for name, description, read in _gauges.values()]


_reader: Any = None


def configure_metrics(*readers: Any, resource: Any = None) -> None:
    """Collect what OpenTelemetry's instruments count from now on; export it where a reader does.

    Only the first call has an effect.
    """
    global _reader  # noqa: PLW0603 - one provider per process, as OpenTelemetry has it
    if _reader is not None:
        return
    # Loaded here and not above: a command that measures nothing shall not wait a third of a second for it.
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: PLC0415

    _reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([_reader, *readers], resource, shutdown_on_exit=bool(readers)))


def families() -> list[Family]:
    """Everything that this process has counted, by name."""
    families = [histogram.family() for histogram in _histograms]
    families += [
        Family(name, "gauge", description, list(read())) for name, (_, description, read) in _gauges.items()
    ]
    families += _from_opentelemetry()
    return sorted(merged(families), key=lambda family: family.name)


def merged(families: Iterable[Family]) -> list[Family]:
    """One family per name, with the samples of all."""
    by_name: dict[str, Family] = {}
    for family in families:
        known = by_name.get(family.name)
        if known is None:
            by_name[family.name] = msgspec.structs.replace(family, samples=list(family.samples))
        else:
            known.samples.extend(family.samples)
    return list(by_name.values())


def labelled(families: Iterable[Family], **labels: str) -> list[Family]:
    """The families with more labels on every sample."""
    return [
        msgspec.structs.replace(
            family,
            samples=[
                msgspec.structs.replace(sample, labels={**sample.labels, **labels})
                for sample in family.samples
            ],
        )
        for family in families
    ]


def exposition(families: Iterable[Family]) -> str:
    """The families in Prometheus's text format, version 0.0.4."""
    lines: list[str] = []
    for family in families:
        lines.append(f"# HELP {family.name} {_escaped(family.help)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        lines += [
            f"{family.name}{sample.suffix}{_labels(sample.labels)} {_number(sample.value)}"
            for sample in family.samples
        ]
    return "\n".join([*lines, ""])


def _from_opentelemetry() -> list[Family]:
    data = _reader.get_metrics_data() if _reader is not None else None
    if data is None:
        return []
    return [
        _family(metric)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    ]


def _family(metric: Any) -> Family:
    data = metric.data
    name = _family_name(metric.name, metric.unit or "")
    points = list(data.data_points)
    if hasattr(data, "is_monotonic"):
        kind = "counter" if data.is_monotonic else "gauge"
        name += "_total" if data.is_monotonic else ""
        samples = [Sample(point.value, _attributes(point)) for point in points]
    elif points and hasattr(points[0], "bucket_counts"):
        kind, samples = "histogram", []
        for point in points:
            samples += _histogram_samples(
                _attributes(point), point.explicit_bounds, point.bucket_counts, point.sum
            )
    else:
        kind, samples = "gauge", [Sample(point.value, _attributes(point)) for point in points]
    return Family(name, kind, metric.description or metric.name, samples)


def _histogram_samples(
    labels: dict[str, str], bounds: Iterable[float], counts: Iterable[int], total: float
) -> list[Sample]:
    samples: list[Sample] = []
    so_far = 0
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        so_far += count
        samples.append(Sample(so_far, {**labels, "le": bound}, "_bucket"))
    return [*samples, Sample(total, labels, "_sum"), Sample(so_far, labels, "_count")]


def _attributes(point: Any) -> dict[str, str]:
    return {_NAME.sub("_", name): str(value) for name, value in (point.attributes or {}).items()}


def _family_name(name: str, unit: str) -> str:
    family = _NAME.sub("_", name)
    suffix = _UNITS.get(unit, "")
    return f"{family}_{suffix}" if suffix and not family.endswith(suffix) else family


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    inner = ",".join(f'{name}="{_escaped(value, quote=True)}"' for name, value in sorted(labels.items()))
    return "{" + inner + "}"


def _escaped(text: str, *, quote: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if quote else escaped


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))  # noqa: PLR2004
