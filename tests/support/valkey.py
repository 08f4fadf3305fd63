"""tests/support: a Valkey of a test's own, whose settings hurt nobody else."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from redis import Redis, RedisError

from deploy.embedded.binaries import valkey_binary
from deploy.embedded.identity import servers_identity

SOCKET, DATA = "s", "data"
START_SECONDS = 10.0


@contextmanager
def private_valkey(folder: Path) -> Iterator[Path]:
    """A server with its socket and its data in a folder, which is returned."""
    (folder / DATA).mkdir()
    command = [
        valkey_binary(servers_identity()),
        "--port",
        "0",
        "--unixsocket",
        folder / SOCKET,
        "--save",
        "",
    ]
    with subprocess.Popen([*command, "--dir", folder / DATA], stdout=subprocess.DEVNULL) as process:
        try:
            _wait(folder / SOCKET)
            yield folder
        finally:
            process.kill()


def _wait(path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(path):
        assert time.monotonic() < deadline, "the private Valkey does not answer"
        time.sleep(0.02)  # there is no event of a server that answers


def _answers(path: Path) -> bool:
    with Redis(unix_socket_path=str(path)) as redis, suppress(RedisError):
        return bool(redis.ping())
    return False
