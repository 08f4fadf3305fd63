"""tests/deploy: the commands of those who run the gateway, against its admin APIs."""

import argparse
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest

from deploy.cli.commands import consumers, subscriptions
from deploy.errors import CommandError
from deploy.people import Person
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, Limit, Plan
from tests.gateway.deployment import URL, Deployment
from tests.support.databases import keyed

PLANS = {"standard": Plan(limits=(Limit("burst", 100, 60),))}
CONSUMERS = {
    "platform": Consumer(title="The platform team", scopes=("gateway.*.*",)),
    "screen": Consumer(title="A screen", scopes=("experience.*.read",), subscriptions={}),
}


@pytest.fixture
async def deployment(tmp_path: Path, fresh_database_url: str) -> AsyncIterator[Deployment]:
    database = keyed(fresh_database_url)
    found = Deployment(tmp_path, GatewaySettings(plans=PLANS), CONSUMERS, database=database)
    yield found
    await database.close()


async def told(
    deployment: Deployment,
    module: ModuleType,
    words: str,
    capsys: pytest.CaptureFixture[str],
    by: str = "anna",
) -> str:
    """What a command says, as it runs once its connection stands."""
    parser = argparse.ArgumentParser()
    module.configure(parser)
    options = parser.parse_args(words.split())
    person = Person(by, URL, deployment.issuer.mint("platform", subject=by), deployment.internal)
    work = {"approve": "_decide", "reject": "_decide"}.get(options.action, f"_{options.action}")
    await getattr(module, work)(options, person)
    return capsys.readouterr().out


async def test_a_subscription_is_asked_for_approved_and_ended(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
):
    """Each step says what came of it and what follows; the same person may not do both."""
    asked = "request --consumer screen --api experience/shop@1 --plan standard --reason Needed"
    said = await told(deployment, subscriptions, asked, capsys)
    found = re.search(r"^(sub_\w+) is requested", said)
    assert found is not None
    assert f"enfilade subscriptions approve {found[1]}" in said
    with pytest.raises(CommandError, match="segregation_of_duties"):
        await told(deployment, subscriptions, f"approve {found[1]} --reason Mine", capsys)
    said = await told(deployment, subscriptions, f"approve {found[1]} --reason Agreed", capsys, by="bert")
    assert "is active: screen, experience/shop@1, plan standard" in said
    listed = await told(deployment, subscriptions, "list --state active", capsys)
    assert re.search(r"screen\s+experience/shop@1\s+standard\s+active\s+anna\s+bert\s+Agreed", listed)
    assert "cancelled" in await told(deployment, subscriptions, f"cancel {found[1]} --reason Over", capsys)
    assert "No such subscription" in await told(deployment, subscriptions, "list --state active", capsys)


async def test_a_consumer_is_registered_and_suspended(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
):
    """The list tells state and origin of each."""
    await told(deployment, consumers, "register newcomer --title Newcomer --scope process.*.read", capsys)
    await told(deployment, consumers, "suspend newcomer --reason Leaked", capsys)
    listed = await told(deployment, consumers, "list", capsys)
    assert re.search(r"newcomer\s+Newcomer\s+suspended\s+registered", listed)
    await told(deployment, consumers, "resume newcomer", capsys)
    assert '"state":"active"' in await told(deployment, consumers, "show newcomer --json", capsys)
    assert "calls" in await told(deployment, consumers, "usage --days 3", capsys)
    with pytest.raises(CommandError, match="No consumer is named stranger"):
        await told(deployment, consumers, "show stranger", capsys)
