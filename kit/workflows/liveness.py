"""kit/workflows: a living process takes over what a dead one left; life is a lock, not a clock."""

import asyncio
import logging

from sqlalchemy import text

from contracts.problems import Unavailable
from kit.database import Database, Hold
from kit.workflows.engine import announce, recover

logger = logging.getLogger(__name__)

_WITH_WORK = text(
    "SELECT DISTINCT executor_id FROM dbos.workflow_status"
    " WHERE status = 'PENDING' AND application_version = :version AND executor_id <> :me"
)


class Liveness:
    """Shows that this process lives, and recovers the work of those that do not."""

    def __init__(self, database: Database, executor: str, version: str, queue: str, seconds: float) -> None:
        self._database = database
        self._executor = executor
        self._version = version
        self._queue = queue
        self._seconds = seconds
        self._alive: Hold | None = None

    async def show(self) -> None:
        """Hold the lock that shows that this process is alive; take it again after the session was lost."""
        if self._alive is None or self._alive.lost.is_set():
            self._alive = await self._database.locks.take(_lock_of(self._executor))
        else:
            await self._database.locks.check()

    async def hide(self) -> None:
        """Let the lock go: what this process leaves is for the others at once."""
        self._alive = None
        await self._database.locks.release(_lock_of(self._executor))

    async def watch(self) -> None:
        """Until cancelled, look after the others once every while."""
        while True:
            try:
                await self.show()
                await self.look()
            except Unavailable:
                logger.warning("Liveness waits for the database")
            except Exception:  # a process that stopped looking would leave the work of dead ones for ever
                logger.exception("Looking after the other processes failed")
            await asyncio.sleep(self._seconds)

    async def look(self) -> None:
        """Take over the work of every process whose lock is free."""
        here = {"version": self._version, "me": self._executor}
        async with self._database.connect() as connection:
            others = (await connection.execute(_WITH_WORK, here)).scalars().all()
        for other in others:
            if await self._database.locks.take(_lock_of(other)) is None:
                continue
            try:
                logger.warning("Taking over the workflows of %s", other)
                await recover(other)
                async with self._database.begin() as connection:
                    await announce(connection, self._queue)
            finally:
                await self._database.locks.release(_lock_of(other))


def _lock_of(executor: str) -> str:
    return f"executor:{executor}"
