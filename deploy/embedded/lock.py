"""deploy/embedded: the lock that shows whether a launcher or one of its servers still uses a data folder.

The launcher acquires it and its servers inherit it, so it is free exactly when the last of them has exited,
without reliance on a pid file. Its text (pid, start time, socket folder) is only for messages and cleanup.
"""

import contextlib
import fcntl
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import EmbeddedError

SERVERS_GONE_WITHIN_SECONDS = 20.0


@dataclass(frozen=True)
class Lock:
    """A data folder locked by this process; `descriptor` is what the servers inherit."""

    descriptor: int

    def note_socket_folder(self, folder: Path) -> None:
        note = f"{os.getpid()}\n{_started_at(os.getpid())}\n{folder}\n".encode()
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, note, 0)

    def release(self) -> None:
        # Unlock by name: a forked child may have a copy of the descriptor.
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        os.close(self.descriptor)


def hold(data_dir: Path) -> Lock:
    """Lock the folder; waits while the servers of a killed launcher are still stopping."""
    descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(descriptor, data_dir)
    except BaseException:
        os.close(descriptor)
        raise
    _remove_leftover_sockets(descriptor)
    return Lock(descriptor)


def is_held(data_dir: Path) -> bool:
    try:
        descriptor = os.open(data_dir / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def wipe(data_dir: Path | str) -> None:
    """Remove the databases' data; refuses while a launcher or its servers use it."""
    folder = Path(data_dir)
    if not folder.exists():
        return
    lock = hold(folder)
    try:
        for name in ("postgresql", "postgresql.new", "valkey"):
            shutil.rmtree(folder / name, ignore_errors=True)
    finally:
        lock.release()


def _wait_for(descriptor: int, data_dir: Path) -> None:
    deadline = time.monotonic() + SERVERS_GONE_WITHIN_SECONDS
    while not _try_lock(descriptor, fcntl.LOCK_EX):
        pid, started_at, _ = _read_note(descriptor)
        if pid and _started_at(pid) == started_at:
            raise EmbeddedError(
                f"{data_dir} is already in use by process {pid}: stop it, or choose another data folder."
            )
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"{data_dir} is still in use by what process {pid} left behind: end that, then start again."
            )
        time.sleep(0.02)  # the condition is the lock itself, which can only be tried


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_note(descriptor: int) -> tuple[int, str, str]:
    lines = os.pread(descriptor, 4096, 0).decode().splitlines()
    return (int(lines[0]), lines[1], lines[2]) if len(lines) == 3 else (0, "", "")  # noqa: PLR2004 as written above


def _started_at(pid: int) -> str:
    """The kernel's start time of a running process, which distinguishes a later one with its pid; else ''."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        state, start_time = fields[0], fields[19]
        return "" if state == "Z" else start_time
    return ""


def _remove_leftover_sockets(descriptor: int) -> None:
    """A killed launcher could not remove its socket folder; no process uses it now."""
    folder = Path(_read_note(descriptor)[2])
    if folder.name.startswith("enfilade-"):
        shutil.rmtree(folder, ignore_errors=True)
