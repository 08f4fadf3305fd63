"""deploy: whether a process is ready to answer, and whether its deployment is stopping."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from sqlalchemy import insert

from contracts.problems import Unavailable
from deploy.composition.parts import Stores, Tiers
from deploy.settings import ServerSettings
from kit.background import down
from kit.context import new_id
from kit.database import Database
from kit.database.tables import leases

_WRITE_AGAIN_SECONDS = 5.0
_BYTES = 4000

DRAINING = "draining"
"""The file by which a deployment on its way down is known."""


def readiness(
    settings: ServerSettings, stores: Stores, tiers: Tiers
) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """A check that returns what the process lacks in order to answer; nothing when it is ready."""
    writing = Writing(stores.database)

    async def ready() -> Mapping[str, str]:
        missing = {}
        if fault := await writing.fault():
            missing["database"] = fault
        if tiers.runtime is not None and not tiers.runtime.running:
            dead = ", ".join(tiers.runtime.dead_threads)
            missing["flows"] = "This process does not execute its flows" + (f": {dead} ended" if dead else "")
        if died := down():
            missing["background"] = f"Crashed, and will be restarted: {', '.join(died)}"
        if draining(settings):
            missing["draining"] = "The deployment is stopping"
        return missing

    return ready


def degraded(stores: Stores) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """A check that returns what a process does without: the cache, without which it answers all the same."""

    async def check() -> Mapping[str, str]:
        refusal = await stores.cache.refusal() if stores.cache is not None else None
        return {} if refusal is None else {"cache": refusal.detail}

    return check


class Writing:
    """Whether the database takes writes, by a real one that is rolled back, every few seconds at most.

    The row is too large for the pages that are there, so it needs space on the disk. What was refused to the
    process otherwise counts, too: a small write may succeed where a larger one does not.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._written_at = float("-inf")

    async def fault(self) -> str:
        """Why the database does not serve; empty when it does."""
        try:
            if time.monotonic() - self._written_at < _WRITE_AGAIN_SECONDS:
                async with self._database.connect():
                    pass
            else:
                await self._write()
                self._written_at = time.monotonic()
        except Unavailable as problem:
            self._written_at = float("-inf")  # it is tried at the next probe again
            return problem.detail
        refused = self._database.write_refused
        return "" if refused is None else refused.detail

    async def _write(self) -> None:
        row = insert(leases).values(name=new_id("probe"), holder=secrets.token_hex(_BYTES))
        async with self._database.begin() as connection:
            await connection.execute(row)
            await connection.rollback()


def draining(settings: ServerSettings) -> bool:
    """Whether the whole deployment is stopping: a worker that is replaced does not make it unready."""
    return bool(settings.run_dir) and (Path(settings.run_dir) / DRAINING).exists()
