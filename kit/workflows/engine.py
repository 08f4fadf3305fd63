"""kit/workflows: what we need of the engine and it does not offer: private to it, and in this module only."""

import asyncio

from dbos import DBOS
from sqlalchemy import event

from kit.database.engine import leave_read_only


def pin_loop(engine: DBOS, loop: asyncio.AbstractEventLoop) -> None:
    """Have the engine begin every workflow on this loop, whatever that is doing.

    By itself it takes a loop of its own while this one does not run, and a server's loop stands still between
    the end of its start and its first request, and again before its shutdown. What is begun meanwhile waits.
    """
    engine._background_event_loop.target_loop = lambda: loop  # noqa: SLF001


def wait_for_primary(engine: DBOS) -> None:
    """Have the launched engine wait, as for an absent database, while its database is read-only.

    By itself it takes that for a fault of the run, which would then stay where it is until the next start.
    """
    event.listen(engine._sys_db.engine, "handle_error", leave_read_only)  # noqa: SLF001


def dead_threads(engine: DBOS) -> list[str]:
    """The engine's own threads that have ended. It does not notice, and goes on without what they did."""
    return sorted(thread.name for thread in engine._background_threads if not thread.is_alive())  # noqa: SLF001


async def recover(executor: str) -> None:
    """Put a dead process's workflows back into the queue.

    The call is guarded by the engine (a row moves only while it is pending, still that process's and of this
    version), blocks, and waits for an absent database.
    """
    await asyncio.to_thread(DBOS._recover_pending_workflows, [executor])  # noqa: SLF001
