"""deploy: whether a process is ready to answer, and whether its deployment is stopping."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from contracts.problems import Unavailable
from deploy.composition.parts import Stores, Tiers
from deploy.settings import ServerSettings
from kit.background import down

DRAINING = "draining"
"""The file by which a deployment on its way down is known."""


def readiness(
    settings: ServerSettings, stores: Stores, tiers: Tiers
) -> Callable[[], Awaitable[Mapping[str, str]]]:
    """A check that returns what the process lacks in order to answer; nothing when it is ready."""

    async def ready() -> Mapping[str, str]:
        missing = {}
        try:
            async with stores.database.connect():
                pass
        except Unavailable as problem:
            missing["database"] = problem.detail
        if tiers.runtime is not None and not tiers.runtime.running:
            dead = ", ".join(tiers.runtime.dead_threads)
            missing["flows"] = "This process does not execute its flows" + (f": {dead} ended" if dead else "")
        if died := down():
            missing["background"] = f"Crashed, and will be restarted: {', '.join(died)}"
        if draining(settings):
            missing["draining"] = "The deployment is stopping"
        # The cache is losable: without it the deployment still answers, so it is reported but does not count.
        return missing

    return ready


def draining(settings: ServerSettings) -> bool:
    """Whether the whole deployment is stopping: a worker that is replaced does not make it unready."""
    return bool(settings.run_dir) and (Path(settings.run_dir) / DRAINING).exists()
