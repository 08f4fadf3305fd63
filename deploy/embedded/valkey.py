"""deploy/embedded: Valkey, on a socket, with durable data."""

import signal
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.embedded.binaries import valkey_binary
from deploy.embedded.child import Child, Program
from deploy.embedded.identity import ServerUser

# One for the product, the rest so that every test worker has its own.
DATABASES = 64


@dataclass(frozen=True)
class Valkey:
    """How one data folder is served; `port` also opens it on loopback, with `password`."""

    data_dir: Path
    sockets: Path
    identity: ServerUser
    durable: bool
    port: int | None
    password: str

    @property
    def url(self) -> str:
        return f"unix://{self._login}{self.sockets / 'valkey.sock'}"

    @property
    def tcp_url(self) -> str | None:
        return f"redis://{self._login}127.0.0.1:{self.port}" if self.port else None

    def start(self, lock: int) -> Child:
        folder = self.data_dir / "valkey"
        self.identity.make_folder(folder)
        child = Child(self._program(folder, lock))
        child.start()
        try:
            child.wait_until(self._answers)
        except BaseException:
            child.stop()
            raise
        return child

    @property
    def _login(self) -> str:
        return f":{self.password}@" if self.port else ""

    def _program(self, folder: Path, lock: int) -> Program:
        command = [
            str(valkey_binary(self.identity)),
            "-",
        ]  # "-": configuration on stdin, so ps shows no password
        return Program(
            "Valkey",
            command,
            folder,
            self.data_dir / "logs" / "valkey.log",
            self.identity,
            signal.SIGTERM,
            inherited=(lock,),
            configuration=self._configuration(),
        )

    def _configuration(self) -> str:
        lines = [f"unixsocket {self.sockets / 'valkey.sock'}", "unixsocketperm 700", f"databases {DATABASES}"]
        lines += [f"appendonly {'yes' if self.durable else 'no'}", 'save ""', "dir .", "daemonize no"]
        lines += [f"port {self.port or 0}", "bind 127.0.0.1"]
        lines += [f"requirepass {self.password}"] if self.port else []
        return "\n".join(lines) + "\n"

    def _answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=1, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
