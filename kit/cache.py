"""The shared cache (Valkey, Redis): a client with short timeouts, which counts its failures by cause."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from redis import exceptions as redis_errors
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
)

from kit import telemetry

T = TypeVar("T")

_log = telemetry.log(__name__)
_failed = telemetry.meter(__name__).create_counter(
    "enfilade.cache.failures", description="Times that the cache did not answer, by what was asked and why"
)
_LOG_AGAIN_SECONDS = 60.0
_PROBE, _PROBE_MS = "enfilade:writable", 1000


class CacheRefusal(msgspec.Struct, frozen=True):
    """Why the cache does nothing for us now: its stable name, a sentence, what an operator does next."""

    cause: str
    detail: str
    remedy: str


UNREACHABLE = CacheRefusal(
    "unreachable", "The cache does not answer", "start it, or correct ENFILADE_CACHE_URL"
)
_OTHER = CacheRefusal("failed", "The cache refused a command", "read the cache server's log")
_LOGIN = CacheRefusal(
    "login_refused", "The cache refuses the login", "correct user and password in ENFILADE_CACHE_URL"
)
_READ_ONLY = CacheRefusal(
    "read_only", "The cache is a read-only replica", "let ENFILADE_CACHE_URL name the primary"
)
_STARTING = CacheRefusal("starting", "The cache is still loading its data", "wait until it has")
_NOT_PERMITTED = CacheRefusal(
    "not_permitted",
    "The cache does not permit a command to our user",
    "grant its user all commands and keys (ACL SETUSER)",
)
_MEMORY = CacheRefusal(
    "out_of_memory",
    "The cache has no memory left",
    "raise its maxmemory, or set its maxmemory-policy to volatile-lru",
)
# The first word of an error (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
_WORDS = {
    "BUSY": CacheRefusal(
        "busy", "The cache is busy with a script", "end it with SCRIPT KILL or FUNCTION KILL"
    ),
    "CLUSTERDOWN": CacheRefusal("cluster_down", "The cache's cluster is down", "look at its nodes"),
    "LOADING": _STARTING,
    "MASTERDOWN": CacheRefusal(
        "primary_away", "The cache is a replica without its primary", "start the primary, or name it"
    ),
    "MISCONF": CacheRefusal(
        "cannot_save",
        "The cache takes no writes, for it cannot save its data",
        "free its disk and check its folder's permissions, or set stop-writes-on-bgsave-error to no",
    ),
    "NOAUTH": _LOGIN,
    "NOPERM": _NOT_PERMITTED,
    "OOM": _MEMORY,
    "READONLY": _READ_ONLY,
    "WRONGPASS": _LOGIN,
}
# redis-py takes the word off the errors for which it has classes.
_CLASSES = (
    (AuthenticationError, _LOGIN),
    (BusyLoadingError, _STARTING),
    (NoPermissionError, _NOT_PERMITTED),
    (OutOfMemoryError, _MEMORY),
    (ReadOnlyError, _READ_ONLY),
)


def cache_refusal(error: BaseException) -> CacheRefusal:
    """Why the cache did not do what was asked."""
    cause: BaseException | None = error
    while cause is not None:  # an error of the login is raised as one of the connection, from the real one
        if known := _known(cause):
            return known
        cause = cause.__cause__ or cause.__context__
    lost = isinstance(error, OSError | redis_errors.ConnectionError | redis_errors.TimeoutError)
    return UNREACHABLE if lost else _OTHER


def _known(error: BaseException) -> CacheRefusal | None:
    by_class = (refusal for kind, refusal in _CLASSES if isinstance(error, kind))
    return next(by_class, None) or _WORDS.get(str(error).partition(" ")[0])


class Cache:
    """One client per process. Its users decide what happens when the cache does not do what they ask."""

    def __init__(self, url: str, *, timeout: float = 0.05) -> None:
        # redis-py's own defaults retry for seconds: a dead cache would cost each request 4 s.
        self.url = url
        self.client: Redis = Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
        )
        self.failures: Counter[str] = Counter()
        self._logged: dict[str, float] = {}

    async def ask(self, what: str, question: Callable[[Redis], Awaitable[Any]], *, otherwise: T) -> Any | T:
        """The cache's answer, or `otherwise` when it gives none; `what` names the user in the count."""
        try:
            return await question(self.client)
        except (RedisError, OSError) as error:
            self.count(what, error)
            return otherwise

    def count(self, what: str, error: Exception) -> None:
        """Note that the cache failed one of its users; the log says why, once a minute for each cause."""
        refusal = cache_refusal(error)
        self.failures[what] += 1
        _failed.add(1, {"what": what, "cause": refusal.cause})
        now = time.monotonic()
        if now - self._logged.get(refusal.cause, float("-inf")) >= _LOG_AGAIN_SECONDS:
            self._logged[refusal.cause] = now
            _log.warning(
                refusal.detail,
                cause=refusal.cause,
                what=what,
                error=type(error).__name__,
                next_step=refusal.remedy,
            )

    async def healthy(self) -> bool:
        """Whether the cache answers now, and takes writes."""
        return await self.refusal() is None

    async def refusal(self) -> CacheRefusal | None:
        """Why the cache takes no write now; None when it does."""
        try:
            await self.client.set(_PROBE, b"", px=_PROBE_MS)
        except (RedisError, OSError) as error:
            self.count("health", error)
            return cache_refusal(error)
        return None

    async def close(self) -> None:
        await self.client.aclose()
