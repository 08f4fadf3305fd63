"""The shared cache (Valkey, Redis): a client with short timeouts, which counts its failures."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from kit import telemetry

T = TypeVar("T")

_log = telemetry.log(__name__)
_failed = telemetry.meter(__name__).create_counter(
    "enfilade.cache.failures", description="Times that the cache did not answer, by what was asked"
)


class Cache:
    """One client per process. Its users decide what happens when the cache does not answer."""

    def __init__(self, url: str, *, timeout: float = 0.05) -> None:
        # redis-py's own defaults retry for seconds: a dead cache would cost each request 4 s.
        self.url = url
        self.client: Redis = Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
        )
        self.failures: Counter[str] = Counter()

    async def ask(self, what: str, question: Callable[[Redis], Awaitable[Any]], *, otherwise: T) -> Any | T:
        """The cache's answer, or `otherwise` when it gives none; `what` names the user in the count."""
        try:
            return await question(self.client)
        except (RedisError, OSError) as error:
            self.count(what, error)
            return otherwise

    def count(self, what: str, error: Exception) -> None:
        """Note that the cache failed one of its users."""
        self.failures[what] += 1
        _failed.add(1, {"what": what})
        if self.failures[what] == 1:
            _log.warning("the cache does not answer", what=what, error=type(error).__name__)

    async def healthy(self) -> bool:
        """Whether the cache answers now."""
        return bool(await self.ask("health", lambda client: client.ping(), otherwise=False))

    async def close(self) -> None:
        await self.client.aclose()
