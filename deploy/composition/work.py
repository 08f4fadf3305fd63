"""deploy: what a process does beside answering: flows, the inbox, and watching the vendors' instances."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import deploy.composition.tables  # noqa: F401 - retention asks every table
from contracts.events.kinds import RecordChanged
from contracts.problems import Problem
from deploy.composition.parts import Stores, Tiers
from deploy.settings import ServerSettings
from gateway.app import Gateway
from gateway.policy_bundle.reloader import PolicyReloader
from kit import audit, inbox, retention
from kit.background import run_background, stop_background
from kit.context import new_correlation_id
from kit.database import Database, get_cursor, lease, set_cursor
from kit.inbox.worker import InboxWorker
from kit.telemetry import log
from system_apis.app import Instance, watch

BEGIN_SECONDS = 3.0
HOUSEKEEPING_SECONDS = 30.0

_log = log("deploy")


@asynccontextmanager
async def background_work(
    settings: ServerSettings, stores: Stores, tiers: Tiers, policy_source: Gateway | PolicyReloader | None
) -> AsyncIterator[None]:
    """Run all background work for the length of the block, and stop it without losing any.

    `policy_source` is the gateway; without one, the reloader of the flows' policy.
    """
    stop = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []
    async with AsyncExitStack() as stack:
        if policy_source is not None:
            await policy_source.start()
            stack.push_async_callback(policy_source.close)
        if tiers.runtime is not None:
            await tiers.runtime.launch()
            stack.push_async_callback(tiers.runtime.close)
        if settings.role != "api":
            await _begin(stores, tiers)
            tasks = [run_background(*work) for work in _work(settings, stores, tiers, stop)]
        try:
            yield
        finally:
            stop.set()
            await stop_background(*tasks)


async def _begin(stores: Stores, tiers: Tiers) -> None:
    """Set every source's mark: what happens once we are ready counts. An absent vendor sets it later."""
    for name, instance in tiers.instances.items():
        for source in instance.opened.changes:
            try:
                async with asyncio.timeout(BEGIN_SECONDS):
                    await source.begin(Cursors(stores.database, name))
            except (Problem, TimeoutError) as error:
                _log.warning("mark_not_set", source=source.name, error=repr(error))


def _work(
    settings: ServerSettings, stores: Stores, tiers: Tiers, stop: asyncio.Event
) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
    """All background work with its name."""
    tasks: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        ("housekeeping", partial(run_housekeeping, stores.database, settings))
    ]
    if tiers.inbox is not None:
        tasks.append(("inbox", partial(tiers.inbox.run, stop)))
    if tiers.postings is not None:
        tasks.append(("postings", partial(tiers.postings.run, stop)))
    for name, instance in tiers.instances.items():
        receive = Receiver(instance, stores.database, tiers.inbox)
        tasks += [
            (
                f"changes of {source.name}",
                partial(
                    watch,
                    source,
                    receive=receive,
                    cursor=Cursors(stores.database, name),
                    lease=lambda what: lease(stores.database, f"changes:{what}"),
                    stop=stop,
                ),
            )
            for source in instance.opened.changes
        ]
    return tasks


async def run_housekeeping(database: Database, settings: ServerSettings) -> None:
    """Until cancelled: anchor the audit each hour, and delete each day what has expired."""
    while True:
        for name, work in (
            ("anchor", lambda: audit.anchor(database, settings.audit_anchors)),
            ("retention", lambda: retention.run_when_due(database, retention.read_rules(settings.folder))),
        ):
            try:
                await work()
            except Problem as problem:
                _log.warning("house_not_kept", work=name, code=problem.code)
            except Exception as error:  # noqa: BLE001 - one duty that fails must end neither the other nor the next
                _log.error("house_not_kept", work=name, exc_info=error)
        await asyncio.sleep(HOUSEKEEPING_SECONDS)


class Receiver:
    """Stores what an instance's change sources report."""

    def __init__(self, instance: Instance, database: Database, worker: InboxWorker | None) -> None:
        self._instance = instance
        self._database = database
        self._worker = worker

    async def __call__(
        self,
        dedupe_id: str,
        type: str,  # noqa: A002 - CloudEvents' word
        key: str,
        change: RecordChanged,
        occurred_at: dt.datetime,
    ) -> bool:
        if not self._instance.accepts(change):
            return False
        stored = await inbox.receive(
            self._database,
            source=self._instance.profile.name,
            id=dedupe_id,
            type=type,
            key=key,
            data=change,
            occurred_at=occurred_at,
            correlation_id=new_correlation_id(),
        )
        if stored and self._worker is not None:
            self._worker.wake()
        return stored


class Cursors:
    """How far an instance's change sources have come."""

    def __init__(self, database: Database, instance: str) -> None:
        self._database = database
        self._instance = instance

    async def get(self, name: str) -> str | None:
        async with self._database.connect() as connection:
            return await get_cursor(connection, f"{self._instance}:{name}")

    async def set(self, name: str, value: str) -> None:
        async with self._database.begin() as connection:
            await set_cursor(connection, f"{self._instance}:{name}", value)
