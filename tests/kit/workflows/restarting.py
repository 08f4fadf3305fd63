"""tests/kit/workflows: a PostgreSQL of its own that is stopped and started under a working runtime.

In a process of its own, for the server dies with whoever starts it.
"""

import asyncio
import os
import sys
from pathlib import Path

from sqlalchemy import text

from contracts.problems import Unavailable
from deploy.embedded.identity import servers_identity
from deploy.embedded.postgresql import PostgreSQL
from kit.database import Database, migrate
from tests.kit.workflows.conftest import Workbench, launched
from tests.kit.workflows.story import Approval
from tests.support.databases import keyed
from tests.support.forkserver import piped
from tests.support.processes import lines_of


async def main(folder: Path) -> None:
    identity = servers_identity()
    identity.make_folder(folder / "logs")
    server = PostgreSQL(
        folder, identity.make_socket_folder(), identity, durable=False, port=None, password=""
    )
    running = server.start(lock=os.open(os.devnull, os.O_RDONLY))
    migrate(server.url)
    deployment = Workbench(keyed(server.url))
    await deployment.vendor.prepare()
    child = piped("tests.kit.workflows.worker", server.url, "--die", "two in-after")
    await launched(child)
    await deployment.start("run_dead")
    assert await lines_of(child, 1) == ["dies at two in-after"]
    async with deployment.worker():
        for number in range(10):
            await deployment.start(f"run_{number}", approval=True)
        await asyncio.to_thread(running.stop)
        running = await asyncio.to_thread(server.start, os.open(os.devnull, os.O_RDONLY))
        await _answers(deployment.database)
        for run_id in (f"run_{number}" for number in range(10)):
            await deployment.until("waiting", run_id)
            await deployment.signal(run_id, "approval", Approval("ann"))
        for run_id in ("run_dead", *(f"run_{number}" for number in range(10))):
            await deployment.until("done", run_id)
    live = await deployment.vendor.live()
    assert len(live) == len(set(live)) == 33, live
    await deployment.close()
    await deployment.database.close()
    running.stop()
    child.communicate()
    print("finished")  # noqa: T201 - the test waits for this line


async def _answers(database: Database) -> None:
    while True:
        try:
            async with database.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Unavailable:
            await asyncio.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
