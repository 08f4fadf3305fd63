"""deploy: what a process does beside answering: flows, the inbox, and watching the vendors' instances."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import deploy.composition.tables  # noqa: F401 - retention asks every table
from contracts.problems import Problem
from deploy.composition.parts import Stores, Tiers
from deploy.settings import ServerSettings
from gateway.app import Gateway
from gateway.policy_bundle.reloader import PolicyReloader
from kit import audit, retention
from kit.background import run_background, stop_background
from kit.database import Database
from kit.telemetry import log
from system_apis.intake import keep_registered

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
            if tiers.intake is not None:
                await tiers.intake.begin()
            tasks = [run_background(*work) for work in _work(settings, stores, tiers, stop)]
        try:
            yield
        finally:
            stop.set()
            await stop_background(*tasks)


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
    if tiers.intake is not None:
        tasks += tiers.intake.work(stop)
    if tiers.registrar is not None:
        tasks.append(("webhooks", partial(keep_registered, tiers.registrar, stores.database, stop)))
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
