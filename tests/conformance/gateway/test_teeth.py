"""tests/conformance/gateway: a gateway that lacks a policy, or a promise of one, does not pass."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.pipeline import ORDER
from tests.conformance.gateway import case
from tests.conformance.gateway.deployment import (
    configured,
    lifecycles,
    make,
    make_without,
    revoke_all,
    target_of,
    with_nonces,
)
from tests.conformance.gateway.in_process import served
from tests.conformance.gateway.running import Target, run
from tests.conformance.gateway.tokens import Mint
from tests.conformance.gateway.weaker import GROUPS, WEAKER, Weaker
from tests.support.databases import keyed

# What it does is seen in the audit trail and in metrics, not by who calls.
UNSEEN = {"account"}


@asynccontextmanager
async def weakened(
    weaker: Weaker, mint: Mint, credentials: dict[str, str], database_url: str, folder: Path
) -> AsyncIterator[Target]:
    """Our gateway with a promise taken out; it asks for nonces where one of the cases needs that."""
    settings = configured()
    if any("dpop-nonces" in case.read(name).needs for name in weaker.cases):
        settings = with_nonces(settings)
    database = keyed(database_url)
    await revoke_all(database)
    app = make(
        folder,
        mint.jwks(),
        database,
        settings=weaker.settings(settings),
        lifecycles=weaker.lifecycles(dict(lifecycles())),
    )
    async with served(app) as address:
        yield target_of(address, mint, credentials, folder, lacks={"api-keys"})
    await database.close()


async def holds(one: case.Case, target: Target) -> bool:
    """Whether it holds three times: on a busy machine an answer may expire between two of its requests."""
    for _ in range(3):
        if await asyncio.to_thread(run, one, target):
            return False
    return True


@pytest.mark.parametrize("name", WEAKER)
async def test_a_gateway_without_a_promise_fails_the_cases_of_it(
    name: str,
    mint: Mint,
    credentials: dict[str, str],
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every case that is about the promise does not hold where it is taken out."""
    weaker = WEAKER[name]
    for place, attribute, value in weaker.patches:
        monkeypatch.setattr(place, attribute, value)
    async with weakened(weaker, mint, credentials, database_url, tmp_path) as target:
        held = [one for one in weaker.cases if await holds(case.read(one), target)]
    assert held == []


async def test_nothing_else_makes_these_cases_fail(
    mint: Mint, credentials: dict[str, str], fresh_database_url: str, tmp_path: Path
) -> None:
    """A gateway that is served and asked in the same way, and keeps its promises, passes all of them."""
    named = sorted({one for weaker in WEAKER.values() for one in weaker.cases})
    nonces = [one for one in named if "dpop-nonces" in case.read(one).needs]
    failing = {}
    for cases in ([one for one in named if one not in nonces], nonces):
        whole = Weaker(tuple(cases))
        async with weakened(whole, mint, credentials, fresh_database_url, tmp_path) as target:
            found = {one: await asyncio.to_thread(run, case.read(one), target) for one in cases}
        failing |= {one: faults for one, faults in found.items() if faults}
    assert failing == {}


def test_every_case_of_some_groups_has_been_seen_to_fail() -> None:
    """A case that could never fail would promise nothing."""
    noticed = {one for weaker in WEAKER.values() for one in weaker.cases}
    assert [one for one in case.names() if one.startswith(GROUPS) and one not in noticed] == []


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
    database = keyed(database_url)
    app = make_without(policy, monkeypatch.setattr, tmp_path, mint.jwks(), database)
    async with served(app) as address:
        lacks = {"api-keys", "dpop-nonces"}
        target = target_of(address, mint, credentials, tmp_path, lacks=lacks, seconds=2)
        cases = [case.read(name) for name in case.names() if name.startswith(f"{policy}/")]
        assert await asyncio.to_thread(_some_case_fails, cases, target)
    await database.close()


def _some_case_fails(cases: list[case.Case], target: Target) -> bool:
    return any(run(one, target) for one in cases if not target.lacks.intersection(one.needs))
