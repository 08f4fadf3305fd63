"""Telemetry: structured logs with the correlation id, spans of outbound calls, and a few metrics."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from kit import context
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
from kit.telemetry.tracing import configure_tracing, record_spans, records_spans, server_span, traces_address
from kit.texts import visible

__all__ = [
    "Family",
    "Histogram",
    "Sample",
    "configure_logging",
    "configure_metrics",
    "configure_tracing",
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
    "traces_address",
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


def silence_logging() -> None:
    """Write no log lines from here on: for a command whose own output has everything."""
    logging.getLogger().setLevel(logging.CRITICAL)
    nothing = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=nothing, cache_logger_on_first_use=False)


def configure_logging(level: str = "info", *, pretty: bool = False) -> None:
    """Send every log line, ours and the libraries', to standard error as JSON with the correlation id."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _add_correlation,
    ]
    render: Any = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    # JSON escapes what a terminal would obey; for people we do.
    shown = [_show_event] if pretty else []
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _mask_event,
                *shown,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # one INFO line per vendor call says nothing new
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def log(name: str) -> Any:
    """A structured logger."""
    return structlog.get_logger(name)
