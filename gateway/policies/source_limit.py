"""Source limit: bounds the requests of one address, in memory, before any signature is checked (slowapi)."""

import logging
import time
from typing import Annotated, Any

import msgspec
from limits.storage import MemoryStorage
from msgspec import Meta
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request

from contracts.problems import TooManyRequests
from gateway.exchange import Asked, Exchange, PipelineStep, Reply, Route, Rule
from gateway.peers import network_of
from gateway.window import Window

_MANY = 10_000  # sources in memory at once


class SourceLimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of requests per window from one address (of IPv6: one /64), per worker process.

    slowapi is called for `batch` requests at a time, since one call costs more than all other policies
    together. The rest of a batch stays valid for a window, so the limit is exceeded by a batch at most.
    """

    requests: Annotated[int, Meta(ge=1)] = 6000
    seconds: Annotated[int, Meta(ge=1)] = 60
    batch: Annotated[int, Meta(ge=1, le=1000)] = 100
    deny_seconds: Annotated[float, Meta(gt=0)] = 0.05

    def __post_init__(self) -> None:
        if self.requests < 2 * self.batch:
            raise ValueError("requests must be at least twice the batch")


class SourceWindows(MemoryStorage):
    """The storage of slowapi: on monotonic time, without the thread that limits starts at every hit."""

    STORAGE_SCHEME: list[str] | None = ["enfilade-sources"]  # noqa: RUF012 - as limits declares it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: str) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._windows: dict[str, Window] = {}

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = time.monotonic()
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= _MANY:
                self._forget(now - expiry)
            window = self._windows[key] = Window()
        window.forget(now - expiry)
        return window.take(now, amount, limit)

    def _forget(self, before: float) -> None:
        """Evict idle sources; when a flood leaves too few idle, evict all."""
        for window in self._windows.values():
            window.forget(before)
        active = {key: window for key, window in self._windows.items() if window.sum}
        self._windows = active if len(active) < _MANY // 2 else {}


class SourceLimit:
    """Calls slowapi, with in-memory storage, and caches the rest of a batch and recent denials."""

    def __init__(self, settings: SourceLimitSettings | None) -> None:
        self.settings = settings
        self.left: dict[str, tuple[int, float]] = {}
        self.denied: dict[str, float] = {}
        self.admit = _admission(settings) if settings is not None else None
        # slowapi logs a line per refusal; a flood of refusals must not become a flood of lines.
        logging.getLogger("slowapi").propagate = False

    def inherit(self, old: "SourceLimit") -> None:
        """Continue with the counts, unless the limit has changed."""
        if old.settings == self.settings:
            self.left, self.denied, self.admit = old.left, old.denied, old.admit

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        settings = self.settings
        if settings is None or route is None:
            return call_next
        spend = self._spend

        async def source_limit(exchange: Exchange) -> Reply:
            source = network_of(exchange.source)
            if not spend(source):
                self._lease(settings, self.admit, source)
            return await call_next(exchange)

        return source_limit

    def explain(self, _: Asked) -> list[Rule]:
        settings = self.settings
        if settings is None:
            return []
        says = f"{settings.requests} requests per {settings.seconds} s from one address and worker"
        return [Rule(says, "source_limit.requests")]

    def _spend(self, source: str) -> bool:
        left, until = self.left.get(source, (0, 0.0))
        if left > 0 and time.monotonic() < until:
            self.left[source] = (left - 1, until)
            return True
        return False

    def _lease(self, settings: SourceLimitSettings, admit: Any, source: str) -> None:
        now = time.monotonic()
        if self.denied.get(source, 0.0) > now:
            raise _refusal(settings)
        cost = settings.batch
        while cost:
            if admit(source, cost):
                self._forget()
                self.left[source] = (cost - 1, now + settings.seconds)
                return
            cost //= 2  # near the end the last requests are counted one by one
        self._forget()
        self.denied[source] = now + settings.deny_seconds
        raise _refusal(settings)

    def _forget(self) -> None:
        # A flood of addresses must neither fill the memory nor cause a scan for each of them.
        if len(self.left) + len(self.denied) > _MANY:
            self.left.clear()
            self.denied.clear()


def _admission(settings: SourceLimitSettings) -> Any:
    """Whether slowapi admits so many requests of a source at once."""
    limiter = Limiter(
        key_func=_source_of,
        key_style="endpoint",
        strategy="moving-window",
        storage_uri="enfilade-sources://",
    )

    def cost_of(request: Request) -> int:
        return request.scope["cost"]

    @limiter.shared_limit(f"{settings.requests}/{settings.seconds} seconds", scope="source", cost=cost_of)
    def admit_request(request: Request) -> bool:  # noqa: ARG001 - slowapi finds the request by this name
        return True

    def admit(source: str, cost: int) -> bool:
        scope = {"type": "http", "path": "/", "headers": [], "client": (source, 0), "cost": cost}
        try:
            return admit_request(Request(scope))
        except RateLimitExceeded:
            return False

    return admit


def _source_of(request: Request) -> str:
    return request.client.host if request.client else "local"


def _refusal(settings: SourceLimitSettings) -> TooManyRequests:
    return TooManyRequests(
        "Too many requests from this address", retry_after=max(1.0, settings.seconds / settings.requests)
    )
