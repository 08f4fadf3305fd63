"""deploy: a running deployment on one data folder: its lock, and what other commands read of it."""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from deploy.errors import CommandError
from deploy.settings import ServerSettings, read_settings, with_conventional

DATA = ".enfilade"
_NOWHERE = "postgresql+psycopg://"
_LOOK_EVERY_SECONDS = 0.02
_LOOKED_AT_SECONDS = 0.5


class Stack(msgspec.Struct, frozen=True):
    """What `up` runs: its addresses, its stores, and the stand-ins' addresses by vendor.

    It stops within `stop_seconds`.
    """

    pid: int
    gateway: str
    internal: str
    database_url: str
    cache_url: str
    config: str
    sandboxes: dict[str, str]
    environ: dict[str, str]
    stop_seconds: float = 0.0


def data_dir(given: str | None, environ: Mapping[str, str]) -> Path:
    """The data folder: the option's, the environment's, or the usual one."""
    return Path(given or environ.get("ENFILADE_DATA_DIR") or DATA).absolute()


@contextlib.contextmanager
def lock_data(folder: Path) -> Iterator[None]:
    """The locked folder; raises CommandError when another `up` uses it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(_lock(folder), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        sentence = f"The data folder {folder} cannot be used ({error.strerror}): choose another with --data."
        raise CommandError(sentence) from None
    try:
        if not _lock_soon(descriptor):
            pid = _pid(descriptor)
            raise CommandError(
                f"{folder} is in use by `enfilade up` (process {pid}): "
                "stop it with `enfilade down`, or choose another folder with --data."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        try:
            yield
        finally:
            (folder / "stack.json").unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def write_stack(folder: Path, stack: Stack) -> None:
    """Describe the running deployment for other commands of the same user."""
    unfinished = folder / "stack.json.new"
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(stack))
    unfinished.rename(folder / "stack.json")


def running(folder: Path) -> Stack | None:
    """The deployment that runs on this folder, None when none does."""
    if launcher(folder) is None:
        return None
    with contextlib.suppress(FileNotFoundError):
        return msgspec.json.decode((folder / "stack.json").read_bytes(), type=Stack)
    return None


def settings_with_database(folder: Path, environ: Mapping[str, str]) -> ServerSettings:
    """The settings for a command that reads the database; raises CommandError where none is known."""
    settings = settings_beside(folder, environ)
    if not has_database(settings):
        raise CommandError(
            f"No stack runs on {folder}: start `enfilade up`, name another folder with --data, "
            "or set ENFILADE_DATABASE_URL."
        )
    return settings


def launcher(folder: Path) -> int | None:
    """The process id of the `up` that holds this folder."""
    try:
        descriptor = os.open(_lock(folder), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _try_lock(descriptor) else _pid(descriptor)
    finally:
        os.close(descriptor)


def end(folder: Path, pid: int, within: float) -> bool:
    """Stop the process that has the lock and wait until the folder is free; False when it is not in time."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + within
    while launcher(folder) == pid:
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)  # the condition is the lock itself, which can only be tried
    return True


def settings_beside(folder: Path, environ: Mapping[str, str]) -> ServerSettings:
    """The settings for a command: the environment's, else those of the running deployment."""
    stack = running(folder)
    elsewhere = with_conventional(environ).get("ENFILADE_DATABASE_URL", _NOWHERE)
    variables = {"ENFILADE_DATA_DIR": str(folder), "ENFILADE_DATABASE_URL": elsewhere}
    if stack is not None:
        variables |= {
            "ENFILADE_DATABASE_URL": stack.database_url,
            "ENFILADE_CACHE_URL": stack.cache_url,
            "ENFILADE_PUBLIC_URL": stack.gateway,
            "ENFILADE_INTERNAL_ADDRESS": stack.internal.removeprefix("http://") or "off",
            "ENFILADE_CONFIG": stack.config,
        }
    return read_settings({**variables, **{name: value for name, value in environ.items() if value}})


def has_database(settings: ServerSettings) -> bool:
    """Whether the settings name a database at all."""
    return settings.database_url != _NOWHERE


def _lock(folder: Path) -> Path:
    return folder / "up.lock"


def _lock_soon(descriptor: int) -> bool:
    """The lock, also while another command briefly takes it to test whether it is free."""
    deadline = time.monotonic() + _LOOKED_AT_SECONDS
    while not _try_lock(descriptor):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)  # as above
    return True


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).decode().strip()
    return int(text) if text.isdigit() else 0
