"""CORS: which pages of other origins may call from a browser; unconfigured, none."""

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.exchange import Asked, Exchange, Header, PipelineStep, Reply, Route, Rule


class CorsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Origins as a browser sends them (scheme, host, port), and which headers their scripts may use."""

    origins: Annotated[tuple[str, ...], Meta(min_length=1)]
    request_headers: tuple[str, ...] = ("Authorization", "Content-Type", "If-Match", "Idempotency-Key")
    exposed_headers: tuple[str, ...] = (
        "Correlation-Id",
        "ETag",
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
    )
    max_age_seconds: int = 600

    def __post_init__(self) -> None:
        for origin in self.origins:
            if "://" not in origin or origin.endswith("/") or "*" in origin:
                raise ValueError(f"{origin!r} is no origin; write https://host[:port]")


class Cors:
    """Answers preflights, which carry no consumer, and marks answers for the origins that are allowed."""

    def __init__(self, settings: CorsSettings | None) -> None:
        self._settings = settings

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        if self._settings is None or route is None or route.page:
            return call_next
        origins = frozenset(origin.encode() for origin in self._settings.origins)
        preflight = self._preflight() if route.method == "OPTIONS" else []
        exposed = ", ".join(self._settings.exposed_headers).encode()

        async def cors(exchange: Exchange) -> Reply:
            origin = exchange.headers.get(b"origin")
            exchange.notes.append((b"vary", b"Origin"))
            if origin not in origins or origin is None:
                return await call_next(exchange)
            exchange.notes.append((b"access-control-allow-origin", origin))
            if preflight and b"access-control-request-method" in exchange.headers:
                reply = await call_next(exchange)
                allow = next(value for name, value in reply.headers if name == b"allow")
                return Reply(204, [*reply.headers, (b"access-control-allow-methods", allow), *preflight])
            exchange.notes.append((b"access-control-expose-headers", exposed))
            return await call_next(exchange)

        return cors

    def explain(self, _: Asked) -> list[Rule]:
        if self._settings is None:
            return []
        return [Rule(f"pages of {', '.join(self._settings.origins)} may read the answer", "cors.origins")]

    def _preflight(self) -> list[Header]:
        settings = self._settings
        if settings is None:
            return []
        return [
            (b"access-control-allow-headers", ", ".join(settings.request_headers).encode()),
            (b"access-control-max-age", str(settings.max_age_seconds).encode()),
        ]
