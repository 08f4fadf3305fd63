"""tests/deploy: a server of two workers that can be made to stand still, told by FOLDER PORT.

`/` tells which process answers, how many have been killed and how many failed to start; `/block` leaves a
file `blocked` and never returns to its loop. Workers exit at their start while there is a file `faulty`.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from deploy.process import heartbeat
from deploy.process.connection_draining import install_signal_handlers
from deploy.process.draining import supervisor
from deploy.settings import ServerSettings
from kit.telemetry import configure_logging

SILENCE_SECONDS = 2.0


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    if scope["path"] == "/block":
        stand_still()
    told = msgspec.json.encode({"pid": os.getpid(), "killed": heartbeat.killed(), "failed": heartbeat.hung()})
    headers = [(b"content-length", str(len(told)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": told})


async def live(receive: Any, send: Any) -> None:
    await receive()
    if (Path(sys.argv[1]) / "faulty").exists():
        sys.exit(3)
    install_signal_handlers(SETTINGS, lambda: None)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def stand_still() -> None:
    (Path(sys.argv[1]) / "blocked").touch()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    SETTINGS = ServerSettings(
        database_url="",
        port=int(sys.argv[2]),
        workers=2,
        drain_notice_seconds=0,
        drain_seconds=1,
        run_dir=sys.argv[1],
        worker_silence_seconds=SILENCE_SECONDS,
    )
    server = supervisor("", SETTINGS, Path(sys.argv[1]))
    configure_logging()
    server.serve(target_loader=lambda: app, wrap_loader=False)
