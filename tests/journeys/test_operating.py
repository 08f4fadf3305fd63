"""A deployment is operated: probes, metrics and its policy, on the internal listener of two workers."""

import asyncio
import re
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from deploy.cli.main import main
from deploy.settings import DEMO_CONFIG
from kit.database import Database
from tests.journeys.test_standing_still import SILENCE_SECONDS, win_while_one_stands_still
from tests.support.deployments import MakeDeployment
from tests.support.stack import Member, Stack, until

DIGEST = re.compile(
    r'^enfilade_gateway_policy_current{digest="(\w+)",refused="(\w+)",worker="(\d)"} 1$', re.MULTILINE
)
WORKERS = 2
IDLE_SECONDS = 3
TRANSACTIONS_PER_SECOND = 60
"""Most of them are looks once a second, of everything that looks."""
_TRANSACTIONS = sa.text(
    "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
)
EXECUTIVE = 'scopes = ["experience.*.read", "process.*.read"]'
ACTIVATIONS = "/process/opportunity-to-project/v1/activations"


@pytest.fixture(scope="module")
async def looked_after(make_deployment: MakeDeployment) -> AsyncIterator[tuple[Stack, Member]]:
    async with make_deployment("operating") as deployment:
        yield deployment, await deployment.start(workers=str(WORKERS), worker_silence_seconds=SILENCE_SECONDS)


async def metrics(member: Member) -> str:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"{member.internal}/metrics")).text


async def in_force(member: Member) -> dict[str, tuple[str, str]]:
    """Digest and whether a change is refused, by worker."""
    return {worker: (digest, refused) for digest, refused, worker in DIGEST.findall(await metrics(member))}


async def test_operators_have_an_address_of_their_own(looked_after: tuple[Stack, Member]) -> None:
    """Metrics, probes and admin APIs stand there, and not where consumers come."""
    deployment, member = looked_after
    headers = {"Authorization": f"Bearer {deployment.token('platform')}"}
    async with httpx.AsyncClient(headers=headers) as http:
        for path in ("/metrics", "/admin/v1/policy/in-force"):
            assert (await http.get(deployment.url + path)).status_code == 404
            assert (await http.get(member.internal + path)).status_code == 200
        assert (await http.get(deployment.url + "/health/ready")).json() == {"ready": True}
        told = (await http.get(member.internal + "/health/ready")).json()
        assert (told["ready"], told["missing"]) == (True, {})
        assert (await http.get(member.internal + ACTIVATIONS)).status_code == 404


async def test_metrics_tell_of_requests_and_of_what_waits(looked_after: tuple[Stack, Member]) -> None:
    """Whatever worker answered, its counts are there, beside those of the database."""
    deployment, member = looked_after
    async with deployment.caller("executive") as executive:
        for _ in range(4):
            await executive.get(ACTIVATIONS)
    text = await metrics(member)
    counts = re.findall(rf'_seconds_count{{consumer="executive".*http_route="{ACTIVATIONS}".*}} (\d+)', text)
    assert sum(map(int, counts)) == 4
    for name in ("enfilade_database_up 1", "enfilade_inbox_lag_seconds 0", "enfilade_loop_lag_seconds_count"):
        assert name in text


async def test_deals_do_not_wait_for_a_worker_that_is_stopped(looked_after: tuple[Stack, Member]) -> None:
    """It is killed and replaced; the other one does meanwhile what it held."""
    deployment, member = looked_after
    await win_while_one_stands_still(deployment, member, signal.SIGSTOP, 2)

    async def replaced() -> bool:
        return set(await in_force(member)) == {"0", "1"}

    await until("there are two workers again", replaced)


async def test_every_worker_follows_the_files_and_refuses_bad_ones(
    looked_after: tuple[Stack, Member],
) -> None:
    """A change is in force in all of them without a restart; a bad one in none, and all say so."""
    deployment, member = looked_after
    before = await in_force(member)
    assert set(before) == {"0", "1"}
    deployment.edit("consumers.toml", (EXECUTIVE, f"{EXECUTIVE}\noutside = true"))

    async def changed() -> bool:
        now = await in_force(member)
        return len({digest for digest, _ in now.values()}) == 1 and now != before

    await until("both workers go by the new policy", changed)
    async with deployment.caller("executive") as executive:
        assert (await executive.http.get(ACTIVATIONS)).json()["code"] == "audience_forbidden"
    good = await in_force(member)
    deployment.append("gateway.toml", "\n[firewall]\n")

    async def refused() -> bool:
        now = await in_force(member)
        return now == {worker: (digest, "true") for worker, (digest, _) in good.items()}

    await until("both workers refuse the file", refused)


async def test_the_command_explains_and_checks(
    looked_after: tuple[Stack, Member],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the deployment would do is asked from a terminal, and a folder is looked at before it counts."""
    deployment, member = looked_after
    for name, value in deployment.environment().items():
        monkeypatch.setenv(name, value)
    explain = ["policy", "explain", "GET", ACTIVATIONS, "--as", "crm-screen", "--url", member.internal]
    assert await asyncio.to_thread(main, explain) == 0
    assert "Verdict: insufficient_scope (403)" in capsys.readouterr().out
    wanting = tmp_path / "config"
    shutil.copytree(DEMO_CONFIG, wanting)
    assert await asyncio.to_thread(main, ["policy", "check", str(wanting)]) == 0
    with (wanting / "gateway.toml").open("a", encoding="utf-8") as file:
        file.write("\n[firewall]\n")
    assert await asyncio.to_thread(main, ["policy", "check", str(wanting)]) == 1
    assert re.search(r"gateway\.toml:\d+: firewall: is not a setting", capsys.readouterr().out)


async def test_an_idle_deployment_is_quiet(looked_after: tuple[Stack, Member]) -> None:
    """Once nothing is to be done, whatever was before, a worker asks the database for little."""
    deployment, _ = looked_after
    seen: list[float] = []
    async with deployment.database() as database, asyncio.timeout(60):
        while not seen or seen[-1] >= TRANSACTIONS_PER_SECOND:
            before, began = await transactions(database), time.monotonic()
            await asyncio.sleep(IDLE_SECONDS)  # what happens meanwhile is what is counted
            count, seconds = await transactions(database) - before, time.monotonic() - began
            seen.append(count / seconds / WORKERS)
    assert seen[-1] < TRANSACTIONS_PER_SECOND, seen


async def transactions(database: Database) -> int:
    """Of the database so far, as its server counts them."""
    async with database.connect() as connection:
        return int((await connection.execute(_TRANSACTIONS)).scalar_one())
