"""bench/rivals/services: the commands that serve the three services, each under uvicorn at its quickest."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from bench.processes import python

LAYERS = ("system", "process", "experience")
"""In the order of their starts: each calls the one before."""

_QUICK = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")


def installed() -> bool:
    """Whether FastAPI is there to be started, with what makes uvicorn quick."""
    return all(find_spec(name) for name in ("fastapi", "uvloop", "httptools"))


def command(layer: str, port: int) -> list[str]:
    """One worker, as all measured servers have one."""
    where = ("--host", "127.0.0.1", "--port", str(port))
    return python("uvicorn", f"bench.rivals.services.{layer}:app", *where, *_QUICK)


def write_options(path: Path, *, issuer: str, jwks: dict[str, Any], scope: str, following: str) -> Path:
    """What guard.py reads, as a file."""
    path.write_bytes(msgspec.json.encode({"issuer": issuer, "jwks": jwks, "scope": scope, "next": following}))
    return path
