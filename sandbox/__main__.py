"""`python -m sandbox VENDOR --port N [--env]`: one stand-in vendor as a process of its own."""

import argparse
import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

from sandbox.core.server import run
from sandbox.folders import default_port, own_options, stand_in_of, vendors

PR_SET_PDEATHSIG = 1
_LOOK_EVERY_SECONDS, _LAST_SECONDS = 1.0, 5.0


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.die_with_parent:
        _die_with_parent()
    vendor = stand_in_of(options.vendor)
    vendor.take_options({name: getattr(options, name) for name in own_options(options.vendor)})
    return run(
        vendor,
        port=default_port(options.vendor) if options.port is None else options.port,
        proxy_port=options.proxy_port,
        host=options.host,
        data=options.data,
        seed=options.seed,
        env=options.env,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description="A stand-in vendor over plain HTTP.")
    parser.add_argument("vendor", choices=vendors())
    parser.add_argument("--port", type=int, help="0 picks a free one; the vendor's own default otherwise")
    parser.add_argument("--proxy-port", type=int, default=0, help="of the CONNECT proxy; 0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--env", action="store_true", help="first print KEY=VALUE lines for an ordinary client"
    )
    parser.add_argument("--data", type=Path, help="keep the state in this folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--die-with-parent", action="store_true")
    add_own_options(parser)
    return parser


def add_own_options(parser: argparse.ArgumentParser) -> None:
    """The options that single vendors take; the others do not look at them."""
    for vendor in vendors():
        for name, text in own_options(vendor).items():
            parser.add_argument(
                f"--{name}", dest=name, type=int, default=0, metavar="N", help=f"({vendor}) {text}"
            )


def _die_with_parent() -> None:
    """Linux: the kernel sends SIGTERM when the parent ends, however it ends; a blocked process is killed."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
    threading.Thread(target=_end_after, args=(parent,), name="parent", daemon=True).start()


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_SECONDS)  # the condition is another process
    time.sleep(_LAST_SECONDS)  # its time to end by itself
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
