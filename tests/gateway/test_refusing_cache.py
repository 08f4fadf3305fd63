"""tests/gateway: what the gateway does while the cache refuses: the same as while it is away."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from redis.asyncio import Redis

from contracts.problems import Unavailable
from gateway.identity import Memory
from gateway.policies.rate_limit.leases import LocalCounters, SharedCounters
from gateway.policies.rate_limit.slots import SlotStore
from gateway.policies.rate_limit.window import SharedWindows
from kit.cache import Cache
from kit.http.rate import Rate
from tests.support.valkey import SOCKET, private_valkey


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with private_valkey(tmp_path_factory.mktemp("valkey")) as folder:
        yield folder


@pytest.fixture
async def operator(folder: Path) -> AsyncIterator[Redis]:
    async with Redis(unix_socket_path=str(folder / SOCKET), single_connection_client=True) as redis:
        await redis.ping()
        yield redis


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        ("ACL SETUSER default -@write -@scripting", "ACL SETUSER default +@all"),
    ],
)
async def test_a_refusal_of_the_cache_is_met_as_its_absence(
    folder: Path, operator: Redis, broken: str, mended: str
) -> None:
    """Limits fall to the local share, slots too, vendors' rates are counted here; a proof is refused."""
    cache = Cache(f"unix://{folder / SOCKET}", timeout=5)
    noted: list[Exception] = []
    counters = SharedCounters(SharedWindows(cache), LocalCounters(MemoryStorage(), workers=2), noted.append)
    slots, rate, proofs = SlotStore(cache, "w"), Rate("a", 100, cache), Memory(cache, alone=False)
    item = RateLimitItemPerSecond(100, 1)
    await operator.execute_command(*broken.split())
    try:
        assert await counters.take(item, f"k{time.time()}", 1)
        assert len(noted) == 1
        assert await slots.hold("k", 1, 10) is None
        await rate.wait()
        with pytest.raises(Unavailable, match="No proof can be checked"):
            await proofs.spend(broken, 1)
    finally:
        await operator.execute_command(*mended.split())
    assert cache.failures.keys() >= {"slots", "vendor rate", "dpop"}
    assert await proofs.spend(broken, 1)
    await cache.close()
