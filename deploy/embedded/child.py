"""deploy/embedded: one server process that cannot outlive us, and the news of its end."""

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.identity import ServerUser

READY_WITHIN_SECONDS = 60.0
ENDED_WITHIN_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_WORDS_OF_FAILURE = ("FATAL", "PANIC", "rror")
# Our own environment is not inherited: a PGDATA or LD_LIBRARY_PATH of the launcher must not steer the server.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@dataclass(frozen=True)
class Program:
    """What to run: the command, its working directory, its user, and what it inherits."""

    title: str
    command: list[str]
    folder: Path
    log: Path
    identity: ServerUser
    stop_signal: signal.Signals
    inherited: tuple[int, ...] = ()
    configuration: str = ""


@dataclass
class Child:
    """A running Program. The kernel ends it when its starting thread ends, so that thread stays to wait."""

    program: Program
    ended: Future[int] = field(default_factory=Future)
    _begun: Future[subprocess.Popen[bytes]] = field(default_factory=Future)

    def start(self) -> None:
        threading.Thread(target=self._wait, name=f"keeper of {self.program.title}", daemon=True).start()
        self._begun.result()

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not is_ready():
            if self.has_ended_within(0.01):
                raise EmbeddedError(f"The embedded {self.program.title} did not start: {self.last_words()}")
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"The embedded {self.program.title} was not ready after {READY_WITHIN_SECONDS:.0f} s; "
                    f"its log is {self.program.log}."
                )

    def has_ended_within(self, seconds: float) -> bool:
        return bool(wait([self.ended], timeout=seconds).done)

    def stop(self) -> None:
        process = self._begun.result()
        process.send_signal(self.program.stop_signal)
        if not self.has_ended_within(ENDED_WITHIN_SECONDS):
            process.kill()
            self.ended.result()

    def last_words(self) -> str:
        """The last message of its log about a failure, and the log's path."""
        complaints = [
            line for line in _tail(self.program.log) if any(word in line for word in _WORDS_OF_FAILURE)
        ]
        if not complaints:
            return f"its log is {self.program.log}."
        message = complaints[-1].partition("FATAL:")[2] or complaints[-1]
        return f"{message.strip()} (its log is {self.program.log})."

    def _wait(self) -> None:
        try:
            process = self._spawn()
        except OSError as error:
            self._begun.set_exception(EmbeddedError(f"{self.program.title} cannot be run: {error}"))
            return
        self._begun.set_result(process)
        self.ended.set_result(process.wait())

    def _spawn(self) -> subprocess.Popen[bytes]:
        program = self.program
        with program.log.open("ab") as log:
            process = subprocess.Popen(
                program.command,
                cwd=program.folder,
                env=_ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=program.inherited,
                process_group=0,  # a Ctrl-C meant for us must not stop the database before we have drained
                # Only system calls run there, from a libc loaded before the fork.
                preexec_fn=_dies_with(os.getpid(), program.stop_signal),  # noqa: PLW1509
                user=program.identity.uid if program.identity.is_other else None,
                group=program.identity.gid if program.identity.is_other else None,
                extra_groups=[] if program.identity.is_other else None,
            )
        if process.stdin is not None:
            with process.stdin as configuration:
                configuration.write(program.configuration.encode())
        return process


def _dies_with(parent: int, stop_signal: signal.Signals) -> Callable[[], None]:
    def arrange() -> None:
        signal.pthread_sigmask(
            signal.SIG_SETMASK, []
        )  # a launcher that waits for its own signals blocks them
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != parent:  # it exited before the request took effect
            os._exit(1)

    return arrange


def _tail(log: Path) -> list[str]:
    if not log.exists():
        return []
    return log.read_bytes()[-8192:].decode(errors="replace").splitlines()
