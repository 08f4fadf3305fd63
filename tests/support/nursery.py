"""tests/support: starts each stand-in vendor once for the whole run, on the first worker's wish.

The leading process listens on a socket in the run's folder; a worker names a vendor and is told its
environment. So the stand-ins are children of the leader, outlive any worker, and die with the run.
"""

import json
import shlex
import socket
import subprocess
import sys
import threading
from pathlib import Path

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

    def _answer(self, vendor: str) -> dict[str, str]:
        if vendor not in self._environments:
            environment = self._start(vendor)
            if not environment:
                return {"error": f"The {vendor} sandbox did not start: {self._log(vendor).read_text()}"}
            self._environments[vendor] = environment
        return self._environments[vendor]

    def _start(self, vendor: str) -> dict[str, str]:
        command = [sys.executable, "-m", "sandbox", vendor, "--port", "0", "--env", "--die-with-parent"]
        root = Path(__file__).parents[2]
        with self._log(vendor).open("w") as log:
            child = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=log, text=True)
        self._children[vendor] = child
        environment = {}
        while child.stdout is not None and (line := child.stdout.readline().strip()):
            key, _, value = line.partition("=")
            environment[key] = "".join(shlex.split(value))
        return environment

    def _log(self, vendor: str) -> Path:
        return self._folder / f"{vendor}.log"


def ask(address: str, vendor: str) -> dict[str, str]:
    """The environment of that vendor's stand-in, which is started if this is the first wish for it."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(address)
        with wire.makefile("rw") as lines:
            lines.write(vendor + "\n")
            lines.flush()
            environment = json.loads(lines.readline())
    if "error" in environment:
        raise RuntimeError(environment["error"])
    return environment
