"""tests/kit/workflows: runtimes of this process and of others, and patience without sleeping blindly."""

# ruff: noqa: A002 - an id, an object and an input are called what they are

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from contracts.canonical.exception import BusinessException
from contracts.canonical.workflow import Mode
from kit import exceptions
from kit.database import Database
from kit.workflows import RunRow, Runtime, WorkflowSettings
from tests.kit.workflows.story import DUTIES, QUICK, Input, Story, Vendor
from tests.support.forkserver import Forked, piped
from tests.support.processes import lines_of

LONGEST_SECONDS = 30


class Workbench:
    """One database with its vendor, and what a test does there."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.vendor = Vendor(database)
        self._outside = self.make_runtime("outside", worker=False)

    def make_runtime(
        self, executor: str, *, worker: bool = True, settings: WorkflowSettings = QUICK
    ) -> Runtime:
        return Runtime(
            self.database,
            application="kit-tests",
            version="1",
            executor=executor,
            worker=worker,
            settings=settings,
        )

    @asynccontextmanager
    async def worker(
        self, flow: Any = None, *, name: str = "here", settings: WorkflowSettings = QUICK
    ) -> AsyncIterator[Runtime]:
        runtime = self.make_runtime(name, settings=settings)
        runtime.register(flow or Story(self.vendor))
        await runtime.launch()
        try:
            yield runtime
        finally:
            await runtime.close()

    async def start(self, run_id: str = "run_1", mode: Mode = "live", **input: Any) -> bool:
        async with self.database.begin() as connection:
            return await self._outside.start(
                connection,
                flow="story",
                workflow_id=run_id,
                input=Input(**{"name": "x", **input}),
                correlation_id="cor_1",
                subject="subject-1",
                actor="bob",
                mode=mode,
            )

    async def signal(self, run_id: str, topic: str, message: Any, key: str = "k") -> None:
        async with self.database.begin() as connection:
            await self._outside.signal(connection, run_id, topic, message, key=key)

    async def until(self, status: str, run_id: str = "run_1") -> RunRow:
        """The run, as soon as it has a status."""
        end = time.monotonic() + LONGEST_SECONDS
        while True:
            run = await self._outside.read(run_id)
            if run is not None and run.status == status:
                return run
            assert time.monotonic() < end, f"waited for {status}, but it is {run}"
            await asyncio.sleep(0.03)

    async def case(self, run: RunRow) -> BusinessException:
        async with self.database.connect() as connection:
            return await exceptions.get(connection, run.exception_id)

    async def resolve(self, run: RunRow, action: Any, by: str = "ann", **corrections: str) -> None:
        async with self.database.begin() as connection:
            await exceptions.resolve(
                connection,
                self._outside,
                run.exception_id,
                if_match=None,
                action=action,
                reason="as agreed",
                corrections=corrections,
                by=by,
                duties=DUTIES,
            )

    async def timeline(self, run_id: str = "run_1") -> list[tuple[str, str]]:
        return [(step.name, step.status) for step in await self._outside.timeline(run_id)]

    async def close(self) -> None:
        await self._outside.close()


@pytest.fixture
async def deployment(database: Database) -> AsyncIterator[Workbench]:
    deployment = Workbench(database)
    await deployment.vendor.prepare()
    yield deployment
    await deployment.close()


Spawn = Callable[..., Forked]


@pytest.fixture
def spawn(deployment: Workbench) -> Iterator[Spawn]:
    """Start another worker process; whatever is left of it at the end is killed."""
    children: list[Forked] = []

    def start(*options: str, module: str = "tests.kit.workflows.worker") -> Forked:
        child = piped(module, deployment.database.url, *options)
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


async def launched(child: Forked) -> None:
    assert await lines_of(child, 1) == ["launched"]
