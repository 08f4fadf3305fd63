"""tests/newcomer: someone at a shell of their own."""

import os
import pwd
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What a newcomer does not have.
MISSING = re.compile(r"^(uv|uvx|npm|npx|node|docker|psql|pg_\w+|redis-\w+|valkey-\w+|chromium)$")
# How this machine reaches its packages is not what is tested.
PASSED_ON = re.compile(r"^(PIP_\w+|\w*(CERT|CA_BUNDLE|CERTS)\w*|(http|https|no)_proxy)$", re.IGNORECASE)
SECONDS = 900.0


class FollowError(Exception):
    """A command that did not do what its document says."""

    def __init__(self, what: str, printed: str) -> None:
        super().__init__(f"{what}\n{printed}")


class Person:
    """Runs commands in `tree` as `user`, with hardly anything in the environment."""

    def __init__(self, home: Path, tree: Path, user: pwd.struct_passwd | None) -> None:
        self.tree = tree
        self.values = {
            "FILE": f"'{home}/a backup.tar'",
            "DIR": f"'{home}/restored data'",
            "<jti>": "4ab1c0d2",
            "./config": "deploy/demo_config",
        }
        self._user = user
        tools = home / "tools"
        tools.mkdir()
        for each in Path("/usr/bin").iterdir():
            if not MISSING.match(each.name):
                (tools / each.name).symlink_to(each)
        self.variables = {name: os.environ[name] for name in os.environ if PASSED_ON.match(name)}
        self.variables |= {"HOME": str(home), "LANG": "C.UTF-8", "PATH": f"{tree}/.venv/bin:{tools}"}
        if user is not None:
            subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", home], check=True)

    def run(self, command: str) -> str:
        """What it prints; raises FollowError if it fails, prints nothing or a traceback, or does not end."""
        process = self._start(command)
        try:
            printed = process.communicate(timeout=SECONDS)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            printed = process.communicate()[0]
            raise FollowError(f"{command}: has not ended within {SECONDS:.0f} s", printed) from None
        if process.returncode != 0 or "Traceback" in printed or not printed.strip():
            raise FollowError(f"{command}: exit status {process.returncode}", printed)
        return printed

    @contextmanager
    def started(self, command: str, ready: str) -> Iterator[str]:
        """The command, once it has printed `ready`: what it has printed; ended by Ctrl-C."""
        process = self._start(command)
        printed: list[str] = []
        is_ready = threading.Event()
        reader = threading.Thread(target=_read, args=(process, printed, ready, is_ready))
        reader.start()
        try:
            deadline = time.monotonic() + SECONDS
            while not is_ready.wait(0.2):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise FollowError(f"{command}: does not serve", "".join(printed))
            yield "".join(printed)
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            reader.join()
        if "Traceback" in "".join(printed):
            raise FollowError(f"{command}: a traceback", "".join(printed))

    def processes(self) -> list[str]:
        """The processes that run in the tree still, by /proc."""
        lines: list[str] = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = each.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.tree) in line:
                lines.append(f"{each.parent.name} {line}")
        return lines

    def _start(self, command: str) -> subprocess.Popen[str]:
        for name, value in self.values.items():
            command = re.sub(rf"(?<=\s){re.escape(name)}(?=\s|$)", lambda _, value=value: value, command)
        sys.stdout.write(f"$ {command}\n")
        sys.stdout.flush()
        return subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.tree,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            user=self._user and self._user.pw_uid,
            group=self._user and self._user.pw_gid,
            extra_groups=self._user and [],
        )


def _read(process: subprocess.Popen[str], printed: list[str], ready: str, is_ready: threading.Event) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        printed.append(line)
        if ready in line:
            is_ready.set()
