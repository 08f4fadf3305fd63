"""tests/support: starts processes of the product from one that has imported it: a start imports nothing.

A process started here is what `python -m MODULE ARGUMENTS` would be: its own session, folder, environment
and files, and `__main__` run anew. Importing the product takes seconds of processor time and has no other
effect, and reading the authorities that HTTP clients trust has none either, so nothing else is shared.
`enfilade up` and the packages' own tests still start from nothing.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from deploy.process.parent import die_with_parent
from tests.support.nursery import NURSERY, ask
from tests.support.trust import share_trust

PRELOADED = (
    "deploy.process.serving",
    "deploy.cli.commands.serve",
    "deploy.cli.commands.token",
    "granian",
    "rich.table",
    # What a start imports only when it comes to it.
    "anyio._backends._asyncio",
    "dbos._sys_db_postgres",
    "httpcore",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
    "valkey.asyncio",
)
# What a configuration names is imported by its name.
NAMED = ("experience_apis.audiences", "process_apis.flows", "system_apis.vendors")
LONGEST_REQUEST = 1 << 20


@dataclass
class Forked:
    """A process so started: as much of `subprocess.Popen` as tests use; a negative status is a signal."""

    pid: int
    args: Sequence[str]
    _wire: socket.socket
    stdin: TextIO | None = None
    stdout: TextIO | None = None
    returncode: int | None = field(default=None)

    def poll(self) -> int | None:
        """The status once it has ended."""
        return self._status(0)

    def wait(self, timeout: float | None = None) -> int:
        """The status, awaited; raises TimeoutExpired."""
        status = self._status(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(list(self.args), timeout or 0)
        return status

    def communicate(self, given: str = "") -> str:
        """What it prints until it ends, after its input was given and closed."""
        if self.stdin is not None and not self.stdin.closed:
            with contextlib.suppress(BrokenPipeError), self.stdin:
                self.stdin.write(given)
        printed = ""
        if self.stdout is not None and not self.stdout.closed:
            with self.stdout:
                printed = self.stdout.read()
        self.wait()
        return printed

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _status(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            # A timeout of 0 makes the socket non-blocking, which is what is wanted.
            self._wire.settimeout(timeout)
            try:
                told = self._wire.recv(64)
            except (TimeoutError, BlockingIOError):
                return None
            self._wire.close()
            self.returncode = int(told) if told else -signal.SIGKILL  # the server of it is gone, too
        return self.returncode


def fork(
    module: str,
    *arguments: str,
    environ: Mapping[str, str],
    stdin: int | None = None,
    stdout: int,
    stderr: int | None = None,
) -> Forked:
    """`python -m module arguments` (or `-c code`) in a session of its own, in the project's folder."""
    request = {"module": module, "arguments": arguments, "environ": dict(environ)}
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    wire.connect(ask(os.environ[NURSERY], "forkserver")["ADDRESS"])
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        files = [null if stdin is None else stdin, stdout, stdout if stderr is None else stderr]
        socket.send_fds(wire, [json.dumps(request).encode()], files)
    finally:
        os.close(null)
    return Forked(int(wire.recv(64)), (module, *arguments), wire)


def piped(module: str, *arguments: str, environ: Mapping[str, str] | None = None) -> Forked:
    """The same, with its input and output at hand as text; errors go where ours go."""
    theirs_in, ours_in = os.pipe()
    ours_out, theirs_out = os.pipe()
    try:
        made = fork(
            module,
            *arguments,
            environ=os.environ if environ is None else environ,
            stdin=theirs_in,
            stdout=theirs_out,
            stderr=sys.stderr.fileno(),
        )
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    made.stdin, made.stdout = os.fdopen(ours_in, "w"), os.fdopen(ours_out)
    return made


def serve(address: str) -> dict[str, Any]:
    """Fork for whoever asks at the address; returns in each fork, with what was asked for."""
    for name in (*PRELOADED, *_modules_in(*NAMED)):
        importlib.import_module(name)
    share_trust()
    gc.collect()
    gc.freeze()
    children: dict[int, socket.socket] = {}
    ended, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener,
        selectors.DefaultSelector() as selector,
    ):
        listener.bind(address)
        listener.listen(64)
        selector.register(listener, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        print(f"ADDRESS={address}\n", flush=True)  # noqa: T201 - the whole of what the starter reads
        while True:
            for key, _ in selector.select():
                if key.fileobj is not listener:
                    os.read(ended, 4096)
                    _report(children)
                elif asked := _start(listener, children):
                    return asked


def _modules_in(*packages: str) -> Iterator[str]:
    """The names of all modules in these packages."""
    for name in packages:
        for found in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            yield found.name


def _start(listener: socket.socket, children: dict[int, socket.socket]) -> dict[str, Any] | None:
    """Fork for the next who asks; what was asked for, in the fork only."""
    wire, _ = listener.accept()
    request, files, _, _ = socket.recv_fds(wire, LONGEST_REQUEST, 3)
    pid = os.fork()
    if not pid:
        os.setsid()
        for number, given in enumerate(files):
            os.dup2(given, number)
        wire.send(str(os.getpid()).encode())
        return json.loads(request)
    for number in files:
        os.close(number)
    children[pid] = wire
    return None


def _report(children: dict[int, socket.socket]) -> None:
    """Tell whoever waits for a child that it has ended, and how."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with children.pop(pid) as wire:
            try:
                wire.send(str(os.waitstatus_to_exitcode(status)).encode())
            except OSError:  # nobody waits any more
                continue


def become(request: dict[str, Any]) -> None:
    """Be the process that was asked for, to its end."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.closerange(3, 256)
    die_with_parent()
    os.environ.clear()
    os.environ.update(request["environ"])
    _extend_paths(request["environ"].get("PYTHONPATH", ""))
    module, arguments = request["module"], request["arguments"]
    if module == "-c":
        sys.argv = ["-c", *arguments[1:]]
        exec(compile(arguments[0], "<command>", "exec"), {"__name__": "__main__"})  # noqa: S102
    else:
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def _extend_paths(python_path: str) -> None:
    """Let the folders of PYTHONPATH count, also for the vendors of packages that are imported already."""
    sys.path[:0] = [entry for entry in python_path.split(os.pathsep) if entry and entry not in sys.path]
    for name in ("sandbox", "system_apis", "system_apis.vendors"):
        if package := sys.modules.get(name):
            package.__path__ = pkgutil.extend_path(package.__path__, name)


if __name__ == "__main__":
    die_with_parent()
    become(serve(sys.argv[1]))
