"""tests/support: what the tests stand on is itself as promised."""

import psycopg
import pytest
import redis

from sandbox.folders import vendors
from tests.support.sandboxes import SandboxOf


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def test_a_fresh_database_is_not_the_workers(database_url: str, fresh_database_url: str) -> None:
    """What one test writes into its own database, no other database shows."""
    with connect(fresh_database_url) as fresh, connect(database_url) as shared:
        fresh.execute("CREATE TABLE only_here (id int)")
        assert shared.execute("SELECT to_regclass('only_here')").fetchone() == (None,)


@pytest.mark.parametrize("again", [1, 2])
def test_every_fresh_database_is_empty(fresh_database_url: str, again: int) -> None:
    """Two tests that ask for a fresh database get two."""
    with connect(fresh_database_url) as connection:
        connection.execute("CREATE TABLE only_here (id int)")


def test_the_cache_is_the_workers_own(cache_url: str) -> None:
    """A worker reads what it wrote, in a database that is not the product's."""
    with redis.Redis.from_url(cache_url, decode_responses=True) as client:
        client.set("who", cache_url)
        assert client.get("who") == cache_url
        assert client.connection_pool.connection_kwargs["db"] > 0


async def test_each_account_is_its_own(sandbox_of: SandboxOf) -> None:
    """Two accounts of one stand-in have different names and do not see each other's calls."""
    sandbox = await sandbox_of(vendors()[0])
    first, second = await sandbox.create_account(), await sandbox.create_account()
    assert first.name != second.name
    await first.add_fault({"status": 503}, path="customer")
    await first.clear_faults()
    assert (await second.count_calls())["count"] == 0
    await first.remove()
    await second.remove()
