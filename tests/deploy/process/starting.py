"""tests/deploy: a server whose worker never finishes its start, told by FOLDER PORT WHERE.

The worker prints its process id and stands still, in the application's loading or in its lifespan.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from deploy.process.draining import supervisor
from deploy.process.parent import die_with_parent
from deploy.settings import ServerSettings

_, FOLDER, PORT, WHERE = sys.argv


async def app(_scope: Any, _receive: Any, _send: Any) -> None:
    print(os.getpid(), flush=True)  # noqa: T201 - the test waits for this line
    await asyncio.Event().wait()


def load() -> Any:
    if WHERE == "lifespan":
        return app
    print(os.getpid(), flush=True)  # noqa: T201 - as above
    while True:
        signal.pause()


if __name__ == "__main__":
    os.register_at_fork(after_in_child=die_with_parent)
    settings = ServerSettings(
        database_url="",
        port=int(PORT),
        drain_notice_seconds=0,
        drain_seconds=1 if WHERE == "lifespan" else 3600,
    )
    supervisor("", settings, Path(FOLDER)).serve(target_loader=load, wrap_loader=False)
