"""tests/deploy: a server whose worker never finishes its start, told by FOLDER PORT WHERE.

The worker prints its process id and stands still, in the application's loading or in its lifespan; `again`:
in its loading, and it is given no more than a second for that.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from deploy.process.draining import supervisor
from deploy.process.silence import START_SECONDS
from deploy.settings import ServerSettings
from kit.telemetry import configure_logging

_, FOLDER, PORT, WHERE = sys.argv


async def app(_scope: Any, _receive: Any, _send: Any) -> None:
    print(os.getpid(), flush=True)  # noqa: T201 - the test waits for this line
    await asyncio.Event().wait()


def load() -> Any:
    if WHERE == "lifespan":
        return app
    if WHERE != "again":
        print(os.getpid(), flush=True)  # noqa: T201 - as above
    while True:
        signal.pause()


if __name__ == "__main__":
    settings = ServerSettings(
        database_url="",
        port=int(PORT),
        drain_notice_seconds=0,
        drain_seconds=3600 if WHERE == "loading" else 1,
        worker_silence_seconds=1,
    )
    configure_logging()
    start_seconds = 1.0 if WHERE == "again" else START_SECONDS
    server = supervisor("", settings, Path(FOLDER), start_seconds=start_seconds)
    server.serve(target_loader=load, wrap_loader=False)
