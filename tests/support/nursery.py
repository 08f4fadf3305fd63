"""tests/support: starts each stand-in vendor, and the fork server, once for a run, when first asked for.

The leading process listens on a socket in the run's folder; a worker names what it wants and is told its
environment. So these are children of the leader, outlive any worker, and die with the run.
"""

import json
import shlex
import socket
import subprocess
import sys
import threading
from pathlib import Path

NURSERY = "ENFILADE_TEST_NURSERY"
"""The variable of the environment that says where to ask."""
STOP_SECONDS = 15


class Nursery:
    def __init__(self, folder: Path) -> None:
        self.address = folder / "nursery"
        self._folder = folder
        self._children: dict[str, subprocess.Popen[str]] = {}
        self._environments: dict[str, dict[str, str]] = {}
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.address))
        self._listener.listen(64)
        # The stand-ins die with the thread that started them, so one thread serves until the end.
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for child in self._children.values():
            child.terminate()
        for child in self._children.values():
            try:
                child.communicate(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # shut down
                return
            with connection, connection.makefile("rw") as wire:
                wire.write(json.dumps(self._answer(wire.readline().strip())) + "\n")

    def _answer(self, name: str) -> dict[str, str]:
        if name not in self._environments:
            environment = self._start(name)
            if not environment:
                return {"error": f"{name} did not start: {self._log(name).read_text()}"}
            self._environments[name] = environment
        return self._environments[name]

    def _start(self, name: str) -> dict[str, str]:
        root = Path(__file__).parents[2]
        with self._log(name).open("w") as log:
            child = subprocess.Popen(
                self._command(name), cwd=root, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self._children[name] = child
        environment = {}
        while child.stdout is not None and (line := child.stdout.readline().strip()):
            key, _, value = line.partition("=")
            environment[key] = "".join(shlex.split(value))
        return environment

    def _command(self, name: str) -> list[str]:
        if name == "forkserver":
            return [sys.executable, "-m", "tests.support.forkserver", str(self._folder / "fork")]
        return [sys.executable, "-m", "sandbox", name, "--port", "0", "--env", "--die-with-parent"]

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def ask(address: str, name: str) -> dict[str, str]:
    """The environment of that vendor's stand-in, or of the fork server; started if nobody asked before."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(address)
        with wire.makefile("rw") as lines:
            lines.write(name + "\n")
            lines.flush()
            environment = json.loads(lines.readline())
    if "error" in environment:
        raise RuntimeError(environment["error"])
    return environment
