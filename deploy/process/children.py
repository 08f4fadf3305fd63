"""deploy: a child process with its log, its last words and its end."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

from deploy.errors import CommandError

ROOT = Path(__file__).parents[2]
_LAST_BYTES = 8192


@dataclass(frozen=True)
class Child:
    """A Python module of ours as a child process; `ended` gets its exit status when it has exited."""

    title: str
    process: asyncio.subprocess.Process
    log: Path
    ended: asyncio.Task[int]

    @classmethod
    async def start(
        cls,
        title: str,
        arguments: Sequence[str],
        *,
        environ: Mapping[str, str],
        log: Path,
        piped: bool = False,
    ) -> Self:
        """Start `python -m …`; with `piped` its standard output can be read here, otherwise it is logged."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *arguments,
                cwd=Path.cwd(),
                env={**environ, "PYTHONPATH": _python_path(environ)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if piped else file,
                stderr=file,
                process_group=0,  # only the launcher receives a Ctrl-C, and stops its children in order
            )
        return cls(title, process, log, asyncio.create_task(process.wait()))

    async def stop(self, within: float) -> None:
        """Terminate it, and kill it when it does not exit in time."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(self.ended), within)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.ended

    def epitaph(self) -> str:
        """Its exit status and the last message of its log."""
        status = self.ended.result()
        how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
        return f"{self.title} has ended ({how}): {self.last_words()}"

    def last_words(self) -> str:
        """The last complaint in its log, and where that is."""
        lines = self.log.read_bytes()[-_LAST_BYTES:].decode(errors="replace").splitlines()
        complaint = next((words for line in reversed(lines) if (words := _complaint(line.strip()))), "")
        return f"{complaint.rstrip('.')} (its log is {self.log})." if complaint else f"its log is {self.log}."

    def refuse_ended(self) -> None:
        """Raises CommandError once it has ended."""
        if self.ended.done():
            raise CommandError(self.epitaph())


def _complaint(line: str) -> str:
    """What a log line complains of: all of a plain one, what a structured error says, else nothing."""
    if not line.startswith("{"):
        return line
    try:
        piped = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError:
        return ""  # the beginning of it was cut off
    if piped.get("level") not in ("error", "critical"):
        return ""
    of = [str(piped[name]) for name in ("instance",) if name in piped]
    return ": ".join([str(piped.get("event", "")), *of, *map(str, piped.get("faults", ()))])


def _python_path(environ: Mapping[str, str]) -> str:
    """So that `-m` finds us in any folder, also where we are not installed but only unpacked."""
    inherited = environ.get("PYTHONPATH", "")
    return f"{ROOT}{os.pathsep}{inherited}" if inherited else str(ROOT)
