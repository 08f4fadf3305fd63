"""tests/process_apis: a process that projects every view: ``python -m tests.process_apis.projecting URL``."""

import asyncio
import sys

from kit.database import Database
from kit.inbox.worker import InboxSettings, InboxWorker
from process_apis import app
from tests.support.databases import keyed


def working(database: Database) -> InboxWorker:
    """A worker with every projector."""
    worker = InboxWorker(database, InboxSettings(first_wait_seconds=0))
    for view in app.views():
        for kind in view.types:
            worker.subscribe(kind, view.projector)
    return worker


async def work(url: str) -> None:
    await working(keyed(url)).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
