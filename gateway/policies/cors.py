"""CORS: which pages of other origins may call from a browser; unconfigured, none."""

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.exchange import Asked, Exchange, Header, PipelineStep, Reply, Route, Rule

_METHOD = b"access-control-request-method"
_METHODS = b"access-control-allow-methods"
_ANY_METHOD = b"GET, HEAD, POST, PUT, PATCH, DELETE"


class CorsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Origins as a browser sends them (scheme, host, port), and which headers their scripts may use."""

    origins: Annotated[tuple[str, ...], Meta(min_length=1)]
    request_headers: tuple[str, ...] = (
        "Authorization",
        "Cache-Control",
        "Content-Type",
        "DPoP",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Last-Event-ID",
    )
    exposed_headers: tuple[str, ...] = (
        "Allow",
        "Correlation-Id",
        "DPoP-Nonce",
        "ETag",
        "Link",
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        "WWW-Authenticate",
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
        self._origins = frozenset(origin.encode() for origin in settings.origins) if settings else frozenset()
        exposed = settings.exposed_headers if settings else ()
        self._exposed: Header = (b"access-control-expose-headers", ", ".join(exposed).encode())

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        if self._settings is None or route is None or route.page:
            return call_next
        preflight = self._preflight() if route.method == "OPTIONS" else []

        async def cors(exchange: Exchange) -> Reply:
            if not self._allow(exchange):
                return await call_next(exchange)
            if preflight and _METHOD in exchange.headers:
                reply = await call_next(exchange)
                allow = next(value for name, value in reply.headers if name == b"allow")
                return Reply(204, [*reply.headers, (_METHODS, allow), *preflight])
            exchange.notes.append(self._exposed)
            return await call_next(exchange)

        return cors

    def mark(self, exchange: Exchange, refusal: Reply) -> Reply:
        """A refusal before the route was known, such that a script of an allowed origin can read it.

        A browser shows a script nothing of a refused preflight: that is answered with success, and the
        request after it is refused in its place (Fetch standard, CORS-preflight fetch).
        """
        if self._settings is None or exchange.route is not None or not self._allow(exchange):
            return refusal
        if exchange.method != "OPTIONS" or _METHOD not in exchange.headers:
            exchange.notes.append(self._exposed)
            return refusal
        closing = [item for item in refusal.headers if item[0] == b"connection"]
        return Reply(204, [*closing, (_METHODS, _ANY_METHOD), *self._preflight()])

    def explain(self, _: Asked) -> list[Rule]:
        if self._settings is None:
            return []
        return [Rule(f"pages of {', '.join(self._settings.origins)} may read the answer", "cors.origins")]

    def _allow(self, exchange: Exchange) -> bool:
        """Whether the request's origin may read the answer, which then names it."""
        origin = exchange.headers.get(b"origin")
        exchange.notes.append((b"vary", b"Origin"))
        if origin is None or origin not in self._origins:
            return False
        exchange.notes.append((b"access-control-allow-origin", origin))
        return True

    def _preflight(self) -> list[Header]:
        settings = self._settings
        if settings is None:
            return []
        return [
            (b"access-control-allow-headers", ", ".join(settings.request_headers).encode()),
            (b"access-control-max-age", str(settings.max_age_seconds).encode()),
        ]
