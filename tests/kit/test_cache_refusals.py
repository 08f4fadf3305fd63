"""tests/kit: what the cache refuses is told as what it is (a private Valkey, whose settings hurt nobody)."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis import exceptions as redis_errors
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, ResponseError
from structlog.testing import capture_logs

from kit.cache import Cache, cache_refusal
from tests.support.stack import until
from tests.support.valkey import private_valkey


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a server of this module's own."""
    with private_valkey(tmp_path_factory.mktemp("valkey")) as folder:
        yield folder


@pytest.fixture
async def operator(folder: Path) -> AsyncIterator[Redis]:
    """A connection that is logged in before anything is broken."""
    async with Redis(unix_socket_path=str(folder / "s"), single_connection_client=True) as redis:
        await redis.ping()
        yield redis


async def refused(folder: Path, password: str = "") -> str:
    """The cause for which a new client of the cache gets no write; empty when it gets one."""
    cache = Cache(f"unix://{password}{folder / 's'}", timeout=5)
    refusal = await cache.refusal()
    assert await cache.ask("test", lambda redis: redis.set("a", "b"), otherwise=None) is (
        None if refusal else True
    )
    await cache.close()
    return refusal.cause if refusal else ""


@pytest.mark.parametrize(
    ("broken", "mended", "cause"),
    [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "out_of_memory"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "read_only"),
        ("CONFIG SET requirepass secret", 'CONFIG SET requirepass ""', "login_refused"),
        ("ACL SETUSER default -@write", "ACL SETUSER default +@all", "not_permitted"),
    ],
)
async def test_each_refusal_of_the_cache_has_its_cause(
    folder: Path, operator: Redis, broken: str, mended: str, cause: str
) -> None:
    """Its user gets its fallback, the cause is known, and the next command after the end succeeds."""
    await operator.execute_command(*_words(broken))
    assert await refused(folder) == cause
    await operator.execute_command(*_words(mended))
    assert await refused(folder) == ""


def _words(command: str) -> list[str]:
    return [word.strip('"') for word in command.split(" ")]


async def test_a_wrong_password_is_told(folder: Path, operator: Redis) -> None:
    """A login with another password than the server's is refused as such."""
    await operator.config_set("requirepass", "secret")
    assert await refused(folder, ":wrong@") == "login_refused"
    assert await refused(folder, ":secret@") == ""
    await operator.config_set("requirepass", "")


async def test_a_cache_that_cannot_save_is_told(folder: Path, operator: Redis) -> None:
    """After a snapshot that failed the server takes no writes (MISCONF)."""
    await operator.config_set("save", "3600 1")
    shutil.rmtree(folder / "data")

    async def failed() -> bool:
        return (await operator.info("persistence"))["rdb_last_bgsave_status"] == "err"

    await operator.bgsave()
    await until("saving has failed", failed, 10)
    assert await refused(folder) == "cannot_save"
    await operator.config_set("stop-writes-on-bgsave-error", "no")
    assert await refused(folder) == ""


async def test_a_busy_cache_is_told(folder: Path, operator: Redis) -> None:
    """While a script runs for too long the server refuses everything else (BUSY)."""
    await operator.config_set("busy-reply-threshold", 1)
    cache = Cache(f"unix://{folder / 's'}", timeout=5)
    async with Redis(unix_socket_path=str(folder / "s")) as other:
        script = asyncio.create_task(other.eval("while true do end", 0))  # pyright: ignore[reportArgumentType]

        async def busy() -> bool:
            refusal = await cache.refusal()
            return refusal is not None and refusal.cause == "busy"

        await until("the script holds the server up", busy, 10)
        await cache.close()
        await operator.script_kill()
        with pytest.raises(ResponseError):
            await script
    assert await refused(folder) == ""


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (BusyLoadingError("Redis is loading the dataset in memory"), "starting"),
        (ResponseError("MASTERDOWN Link with MASTER is down"), "primary_away"),
        (ResponseError("CLUSTERDOWN The cluster is down"), "cluster_down"),
        (ResponseError("ERR unknown command"), "failed"),
        (redis_errors.TimeoutError("Timeout reading from socket"), "unreachable"),
        (redis_errors.ConnectionError("Connection refused"), "unreachable"),
        (ConnectionResetError(), "unreachable"),
    ],
)
def test_the_other_refusals_have_their_causes(error: Exception, cause: str) -> None:
    """As the driver raises them."""
    assert cache_refusal(error).cause == cause


async def test_the_log_names_each_cause_once_a_minute() -> None:
    """A thousand failures of one cause are one line, with what to do; another cause is another line."""
    cache = Cache("redis://127.0.0.1:1")
    with capture_logs() as lines:
        for error in [ResponseError("MISCONF no")] * 1000 + [ResponseError("OOM no")]:
            cache.count("test", error)
    assert [line["cause"] for line in lines] == ["cannot_save", "out_of_memory"]
    assert all(line["next_step"] for line in lines)
    await cache.close()
