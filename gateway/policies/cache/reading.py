"""Reading: answers one cacheable read from the cache or from the tier, separately for each caller."""

import asyncio
import hashlib
from typing import Any

import msgspec

from contracts.problems import NotCached, Problem, Unexpected
from gateway.exchange import Exchange, Header, PipelineStep, Reply
from gateway.policies.cache.conditions import CacheDirectives, cache_directives, header, met
from gateway.policies.cache.flights import Flight, Flights
from gateway.policies.cache.store import CacheEntry, Store
from gateway.policies.cache.tags import CacheTag
from kit import clock, problems
from kit.context import unordered
from kit.telemetry import meter

_OK = 200
_FAILURE = 500
# Claims about the token itself, and its scopes, which are read already: they differ between tokens of one
# caller, and no answer depends on them.
_OF_THE_TOKEN = frozenset({"exp", "iat", "nbf", "jti", "scope", "scp"})
_VARY: Header = (b"vary", b"Authorization, Accept, Accept-Language")
_KNOWN_VARY = frozenset({b"", b"authorization", b"accept", b"accept-language"})
_PROBLEM = problems.MEDIA_TYPE.encode()
_encode = msgspec.json.Encoder(order="sorted").encode
_reads = meter(__name__).create_counter(
    "enfilade.gateway.cache.reads", description="Reads that may be answered from the cache, by outcome"
)


class Reading:
    """The answers of one read operation of one instance.

    An answer is fresh for `lifetime` seconds; for `while_revalidating` after that it is still served while a
    new one is fetched, and for `if_error`, when the tier fails.
    """

    def __init__(
        self,
        *,
        store: Store,
        flights: Flights,
        tag: CacheTag,
        lifetime: int,
        while_revalidating: float,
        if_error: float,
        call_next: PipelineStep,
    ) -> None:
        self._store = store
        self._flights = flights
        self._tag = tag
        self._lifetime = lifetime
        self._while_revalidating = lifetime + while_revalidating
        self._if_error = lifetime + if_error
        self._call_next = call_next
        self._headers: list[Header] = [(b"cache-control", f"private, max-age={lifetime}".encode()), _VARY]

    async def answer(self, exchange: Exchange) -> Reply:
        """The cached answer when acceptable, else the tier's; raises NotCached and what the tier raises."""
        directives = cache_directives(exchange)
        if directives.no_store or exchange.caller is None:
            return _counted("passed by", exchange, await self._call_next(exchange))
        key = _key(exchange)
        entry = self._store.get(key, self._tag.generation)
        if entry is not None and _age(entry) < 0:  # the clock was set back: its age is unknown
            entry = None
        if entry is not None and directives.take(_age(entry), self._lifetime):
            return _counted("hit", exchange, _given(entry))
        if directives.only_if_cached:
            raise NotCached
        if entry is not None and directives.patient and _age(entry) < self._while_revalidating:
            self._join(key, exchange)
            return _counted("stale", exchange, _given(entry))
        return await self._fetched(key, exchange, directives, entry)

    async def _fetched(
        self, key: bytes, exchange: Exchange, directives: CacheDirectives, entry: CacheEntry | None
    ) -> Reply:
        """The tier's answer, or the cached one when the tier fails and it is not too old."""
        flight = self._join(key, exchange) if directives.patient else self._begin(key, exchange)
        if entry is None or not directives.patient or _age(entry) >= self._if_error:
            return _counted("miss", exchange, _own(exchange, flight, await asyncio.shield(flight.task)))
        try:
            reply = await asyncio.shield(flight.task)
        except Problem as problem:
            if problem.status < _FAILURE:
                raise
            return _counted("stale if error", exchange, _given(entry))
        if reply.status >= _FAILURE:
            return _counted("stale if error", exchange, _given(entry))
        return _counted("miss", exchange, _own(exchange, flight, reply))

    def _join(self, key: bytes, exchange: Exchange) -> Flight:
        """The flight under way for the key, or a new one when that is invalidated or no longer fresh."""
        flight = self._flights.joinable.get(key)
        if flight is None or flight.generation != self._tag.generation:
            return self._begin(key, exchange)
        fresh = 0 <= clock.now().timestamp() - flight.asked_at <= self._lifetime
        return flight if fresh else self._begin(key, exchange)

    def _begin(self, key: bytes, exchange: Exchange) -> Flight:
        generation, asked_at = self._tag.generation, clock.now().timestamp()
        task = asyncio.create_task(self._fly(key, exchange, generation, asked_at))
        flight = Flight(exchange, generation, asked_at, task)
        self._flights.begin(key, flight)
        return flight

    async def _fly(self, key: bytes, exchange: Exchange, generation: int, asked_at: float) -> Reply:
        reply = await self._call_next(exchange)
        if reply.status != _OK:
            return reply
        if not header(reply, b"etag"):
            reply.headers.append((b"etag", _etag(reply.body)))
        if _is_cacheable(reply):
            reply.headers = [item for item in reply.headers if item[0] not in (b"cache-control", b"vary")]
            reply.headers += self._headers
            if generation == self._tag.generation:
                self._store.put(key, CacheEntry(tuple(reply.headers), reply.body, generation, asked_at))
        return reply


def _counted(outcome: str, exchange: Exchange, reply: Reply) -> Reply:
    """The reply under the request's conditions, its outcome counted."""
    _reads.add(1, {"outcome": outcome, "http.route": exchange.route.template if exchange.route else ""})
    return met(exchange, reply)


def _age(entry: CacheEntry) -> float:
    return clock.now().timestamp() - entry.asked_at


def _key(exchange: Exchange) -> bytes:
    """The cache key: all that is known of the caller, and all that a tier receives of the request."""
    caller, headers = exchange.caller, exchange.headers
    if caller is None:
        raise Unexpected("The request has no caller")
    claims = {name: unordered(value) for name, value in caller.claims.items() if name not in _OF_THE_TOKEN}
    parts: list[Any] = [
        caller.consumer,
        caller.subject,
        caller.outside,
        sorted(caller.scopes),
        sorted(caller.roles),
        claims,
        exchange.path,
        exchange.query,
        headers.get(b"accept", b""),
        headers.get(b"accept-language", b""),
    ]
    return hashlib.blake2b(_encode(parts), digest_size=32).digest()


def _etag(body: bytes) -> bytes:
    return b'"%s"' % hashlib.blake2b(body, digest_size=16).hexdigest().encode()


def _is_cacheable(reply: Reply) -> bool:
    """Whether the tier allows caching, and the answer varies only by what the key contains."""
    directives = header(reply, b"cache-control").lower()
    varies_by = {name.strip().lower() for name in header(reply, b"vary").split(b",")}
    return b"no-store" not in directives and b"no-cache" not in directives and varies_by <= _KNOWN_VARY


def _given(entry: CacheEntry) -> Reply:
    """A cached answer as a reply with its Age, in seconds."""
    return Reply(_OK, [*entry.headers, (b"age", str(max(0, int(_age(entry)))).encode())], entry.body)


def _own(exchange: Exchange, flight: Flight, reply: Reply) -> Reply:
    """A shared reply for one of the waiting callers; a problem carries that caller's correlation id."""
    body = reply.body
    if flight.correlation_id != exchange.correlation_id and header(reply, b"content-type") == _PROBLEM:
        body = _encode({**msgspec.json.decode(body), "correlation_id": exchange.correlation_id})
    headers = [item for item in reply.headers if item[0] != b"content-length"]
    return Reply(reply.status, headers, body)
