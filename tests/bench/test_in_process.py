"""tests/bench: what is measured in this process is what runs, with every policy on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from redis.asyncio.connection import AbstractConnection
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench import hops, policies
from bench.deployment import CONSUMER, GATEWAY_SETTINGS, issuer, open_deployment
from bench.rivals import node
from bench.stage import Stage
from gateway.pipeline import ORDER, GatewaySettings
from gateway.plans import read

READS = 1000
ASKING: ContextVar[bool] = ContextVar("asking", default=False)

pytestmark = pytest.mark.xdist_group("bench")


def test_the_locked_packages_name_no_registry() -> None:
    """The proxy's lock says by hashes what is meant, wherever it comes from."""
    lock = json.loads((Path(node.__file__).parent / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert [package for package in packages if "resolved" in package or not package.get("integrity")] == []


async def test_hops(stage: Stage) -> None:
    """All three carriers give the same record, and a remote hop costs many local ones."""
    found = await hops.measure(stage, local_calls=2000, remote_calls=20)
    assert found.plain > 0
    assert found.times_cheaper > 20


async def test_policies(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Every policy of the pipeline is measured, in its order, and none finds an answer off its contract."""
    found = {cost.policy: cost for cost in await policies.measure(stage, calls=20)}
    assert list(found) == [*ORDER, "(the tiers)", "(all together)"]
    assert found["idempotency_key"].read == 0 < found["idempotency_key"].write
    assert 0 < found["(the tiers)"].read < found["(all together)"].read
    assert "answer against the contract" not in "".join(capsys.readouterr())


def test_every_policy_is_on() -> None:
    """No policy is measured by its absence: the bench's settings configure all that may be absent."""
    settings = read(GATEWAY_SETTINGS, GatewaySettings)
    policies = set(settings.__struct_fields__) - {"security_txt"}
    assert [name for name in policies if getattr(settings, name) is None] == []


async def test_a_read_asks_no_store(stage: Stage) -> None:
    """Over many reads with every policy on nothing asks the database, and only leases ask the cache."""
    statements: list[str] = []
    commands: list[str] = []
    address = "http://127.0.0.1:1"
    told = {
        "BENCH_DATABASE_URL": stage.database_url,
        "BENCH_CACHE_URL": stage.cache_url,
        "BENCH_FOLDER": str(stage.folder),
        "BENCH_URL": address,
    }
    request = policies.Requests(issuer(stage.folder, address).mint(CONSUMER))
    async with open_deployment(told) as gateway:
        assert (await gateway.runtime.version.public(request.make("GET"))).status == 200
        with counting(statements, commands):
            for _ in range(READS):
                assert (await gateway.runtime.version.public(request.make("GET"))).status == 200
            for_reads, for_leases = len(statements), len(commands)
            # A write is seen: that nothing was is no oversight.
            await gateway.runtime.version.public(request.make("POST"))
    assert for_reads == 0 < len(statements)
    assert 0 < for_leases <= READS / 10


@contextmanager
def counting(statements: list[str], commands: list[str]) -> Iterator[None]:
    """Notes every statement and every command that is sent for the block, none in the background."""

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if ASKING.get():
            statements.append(statement)

    send = AbstractConnection.send_command

    async def sent(connection: AbstractConnection, *command: Any, **given: Any) -> None:
        if ASKING.get():
            commands.append(str(command[0]))
        await send(connection, *command, **given)

    event.listen(Engine, "before_cursor_execute", note)
    asking = ASKING.set(True)
    try:
        with patch.object(AbstractConnection, "send_command", sent):
            yield
    finally:
        ASKING.reset(asking)
        event.remove(Engine, "before_cursor_execute", note)
