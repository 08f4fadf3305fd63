"""tests/deploy/cli/commands: the command as a person runs it: a process, its output, its exit status."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.ports import free_ports
from tests.support.forkserver import fork
from tests.support.processes import ROOT

READY_SECONDS = 120
COMMAND = [sys.executable, "-m", "deploy.cli.main"]


@dataclass
class Outcome:
    status: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, "PYTHONUTF8": "1", **more}


def run(*arguments: str, **more: str) -> Outcome:
    """`enfilade …` to its end."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = fork(
            "deploy.cli.main",
            *arguments,
            environ=environment(**more),
            stdout=out.fileno(),
            stderr=err.fileno(),
        )
        status = process.wait(200)
        out.seek(0)
        err.seek(0)
        return Outcome(status, out.read(), err.read())


def deployment_ports() -> tuple[int, int]:
    """A free port with a free one behind it, and the first of three free ones in a row."""
    first = free_ports(5)
    return first, first + 2  # between them is the internal listener


@dataclass
class Place:
    """A data folder and ports of one's own."""

    data: Path
    port: int
    sandbox_port: int

    @property
    def options(self) -> list[str]:
        ports = ["--port", str(self.port), "--sandbox-port", str(self.sandbox_port)]
        return [*ports, "--data", str(self.data)]


@dataclass
class Running:
    """An `enfilade up` that serves."""

    place: Place
    process: "subprocess.Popen[str]"
    log: Path
    lines: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def children(self, words: str) -> list[int]:
        """Its child processes whose command line has these words."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", words], capture_output=True, text=True, check=False
        )
        return [int(line) for line in found.stdout.split()]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def up(place: Place, *arguments: str) -> Iterator[Running]:
    """`enfilade up` until it says that it serves; ended if the test has not."""
    log = place.data.parent / "up.log"
    command: Sequence[str] = [*COMMAND, "up", *place.options, *arguments]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=output, stderr=output, text=True
        )
    running = Running(place, process, log)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while "Serving until" not in running.output:
            assert process.poll() is None, running.output
            assert time.monotonic() < deadline, running.output
            time.sleep(0.05)
        yield running
    finally:
        if process.poll() is None:
            running.end()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data", *deployment_ports())
