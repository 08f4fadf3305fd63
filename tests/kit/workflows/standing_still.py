"""tests/kit/workflows: the story under the real server, whose loop stands still before it serves.

For each line read from standard input a server is forked, which dies at the point of the story that the line
names, if any. At the end of the input those that live are told to stop.
"""

import asyncio
import os
import signal
import sys
import time
from typing import Any

from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import mp

from deploy.process.parent import die_with_parent
from kit.workflows import Runtime
from tests.kit.workflows.story import QUICK, Story, Vendor, dies_at
from tests.support.databases import keyed

STANDS_STILL_SECONDS = 0.5
STOP_SECONDS = 10
_make_worker = mp.ASGIWorker


def make_late(*given: Any) -> Any:
    """The server's worker, on a machine that takes its time."""
    time.sleep(STANDS_STILL_SECONDS)  # while it is made the loop of the application does not run
    return _make_worker(*given)


class App:
    """The story, executed for as long as the server serves, by clients that are of use on its loop only."""

    def __init__(self, url: str, point: str) -> None:
        self._url = url
        self._die = dies_at(point)

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        await receive()
        self._loop = asyncio.get_running_loop()
        database = keyed(self._url)
        name = f"still-{os.getpid()}"
        runtime = Runtime(
            database, application="kit-tests", version="1", executor=name, worker=True, settings=QUICK
        )
        runtime.register(Story(Vendor(database), reached=self._reached))
        await runtime.launch()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await runtime.close()
        await database.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _reached(self, point: str) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("bound to a different event loop")
        await self._die(point)


def serve(url: str, point: str) -> None:
    mp.ASGIWorker = make_late
    app = App(url, point)
    mp.MPServer(
        "",
        port=0,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,
        log_level=LogLevels.critical,
        workers_kill_timeout=STOP_SECONDS,
    ).serve(target_loader=lambda: app, wrap_loader=False)


def main() -> None:
    os.register_at_fork(after_in_child=die_with_parent)
    children = []
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                serve(sys.argv[1], line.strip())
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
