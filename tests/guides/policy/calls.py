"""What the policy does at a gateway, that it is explained, and that its conformance cases notice it."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from gateway.pipeline import GatewaySettings
from tests.conformance.gateway import case
from tests.conformance.gateway.deployment import configured, make, target_of
from tests.conformance.gateway.in_process import served
from tests.conformance.gateway.running import run
from tests.conformance.gateway.tokens import Mint
from tests.guides.trying import Trial

CASES = [name for name in case.names() if name.startswith("user_agent/")]


async def test_blocked_software_is_refused_by_the_deployment(trial: Trial) -> None:
    """The file's setting is in force, and `policy explain` names it with its line."""
    path = "/process/workflows/v1/workflows"
    assert (await trial.call("GET", path)).status_code == 200
    refused = await trial.call("GET", path, headers={"User-Agent": "BadBot/2"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    question = {"method": "GET", "path": path, "consumer": "operations"}
    answer = await trial.administer("GET", "/admin/v1/policy/explanation", params=question)
    rules = {rule["policy"]: rule for rule in answer.json()["rules"]}
    assert rules["user_agent"]["source"].startswith("gateway.toml:")


async def test_the_cases_hold_with_the_policy_only(trial: Trial, tmp_path: Path) -> None:
    """Each case holds at a gateway with the policy; one of them fails without it."""
    mint = Mint()
    tokens = mint.tokens()

    async def failing(settings: GatewaySettings) -> list[str]:
        app = make(tmp_path, mint.jwks(), trial.database, settings=settings)
        async with served(app) as address:
            target = target_of(address, mint, tokens, tmp_path)
            return [name for name in CASES if await asyncio.to_thread(run, case.read(name), target)]

    assert await failing(configured()) == []
    assert await failing(replace(configured(), user_agent=None)) == ["user_agent/blocked"]
