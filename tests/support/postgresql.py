"""tests/support: a PostgreSQL older than the embedded one: the distribution's, where it is installed."""

import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from deploy.cli.backups import OLDEST_POSTGRESQL
from deploy.embedded.binaries import POSTGRESQL_MAJOR
from deploy.embedded.child import Child, Program
from deploy.embedded.identity import servers_identity

_INSTALLED = Path("/usr/lib/postgresql")


@contextmanager
def older_postgresql() -> Iterator[tuple[int, str]]:
    """Its major version and an address of it; skips the test where there is none."""
    found = [int(one.name) for one in _INSTALLED.glob("*") if re.fullmatch(r"\d+", one.name)]
    usable = [major for major in found if OLDEST_POSTGRESQL <= major < POSTGRESQL_MAJOR]
    if not usable:
        pytest.skip(f"no PostgreSQL of {OLDEST_POSTGRESQL} to {POSTGRESQL_MAJOR - 1} in {_INSTALLED} (apt)")
    binaries, identity = _INSTALLED / str(min(usable)) / "bin", servers_identity()
    folder = Path(tempfile.mkdtemp(prefix="enf-old-", dir="/tmp"))
    identity.take(folder)
    log = folder.with_suffix(".log")

    def child(command: list[str]) -> Child:
        made = Child(
            Program(
                command[0],
                [str(binaries / command[0]), *command[1:]],
                folder,
                log,
                identity,
                signal.SIGINT,
            )
        )
        made.start()
        return made

    def answers() -> bool:
        try:
            psycopg.connect(host=str(folder), user="enfilade", dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    try:
        made = child(["initdb", "-D", "data", "-U", "enfilade", "--encoding=UTF8", "--locale=C", "--no-sync"])
        assert made.ended.result() == 0, log.read_text(encoding="utf-8")
        settings = ["-c", "fsync=off", "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
        server = child(["postgres", "-D", "data", *settings])
        try:
            server.wait_until(answers)
            yield min(usable), f"postgresql+psycopg://enfilade@/postgres?host={folder}&port=5432"
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        log.unlink(missing_ok=True)
