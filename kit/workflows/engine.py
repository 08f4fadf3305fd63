"""kit/workflows: what we need of the engine and it does not offer: private to it, and in this module only."""

import asyncio
import threading
from typing import Any

from dbos import DBOS
from sqlalchemy import event, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.database.engine import leave_read_only

_NOTIFICATIONS = "dbos_notifications_channel"  # of PostgreSQL, to which the engine listens


def pin_loop(engine: DBOS, loop: asyncio.AbstractEventLoop) -> None:
    """Have the engine begin every workflow on this loop, whatever that is doing.

    By itself it takes a loop of its own while this one does not run, and a server's loop stands still between
    the end of its start and its first request, and again before its shutdown. What is begun meanwhile waits.
    """
    engine._background_event_loop.target_loop = lambda: loop  # noqa: SLF001


async def announce(connection: AsyncConnection, queue: str) -> None:
    """Have the workers look into a queue once this transaction has committed."""
    await connection.execute(select(func.pg_notify(_NOTIFICATIONS, _notice_of(queue))))


def wake_when_announced(engine: DBOS, queue: str) -> None:
    """Have the launched engine look into its queue when that is announced, and not only when its poll is due.

    The thread that polls waits for the engine's stop: from now on for that or for an announcement.
    """
    news = threading.Event()
    for stop in engine.background_thread_stop_events:
        _interrupt(stop, f"queue-worker-{queue}", news)
    waiters: Any = engine._sys_db.notifications_map  # noqa: SLF001
    waiters.add(_notice_of(queue), news, (queue, "", None))


def _interrupt(stop: Any, waiting: str, news: threading.Event) -> None:
    """Let the waiting of one thread for an event end at another one, too."""
    wait_for_stop, set_stop = stop.wait, stop.set

    def wait(timeout: float | None = None) -> bool:
        if threading.current_thread().name != waiting:
            return wait_for_stop(timeout)
        news.wait(timeout)
        news.clear()
        return stop.is_set()

    def set_both() -> None:
        set_stop()
        news.set()

    stop.wait, stop.set = wait, set_both


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


def _notice_of(queue: str) -> str:
    """As the engine's own notices are (a workflow's id and a topic), and none of these."""
    return f"{queue}::"
