"""`python -m sandbox VENDOR --port N [--env]`: one stand-in vendor as a process of its own."""

import argparse
import ctypes
import importlib
import os
import pkgutil
import signal
import sys
from pathlib import Path

import sandbox
from sandbox.core.server import run
from sandbox.core.vendor import Vendor

PR_SET_PDEATHSIG = 1


def vendors() -> list[str]:
    """The folders beside core, each a vendor."""
    return sorted(m.name for m in pkgutil.iter_modules(sandbox.__path__) if m.ispkg and m.name != "core")


def load(name: str) -> Vendor:
    """The stand-in of that name: what its folder calls VENDOR. Raises: ModuleNotFoundError."""
    return importlib.import_module(f"sandbox.{name}").VENDOR


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.die_with_parent:
        _die_with_parent()
    vendor = load(options.vendor)
    # Salesforce alone has it; for the others the option means nothing.
    setattr(vendor, "wanted_pubsub_port", options.pubsub_port)  # noqa: B010 - no attribute of every vendor
    return run(
        vendor,
        port=vendor.default_port if options.port is None else options.port,
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
    parser.add_argument(
        "--pubsub-port", type=int, default=0, help="of Salesforce's gRPC service; 0 picks a free one"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--env", action="store_true", help="first print KEY=VALUE lines for an ordinary client"
    )
    parser.add_argument("--data", type=Path, help="keep the state in this folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--die-with-parent", action="store_true")
    return parser


def _die_with_parent() -> None:
    """Linux: the kernel sends SIGTERM when the parent ends, however it ends."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
