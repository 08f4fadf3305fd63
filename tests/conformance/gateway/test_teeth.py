"""tests/conformance/gateway: a gateway that lacks a policy does not pass."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from gateway.pipeline import ORDER
from kit.database import Database
from tests.conformance.gateway import case
from tests.conformance.gateway.house import make_without
from tests.conformance.gateway.running import Target, run
from tests.conformance.gateway.tokens import PUBLIC_URL, Mint

# What it does is seen in the audit trail and in metrics, not by who calls.
# Shedding shows only where there is too much to do: tests/gateway/test_load_shedding.py.
UNSEEN = {"account", "load_shedding"}


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """An application on a port of its own; its address."""
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110 - it has no event of it
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest.mark.parametrize("policy", [name for name in ORDER if name not in UNSEEN])
async def test_a_gateway_without_a_policy_fails_a_case_of_it(
    policy: str,
    mint: Mint,
    credentials: dict[str, str],
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some case in the folder of the policy does not hold where the policy is taken out."""
    database = Database(database_url)
    app = make_without(policy, monkeypatch.setattr, tmp_path, mint.jwks(), database)
    async with served(app) as address:
        target = Target(
            base_url=address,
            public_url=PUBLIC_URL,
            tokens=credentials,
            proof_key=mint.proof_key(),
            lacks=frozenset({"api-keys"}),
            seconds=2,
        )
        cases = [case.read(name) for name in case.names() if name.startswith(f"{policy}/")]
        assert await asyncio.to_thread(_some_case_fails, cases, target)
    await database.close()


def _some_case_fails(cases: list[case.Case], target: Target) -> bool:
    return any(run(one, target) for one in cases if not target.lacks.intersection(one.needs))
