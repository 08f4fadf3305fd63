"""tests/kit/workflows: a replica that ticks each second: ``python -m tests.kit.workflows.ticking URL``.

Each tick starts a run. The replica dies within a tick's transaction, or within its run, as the table `faults`
of the vendor says.
"""

import asyncio
import os
import signal
import sys

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.problems import VendorRejected
from kit.database import Database
from kit.inbox import InboxRow
from kit.inbox.worker import InboxSettings, InboxWorker
from kit.workflows import Run, Runtime
from process_apis.triggers import Every
from tests.kit.workflows.story import QUICK, Vendor
from tests.support.databases import keyed


class Tick(msgspec.Struct):
    due: str


class Ticking:
    """Starts a run for each tick, and is that run."""

    name, input, on_failure = "ticking", Tick, "park"

    def __init__(self, database: Database, runtime: Runtime) -> None:
        self._vendor = Vendor(database)
        self._database = database
        self._runtime = runtime

    async def on_tick(self, connection: AsyncConnection, row: InboxRow) -> None:
        due = row.occurred_at.isoformat()
        await connection.execute(text("INSERT INTO public.ticks (due) VALUES (:due)"), {"due": due})
        await self._runtime.start(
            connection,
            flow=self.name,
            workflow_id=f"tick_{due}",
            input=Tick(due),
            correlation_id=row.correlation_id,
            subject=due,
            actor="schedule",
        )
        await self._dies_at("tick")

    async def run(self, run: Run) -> None:
        async def do() -> None:
            await self._dies_at("run")
            async with self._database.begin() as connection:
                again = "UPDATE public.ticks SET runs = runs + 1 WHERE due = :due"
                await connection.execute(text(again), {"due": run.input.due})

        await run.step("count", "Count", do, returns=type(None))

    async def _dies_at(self, place: str) -> None:
        try:
            await self._vendor._maybe_fail(place)
        except VendorRejected:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(url: str) -> None:
    database = keyed(url)
    runtime = Runtime(
        database,
        application="kit-tests",
        version="1",
        executor=f"replica-{os.getpid()}",
        worker=True,
        settings=msgspec.structs.replace(QUICK, sweep=1),
    )
    inbox = InboxWorker(database, InboxSettings(poll_seconds=0.05))
    flow = Ticking(database, runtime)
    runtime.register(flow)
    Every("* * * * * *", flow.on_tick).attach(inbox, runtime)
    await runtime.launch()
    print("launched", flush=True)  # noqa: T201 - the test waits for this line
    await inbox.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
