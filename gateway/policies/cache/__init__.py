"""Cache: conditional reads, and answers of declared reads cached separately for each caller."""

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.exchange import Asked, Exchange, Reply, Route, Rule, Step
from gateway.policies.cache.conditions import met
from gateway.policies.cache.flights import Flights
from gateway.policies.cache.reading import Reading
from gateway.policies.cache.store import Store
from gateway.policies.cache.tags import CacheTag, InvalidationListener

__all__ = ["AnswerCache", "CacheSettings", "InvalidationListener"]

_REFUSAL = 400
_FAILURE = 500


class CacheSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is cached, and how long an answer may be served after it has expired.

    An answer expires after its operation's `cache_seconds`. For `stale_while_revalidate_seconds` after that
    it is still served while a new one is fetched; for `stale_if_error_seconds`, when the tier fails. With
    `max_bytes` zero nothing is cached.
    """

    max_bytes: Annotated[int, Meta(ge=0)] = 32 << 20
    stale_while_revalidate_seconds: Annotated[float, Meta(ge=0)] = 5.0
    stale_if_error_seconds: Annotated[float, Meta(ge=0)] = 60.0


class AnswerCache:
    """Caches answers in this process, each for one caller; nothing depends on them but speed."""

    def __init__(self, settings: CacheSettings) -> None:
        self.tags: list[CacheTag] = []
        self._settings = settings
        self._store = Store(settings.max_bytes)
        self._flights = Flights()
        self._places: dict[tuple[str, str], list[CacheTag]] = {}

    def wrap(self, route: Route | None, call_next: Step) -> Step:
        if route is None or route.operation is None or route.api is None or route.operation.streams:
            return call_next
        place = self._places.setdefault((route.api.slug, route.instance), [])
        if route.method != "GET":
            return _invalidating(place, call_next)
        if not route.operation.cache_seconds or not self._settings.max_bytes:
            return _conditional(call_next)
        tag = CacheTag(route.operation.outdated_by)
        place.append(tag)
        self.tags.append(tag)
        return Reading(
            store=self._store,
            flights=self._flights,
            tag=tag,
            lifetime=route.operation.cache_seconds,
            while_revalidating=self._settings.stale_while_revalidate_seconds,
            if_error=self._settings.stale_if_error_seconds,
            call_next=call_next,
        ).answer

    def explain(self, asked: Asked) -> list[Rule]:
        operation = asked.route.operation
        if operation is None or operation.streams or asked.route.method != "GET":
            return []
        if not operation.cache_seconds or not self._settings.max_bytes:
            return [Rule("the request's conditions, if it has any", file="")]
        return [Rule(f"an answer cached for this caller, at most {operation.cache_seconds} s old", file="")]

    async def close(self) -> None:
        """Cancel the fetches under way."""
        await self._flights.close()


def _conditional(call_next: Step) -> Step:
    async def cache(exchange: Exchange) -> Reply:
        return met(exchange, await call_next(exchange))

    return cache


def _invalidating(place: list[CacheTag], call_next: Step) -> Step:
    """A write: unless it was refused, it invalidates the cached answers of its API here (RFC 9111 §4.4).

    All of them, since any could show what was written; and also when the outcome of the write is unknown.
    """

    async def cache(exchange: Exchange) -> Reply:
        refused = False
        try:
            reply = await call_next(exchange)
            refused = _REFUSAL <= reply.status < _FAILURE
            return reply
        finally:
            if not refused:
                for tag in place:
                    tag.invalidate()

    return cache
