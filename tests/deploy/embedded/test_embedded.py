"""tests/deploy/embedded: the servers start, keep, stop, and never outlive their launcher."""

import os
import select
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import redis

from bench.ports import free_port
from deploy.embedded import Embedded, EmbeddedError, running, wipe


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def cache(url: str) -> redis.Redis:
    return redis.Redis.from_url(url)


@contextmanager
def launcher(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A launcher in a process of its own, with the two addresses."""
    command = [sys.executable, str(Path(__file__).parent / "launch.py"), str(data_dir)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        database_url, cache_url = process.stdout.readline().split()
        try:
            yield process, database_url, cache_url
        finally:
            process.terminate()


def postmaster_pid(data_dir: Path) -> int:
    return int((data_dir / "postgresql" / "postmaster.pid").read_text().split()[0])


def wait_for_end(pid: int, seconds: float = 20) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


async def test_both_answer_and_keep_their_data_over_a_restart(tmp_path: Path) -> None:
    """What was written before an orderly stop is there after the next start, in both servers."""
    async with Embedded(tmp_path) as servers:
        with connect(servers.database_url) as connection, cache(servers.cache_url) as client:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            client.set("kept", "42")
        assert running(tmp_path) == servers.addresses
    assert running(tmp_path) is None
    async with Embedded(tmp_path) as servers:
        with connect(servers.database_url) as connection, cache(servers.cache_url) as client:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
            assert client.get("kept") == b"42"


def test_a_killed_launcher_takes_its_servers_along_and_the_next_start_is_fine(tmp_path: Path) -> None:
    """After SIGKILL of the launcher no server lives on, and the next start finds all that was committed."""
    with launcher(tmp_path) as (process, database_url, cache_url):
        with connect(database_url) as connection, cache(cache_url) as client:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
            client.set("kept", "42")
            database_pid, cache_pid = postmaster_pid(tmp_path), int(client.info()["process_id"])
        old_sockets = Path(parse_qs(urlsplit(database_url).query)["host"][0])
        process.kill()
        process.wait()
    servers = Embedded(tmp_path).start()
    try:
        assert wait_for_end(database_pid)
        assert wait_for_end(cache_pid)
        assert not old_sockets.exists()
        with connect(servers.database_url) as connection, cache(servers.cache_url) as client:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
            assert client.get("kept") == b"42"
    finally:
        servers.stop()


def test_a_second_launcher_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """A data folder serves one launcher; another is told which process has it, and disturbs nothing."""
    with launcher(tmp_path) as (process, database_url, _):
        with pytest.raises(EmbeddedError, match=f"already in use by process {process.pid}: stop it"):
            Embedded(tmp_path).start()
        with pytest.raises(EmbeddedError, match="already in use"):
            wipe(tmp_path)
        with connect(database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_wipe_leaves_nothing_of_the_old_data(tmp_path: Path) -> None:
    """After a wipe the next start begins anew."""
    servers = Embedded(tmp_path, durable=False).start()
    with connect(servers.database_url) as connection:
        connection.execute("CREATE TABLE kept (answer int)")
    servers.stop()
    wipe(tmp_path)
    servers.start()
    try:
        with connect(servers.database_url) as connection:
            assert connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)
    finally:
        servers.stop()


async def test_a_dead_server_is_told_in_one_sentence(tmp_path: Path) -> None:
    """A server that ends untold is reported by name and manner, and the next start repairs its data."""
    async with Embedded(tmp_path, durable=False) as servers:
        heard: list[str] = []
        servers.on_death(heard.append)
        os.kill(postmaster_pid(tmp_path), signal.SIGKILL)
        sentence = await servers.died()
        assert sentence.startswith("The embedded PostgreSQL has died (killed by signal 9)")
        assert heard == [sentence]
    async with Embedded(tmp_path, durable=False) as servers:
        with connect(servers.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_data_of_another_version_is_named(tmp_path: Path) -> None:
    """Data of another PostgreSQL is refused, and left alone."""
    Embedded(tmp_path, durable=False).start().stop()
    (tmp_path / "postgresql" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedError, match="holds data of PostgreSQL 16, but this release runs 18"):
        Embedded(tmp_path).start()


def test_a_server_that_cannot_start_gives_its_own_reason(tmp_path: Path) -> None:
    """The sentence of a failed start holds what the server itself says, and where its log is."""
    Embedded(tmp_path, durable=False).start().stop()
    with (tmp_path / "postgresql" / "postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match=r"PostgreSQL did not start: .*errors.*postgresql\.log"):
        Embedded(tmp_path).start()


def test_a_stale_pid_file_does_not_stop_the_start(tmp_path: Path) -> None:
    """A pid file whose pid now belongs to another program is no obstacle."""
    Embedded(tmp_path, durable=False).start().stop()
    stale = f"{os.getpid()}\n/proc/self/cwd\n0\n5432\n/tmp\n\n0 0\nready\n"
    (tmp_path / "postgresql" / "postmaster.pid").write_text(stale)
    Embedded(tmp_path, durable=False).start().stop()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """A taken port is one clear sentence before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedError, match=f"Port {port} on 127.0.0.1 cannot be used: Address already"):
            Embedded(tmp_path, postgresql_port=port).start()
    assert not (tmp_path / "postgresql").exists()


def test_loopback_needs_the_password(tmp_path: Path) -> None:
    """Asked for, both servers answer on loopback too, but only to whoever knows this start's password."""
    servers = Embedded(tmp_path, durable=False, postgresql_port=free_port(), valkey_port=free_port()).start()
    try:
        addresses = servers.addresses
        assert addresses.tcp_database_url is not None
        assert addresses.tcp_cache_url is not None
        with connect(addresses.tcp_database_url) as connection, cache(addresses.tcp_cache_url) as client:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert client.ping()
        unknown_names = urlsplit(addresses.tcp_database_url)
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(f"postgresql://enfilade:guess@{unknown_names.netloc.split('@')[1]}/enfilade")
    finally:
        servers.stop()


def test_private_parents_stay_private(tmp_path: Path) -> None:
    """A data folder below a private folder works, also as root, and no parent is opened for it."""
    parent = tmp_path / "private" / ("long-name-" * 12)
    parent.mkdir(parents=True)
    (tmp_path / "private").chmod(0o700)
    Embedded(parent / "data", durable=False).start().stop()
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700
    assert stat.S_IMODE((parent / "data").stat().st_mode) == 0o700
