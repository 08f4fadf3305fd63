"""deploy: the stand-in vendors as children of the launcher, and what each prints at its start."""

import asyncio
import contextlib
import os
import shlex
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import CommandError
from deploy.process.children import Child
from sandbox.folders import default_port

FIRST_PORT = 9101
READY_SECONDS = 60.0
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Sandbox:
    """A running stand-in: its child process and what an ordinary client needs to use it."""

    vendor: str
    child: Child
    environ: dict[str, str]

    @property
    def url(self) -> str:
        return self.environ[f"{self.vendor.upper()}_SANDBOX_URL"]


def port_of(vendor: str, first_port: int) -> int:
    """The stand-in's own port, moved as far as the first one is: it does not depend on who else runs."""
    return default_port(vendor) + first_port - FIRST_PORT


@contextlib.asynccontextmanager
async def standing_in(vendors: Sequence[str], first_port: int, folder: Path) -> AsyncIterator[list[Sandbox]]:
    """The stand-ins of these vendors, their data in `folder`; stopped at the end."""
    started: list[Sandbox] = []
    try:
        starting = [_start(vendor, port_of(vendor, first_port), folder, started) for vendor in vendors]
        outcomes = await asyncio.gather(*starting, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        yield sorted(started, key=lambda sandbox: port_of(sandbox.vendor, first_port))
    finally:
        await asyncio.gather(*(sandbox.child.stop(STOP_SECONDS) for sandbox in started))


def credentials(sandboxes: list[Sandbox]) -> dict[str, str]:
    """What instance profiles refer to by env:NAME; proxies and certificates are for other clients."""
    return {
        name: value
        for sandbox in sandboxes
        for name, value in sandbox.environ.items()
        if name.startswith(f"{sandbox.vendor.upper()}_")
    }


async def _start(vendor: str, port: int, folder: Path, started: list[Sandbox]) -> None:
    arguments = ["sandbox", vendor, "--port", str(port), "--env", "--die-with-parent"]
    arguments += ["--data", str(folder / vendor)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ENFILADE_")}
    child = await Child.start(
        f"The {vendor} sandbox", arguments, environ=environ, log=folder / f"{vendor}.log", piped=True
    )
    sandbox = Sandbox(vendor, child, {})
    started.append(sandbox)
    try:
        sandbox.environ.update(await asyncio.wait_for(_read_environ(child), READY_SECONDS))
    except TimeoutError:
        raise CommandError(
            f"{child.title} was not ready in {READY_SECONDS:.0f} s: {child.last_words()}"
        ) from None


async def _read_environ(child: Child) -> dict[str, str]:
    """The KEY=VALUE lines up to the blank one; raises CommandError when it ends instead."""
    values: dict[str, str] = {}
    lines = child.process.stdout
    while lines is not None and (line := await lines.readline()):
        text = line.decode().strip()
        if not text:
            return values
        key, _, value = text.partition("=")
        values[key] = "".join(shlex.split(value))
    await child.ended
    raise CommandError(child.epitaph())
