"""Where telemetry goes: OpenTelemetry's own variables, and a base address of ours that comes before theirs.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and …/configuration/sdk-environment-variables/
"""

from collections.abc import Iterator, Mapping
from typing import Literal
from urllib.parse import urlsplit

Signal = Literal["traces", "metrics", "logs"]
SIGNALS: tuple[Signal, ...] = ("traces", "metrics", "logs")
_GRPC_PORT = 4317
_PROTOCOL = "http/protobuf"
_PREFIX = "OTEL_EXPORTER_OTLP_"
_RATIOS = ("traceidratio", "parentbased_traceidratio")
_SAMPLERS = ("always_on", "always_off", "parentbased_always_on", "parentbased_always_off", *_RATIOS)


def addresses(base: str, environ: Mapping[str, str]) -> dict[Signal, str]:
    """Where each signal is sent; none that is switched off, or has no collector. Raises ValueError."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return {}
    base = base or environ.get(f"{_PREFIX}ENDPOINT", "")
    wanted: dict[Signal, str] = {signal: _address(signal, base, environ) for signal in SIGNALS}
    return {signal: address for signal, address in wanted.items() if address}


def collector_faults(base: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Whatever a start would otherwise lose every span, metric or log for, each with the variable's name."""
    named = {"ENFILADE_OTLP_ENDPOINT": base}
    named |= {name: environ.get(name, "") for name in _of_signals("ENDPOINT")}
    for name, address in named.items():
        try:
            if address:
                _base(address)
        except ValueError as error:
            yield f"{name}: {error}"
    for name in _of_signals("PROTOCOL"):
        if environ.get(name, _PROTOCOL) not in ("", _PROTOCOL):
            yield f"{name}: {environ[name]!r} is not spoken here; allowed is {_PROTOCOL}"
    for name in _of_signals("TIMEOUT"):
        if _number(environ.get(name) or "0") is None:
            yield f"{name}: {environ[name]!r} is no number"
    yield from _sampler_faults(environ)


def signal_address(base: str, signal: Signal) -> str:
    """Where a collector takes a signal: below its base address, at ``/v1/traces`` and so on.

    A base that ends in the path of traces is taken for the address above it. Raises ValueError for one that
    takes no OTLP over HTTP. https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
    """
    return f"{_base(base).removesuffix('/v1/traces')}/v1/{signal}"


def _address(signal: Signal, base: str, environ: Mapping[str, str]) -> str:
    if environ.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").strip().lower() == "none":
        return ""
    own = environ.get(f"{_PREFIX}{signal.upper()}_ENDPOINT", "")
    return own or (signal_address(base, signal) if base else "")


def _base(endpoint: str) -> str:
    """An address of a collector without a slash at its end; raises ValueError with what is wrong."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{endpoint!r} is no http or https address of a collector")
    if parts.port == _GRPC_PORT:
        raise ValueError(f"port {_GRPC_PORT} takes OTLP over gRPC; it is sent over HTTP, to port 4318")
    if parts.query or parts.fragment:
        raise ValueError(f"{endpoint!r} is no base address: it has a query or a fragment")
    return parts._replace(path=parts.path.rstrip("/")).geturl()


def _of_signals(what: str) -> list[str]:
    """The name of a variable for all signals, and for each."""
    return [f"{_PREFIX}{what}", *(f"{_PREFIX}{signal.upper()}_{what}" for signal in SIGNALS)]


def _sampler_faults(environ: Mapping[str, str]) -> Iterator[str]:
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").lower()
    if sampler and sampler not in _SAMPLERS:
        yield f"OTEL_TRACES_SAMPLER: {sampler!r} is unknown; allowed are {', '.join(_SAMPLERS)}"
    share = environ.get("OTEL_TRACES_SAMPLER_ARG") or "1"
    ratio = _number(share)
    if sampler in _RATIOS and (ratio is None or not 0 <= ratio <= 1):
        yield f"OTEL_TRACES_SAMPLER_ARG: {share!r} is no number from 0 to 1"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
