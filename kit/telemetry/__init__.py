"""Telemetry: structured logs with the correlation id, spans of outbound calls, and a few metrics."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from opentelemetry import trace

from kit import context
from kit.telemetry.collectors import addresses
from kit.telemetry.metrics import (
    Family,
    Histogram,
    Sample,
    configure_metrics,
    exposition,
    families,
    gauge,
    labelled,
    merged,
    meter,
)
from kit.telemetry.tracing import record_spans, records_spans, server_span
from kit.texts import visible

__all__ = [
    "Family",
    "Histogram",
    "Sample",
    "configure_logging",
    "configure_metrics",
    "export_telemetry",
    "exposition",
    "families",
    "gauge",
    "labelled",
    "log",
    "mask",
    "merged",
    "meter",
    "record_spans",
    "records_spans",
    "server_span",
    "silence_logging",
]

# Whatever slips into a log line, a credential of a header, a JWT or a private key never does.
_SECRET = re.compile(
    r"(?i)((?:bearer|dpop|authorization[\"']?\s*[=:]\s*[\"']?basic)\s+)[A-Za-z0-9._~+/=!-]{8,}"
    r"|(enf_(?:test|live)_[0-9a-f]{8})[0-9a-f]+"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|((?:client_secret|client_assertion|assertion|refresh_token|access_?token|password)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,}]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
)


def mask(text: str) -> str:
    """The text without anything that looks like a credential."""
    return _SECRET.sub(lambda match: next(filter(None, match.groups()), "") + "…", text)


def _add_correlation(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.setdefault("correlation_id", context.current().correlation_id)
    return event


def _add_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the trace, and the span where one is recorded: what leads from a line to its trace."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"], event["span_id"] = f"{span.trace_id:032x}", f"{span.span_id:016x}"
    elif traceparent := context.current().traceparent:
        event["trace_id"] = traceparent.split("-")[1]
    return event


def _mask_event(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {name: _masked(value) for name, value in event.items()}


def _masked(value: Any) -> Any:
    match value:
        case str():
            return mask(value)
        case dict():
            return {name: _masked(each) for name, each in value.items()}
        case list() | tuple():
            return [_masked(each) for each in value]
        case _:
            return value


def _show_event(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {
        name: "\n".join(map(visible, value.split("\n"))) if isinstance(value, str) else value
        for name, value in event.items()
    }


_SHARED: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _add_correlation,
    _add_trace,
]


def silence_logging() -> None:
    """Write no log lines from here on: for a command whose own output has everything."""
    logging.getLogger().setLevel(logging.CRITICAL)
    nothing = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=nothing, cache_logger_on_first_use=False)


def configure_logging(level: str = "info", *, pretty: bool = False) -> None:
    """Send every log line, ours and the libraries', to standard output as JSON with its trace."""
    # JSON escapes what a terminal would obey; for people we do.
    render = (
        [_show_event, structlog.dev.ConsoleRenderer()] if pretty else [structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_formatter(render))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # one INFO line per vendor call says nothing new
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def export_telemetry(service: str, base: str, ratio: float, environ: Mapping[str, str]) -> None:
    """Send spans, metrics and log lines to the collectors of the settings; after `configure_logging`."""
    if wanted := addresses(base, environ):
        # Loaded here and not above: exporters take most of a second, and few processes have a collector.
        from kit.telemetry.exporting import export  # noqa: PLC0415

        export(service, ratio, wanted, _formatter([structlog.processors.JSONRenderer()]))


def _formatter(render: list[Any]) -> logging.Formatter:
    """Of our lines and the libraries', without credentials."""
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED, processors=[meta, _mask_event, *render]
    )


def log(name: str) -> Any:
    """A structured logger."""
    return structlog.get_logger(name)
