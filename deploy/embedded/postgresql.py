"""deploy/embedded: PostgreSQL, from an empty folder to a database that answers."""

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.embedded.binaries import POSTGRESQL_MAJOR, postgresql_folder
from deploy.embedded.child import Child, Program
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.identity import ServerUser

ROLE = DATABASE = "enfilade"
SOCKET_PORT = 5432
# The kernel resolves this without walking the path, so no parent folder needs to be open to the user.
_WHERE_IT_STANDS = "/proc/self/cwd"
_DURABLE = ["max_connections=200", "timezone=UTC", "log_timezone=UTC", "unix_socket_permissions=0700"]
_FOR_TESTS = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=400",
    # In the data folder, which a killed run's successor removes.
    "dynamic_shared_memory_type=mmap",
]


@dataclass(frozen=True)
class PostgreSQL:
    """How one data folder is served; `port` also opens it on loopback, with `password`."""

    data_dir: Path
    sockets: Path
    identity: ServerUser
    durable: bool
    port: int | None
    password: str

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://{ROLE}@/{DATABASE}?host={self.sockets}&port={self.port or SOCKET_PORT}"

    @property
    def tcp_url(self) -> str | None:
        if self.port is None:
            return None
        return f"postgresql+psycopg://{ROLE}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self, lock: int) -> Child:
        folder = self.data_dir / "postgresql"
        self._check_version(folder)
        if not folder.exists():
            self._initialise(folder)
        _forget_dead_postmaster(folder)
        child = Child(self._program("PostgreSQL", folder, self._serve_command(), lock))
        child.start()
        try:
            child.wait_until(self._answers)
            self._settle()
        except BaseException:
            child.stop()
            raise
        return child

    def _check_version(self, folder: Path) -> None:
        if not folder.exists():
            return
        if self.identity.uid != folder.stat().st_uid:
            raise EmbeddedError(
                f"{folder} belongs to another user (uid {folder.stat().st_uid}): "
                "start as that user, or wipe the data."
            )
        major = (folder / "PG_VERSION").read_text().strip()
        if major != str(POSTGRESQL_MAJOR):
            raise EmbeddedError(
                f"{folder} holds data of PostgreSQL {major}, but this release runs {POSTGRESQL_MAJOR}: "
                "move it away or wipe the data."
            )

    def _initialise(self, folder: Path) -> None:
        """Run initdb beside the folder, then rename, so that an interrupted one leaves no incomplete data."""
        unfinished = folder.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self.identity.make_folder(unfinished)
        command = ["initdb", "-D", _WHERE_IT_STANDS, "-U", ROLE, "--encoding=UTF8", "--locale=C.UTF-8"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += [
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
        ]  # the socket folder is private, loopback is not
        command += [] if self.durable else ["--no-sync"]
        child = Child(self._program("initdb", unfinished, command))
        child.start()
        if child.ended.result() != 0:
            raise EmbeddedError(
                f"The embedded PostgreSQL could not create its data folder: {child.last_words()}"
            )
        unfinished.rename(folder)

    def _serve_command(self) -> list[str]:
        settings = [*_DURABLE, *([] if self.durable else _FOR_TESTS)]
        settings += [f"unix_socket_directories={self.sockets}", f"port={self.port or SOCKET_PORT}"]
        settings += [f"listen_addresses={'127.0.0.1' if self.port else ''}", "cluster_name=enfilade"]
        return [
            "postgres",
            "-D",
            _WHERE_IT_STANDS,
            *(part for setting in settings for part in ("-c", setting)),
        ]

    def _program(self, title: str, folder: Path, command: list[str], *inherited: int) -> Program:
        binary = postgresql_folder(self.identity) / command[0]
        log = self.data_dir / "logs" / "postgresql.log"
        return Program(
            title, [str(binary), *command[1:]], folder, log, self.identity, signal.SIGINT, inherited=inherited
        )

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.sockets), port=self.port or SOCKET_PORT, user=ROLE, dbname=database, autocommit=True
        )

    def _answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _settle(self) -> None:
        """Create our database once, and set this start's password."""
        with self._connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
            if self.port:
                role, password = sql.Identifier(ROLE), sql.Literal(self.password)
                connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, password))


def _forget_dead_postmaster(folder: Path) -> None:
    """Remove a pid file whose process has exited or is another program, which PostgreSQL would not remove."""
    note = folder / "postmaster.pid"
    if not note.exists():
        return
    pid = note.read_text().split("\n", 1)[0].strip()
    name = Path(f"/proc/{pid}/comm")
    state = Path(f"/proc/{pid}/stat")
    if not name.exists() or name.read_text().strip() != "postgres" or ") Z " in state.read_text():
        note.unlink()
