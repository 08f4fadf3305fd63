"""tests/deploy: the commands of those who run the gateway, against its admin APIs."""

import argparse
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest

from deploy.commands import consumers, subscriptions
from deploy.errors import CommandError
from deploy.telling.people import Person
from gateway.pipeline import Settings
from gateway.plans import Consumer, Limit, Plan
from gateway.policies.rate_limit import Settings as RateLimitSettings
from kit.database import Database
from tests.gateway.house import URL, House

PLANS = RateLimitSettings(plans={"standard": Plan(limits=(Limit("burst", 100, 60),))})
CONSUMERS = {
    "platform": Consumer(title="The platform team", scopes=("gateway.*.*",)),
    "screen": Consumer(title="A screen", scopes=("experience.*.read",), subscriptions={}),
}


@pytest.fixture
async def house(tmp_path: Path, fresh_database_url: str) -> AsyncIterator[House]:
    database = Database(fresh_database_url)
    found = House(tmp_path, Settings(rate_limit=PLANS), CONSUMERS, database=database)
    yield found
    await database.close()


async def told(
    house: House, module: ModuleType, words: str, capsys: pytest.CaptureFixture[str], by: str = "anna"
) -> str:
    """What a command says, as it runs once its connection stands."""
    parser = argparse.ArgumentParser()
    module.configure(parser)
    options = parser.parse_args(words.split())
    person = Person(by, URL, house.issuer.mint("platform", subject=by), house.internal)
    work = {"approve": "_decide", "reject": "_decide"}.get(options.action, f"_{options.action}")
    await getattr(module, work)(options, person)
    return capsys.readouterr().out


async def test_a_subscription_is_asked_for_approved_and_ended(
    house: House, capsys: pytest.CaptureFixture[str]
):
    """Each step says what came of it and what follows; the same person may not do both."""
    asked = "request --consumer screen --api experience/shop@1 --plan standard --reason Needed"
    said = await told(house, subscriptions, asked, capsys)
    found = re.search(r"^(sub_\w+) is requested", said)
    assert found is not None
    assert f"enfilade subscriptions approve {found[1]}" in said
    with pytest.raises(CommandError, match="segregation_of_duties"):
        await told(house, subscriptions, f"approve {found[1]} --reason Mine", capsys)
    said = await told(house, subscriptions, f"approve {found[1]} --reason Agreed", capsys, by="bert")
    assert "is active: screen, experience/shop@1, plan standard" in said
    listed = await told(house, subscriptions, "list --state active", capsys)
    assert re.search(r"screen\s+experience/shop@1\s+standard\s+active\s+anna\s+bert\s+Agreed", listed)
    assert "cancelled" in await told(house, subscriptions, f"cancel {found[1]} --reason Over", capsys)
    assert "No such subscription" in await told(house, subscriptions, "list --state active", capsys)


async def test_a_consumer_is_registered_and_suspended(house: House, capsys: pytest.CaptureFixture[str]):
    """The list tells state and origin of each."""
    await told(house, consumers, "register newcomer --title Newcomer --scope process.*.read", capsys)
    await told(house, consumers, "suspend newcomer --reason Leaked", capsys)
    listed = await told(house, consumers, "list", capsys)
    assert re.search(r"newcomer\s+Newcomer\s+suspended\s+registered", listed)
    await told(house, consumers, "resume newcomer", capsys)
    assert '"state":"active"' in await told(house, consumers, "show newcomer --json", capsys)
    assert "calls" in await told(house, consumers, "usage --days 3", capsys)
