"""Credential status: all live API keys and revocations, cached in memory and refreshed from PostgreSQL."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from contracts.problems import Problem, Unavailable
from gateway.identity import api_keys, revocation
from gateway.identity.api_keys import StoredApiKey
from gateway.identity.changes import version_of
from gateway.identity.revocation import Revoked
from kit.background import run_background, stop_background
from kit.batches import CLOSE_SECONDS
from kit.database import Database
from kit.telemetry import log

_log = log(__name__)


class CredentialStatus:
    """Polls for changes every `refresh` seconds, and reads keys and revocations only then.

    Requests read the memory, never the database. Without the database the status is used for `stale` seconds;
    after that revocations could be missing, and `check_fresh` raises Unavailable.
    """

    def __init__(
        self,
        database: Database,
        *,
        refresh: float = 1.0,
        stale: float = 60.0,
        write: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._refresh = refresh
        self._stale = stale
        self._write = write
        self._clock = clock
        self._version = -1
        # One at a time: of two at once, the one that began first could end last, and put back what was.
        self._refreshing = asyncio.Lock()
        self._fresh_at = clock()  # a start without the database is tolerated as long as its loss
        self._keys: dict[str, StoredApiKey] = {}
        self._live: frozenset[str] = frozenset()
        self._revoked = Revoked()
        self._used: dict[str, float] = {}
        self._notify: Callable[[], None] = _nothing
        self._tasks: list[asyncio.Task[None]] = []

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed`, in place of any earlier callback, when cached credentials may be invalid."""
        self._notify = changed

    @property
    def seconds(self) -> tuple[float, float]:
        """The poll interval, and for how long the status is used without the database."""
        return self._refresh, self._stale

    def check_fresh(self) -> None:
        """Raise Unavailable when the status is stale."""
        if not self.fresh:
            raise _away(self._refresh)

    @property
    def fresh(self) -> bool:
        """Whether the status is not stale."""
        return self._clock() - self._fresh_at <= self._stale

    def find_key(self, text: str) -> StoredApiKey | None:
        """The live key with this text, whose use is recorded; None for any other text.

        Raises Unavailable when the status is stale or was never read.
        """
        if self._version < 0:
            raise _away(self._refresh)
        self.check_fresh()
        key = self._keys.get(api_keys.hash_of(text))
        if key is None or api_keys.has_expired(key):
            return None
        self._used[key.id] = time.time()
        return key

    def holds(self, key: StoredApiKey) -> bool:
        """Whether a key that was live before is still live."""
        return key.id in self._live and not api_keys.has_expired(key)

    def is_revoked(self, consumer: str, claims: dict[str, Any], issuer: str) -> bool:
        """Whether a token with these claims was revoked."""
        return self._revoked.covers(consumer, claims, issuer)

    async def start(self) -> None:
        """Read the status and refresh it in the background, even if the database is unavailable now."""
        with contextlib.suppress(Problem):
            await self.refresh()
        self._tasks = [
            run_background("identity's refresh", self._refresh_repeatedly),
            run_background("writing of the use of keys", self._write_repeatedly),
        ]

    async def close(self) -> None:
        """Stop the background work and write the recorded uses."""
        await stop_background(*self._tasks)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.write_used()
        except Exception as error:  # noqa: BLE001 - closing must not fail: what is lost is logged
            _log.error("use of keys lost", keys=len(self._used), reason=type(error).__name__)

    async def refresh(self) -> None:
        """Poll for changes now; raises Unavailable without the database."""
        async with self._refreshing:
            await self._refresh_now()

    async def _refresh_now(self) -> None:
        asked_at = self._clock()
        async with self._database.connect() as connection:
            version = await version_of(connection)
            if version != self._version:
                self._keys = await api_keys.live_keys(connection)
                self._live = frozenset(key.id for key in self._keys.values())
                self._revoked = Revoked(await revocation.active_revocations(connection))
                self._version = version
                self._notify()
        self._fresh_at = asked_at

    async def write_used(self) -> None:
        """Write when keys were last used; on Unavailable they are retained for later."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            async with self._database.begin() as connection:
                await api_keys.note_used(connection, used)
        except BaseException:
            self._used = used | self._used
            raise

    async def _refresh_repeatedly(self) -> None:
        logged, failing = self.fresh, False
        while True:
            await asyncio.sleep(self._refresh)
            failing = not await _try("identity not refreshed", self.refresh, logged=failing)
            if logged and not self.fresh:
                self._notify()
            logged = self.fresh

    async def _write_repeatedly(self) -> None:
        failing = False
        while True:
            await asyncio.sleep(self._write)
            failing = not await _try("use of keys not written", self.write_used, logged=failing)


def _nothing() -> None:
    """The callback until `watch` sets one."""


def _away(retry_after: float) -> Unavailable:
    return Unavailable(
        "Callers cannot be identified while the database is unavailable", retry_after=retry_after
    )


async def _try(what: str, work: Any, *, logged: bool) -> bool:
    """Whether background work succeeded; an outage is logged once, since the work is retried soon."""
    try:
        await work()
    except Problem as problem:
        if not logged:
            _log.warning(what, code=problem.code)
        return False
    except Exception as error:  # noqa: BLE001 - a fault here must not end the work for good
        _log.error(what, exc_info=error)
        return False
    return True
