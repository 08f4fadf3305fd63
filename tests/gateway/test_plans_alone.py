"""tests/gateway: what a plan, a suspension and a duty promise holds whichever other policy is configured."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.duties import ConflictingDuties, Duties, Duty
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer
from gateway.plans.reading import parse
from gateway.policies.load_shedding import LoadSheddingSettings
from kit.settings import SettingsError
from tests.gateway.deployment import Deployment, problem

ORDERS = "/experience/shop/v1/orders/o-1"
WORK = "/process/works/v1/works/w-1"
SHOP = "experience/shop@1"
# Of the policies that may be absent none is configured, and rate_limit has no section either.
FILE = """\
[identity]
embedded_issuer = true

[plans.standard]
limits = [{ name = "burst", requests = 1000, seconds = 60 }]
monthly_quota = 50
concurrency = 5

[plans.commerce]
lane = "background"
limits = [{ name = "burst", requests = 1000, seconds = 60 }]
data_classes = ["public", "commercial", "financial"]

[plans.german]
limits = [{ name = "burst", requests = 1000, seconds = 60 }]
entities = ["DE01"]

[plans.proven]
limits = [{ name = "burst", requests = 1000, seconds = 60 }]
credentials = ["dpop"]
"""
ALL = ("*.*.*",)
CONSUMERS = {
    "ci": Consumer(title="On the usual plan", scopes=ALL, claims={"customer": "acme"}),
    "none": Consumer(title="Not subscribed", scopes=ALL, subscriptions={}),
    "shop": Consumer(title="No personal data", scopes=ALL, subscriptions={"*": "commerce"}),
    "german": Consumer(title="One entity", scopes=ALL, subscriptions={"*": "german"}),
    "bearer": Consumer(title="Proves nothing", scopes=ALL, subscriptions={"*": "proven"}),
}
DUTIES = Duties(
    {
        "ask": Duty("ask for work", operations=("process/works@1.decide",)),
        "seal": Duty("seal it", operations=("process/works@1.seal",)),
    },
    (ConflictingDuties(("ask", "seal"), "nobody seals what he asked for"),),
)
BARE = GatewaySettings()
"""No section at all: neither plans nor any policy that may be absent."""


def configured() -> GatewaySettings:
    return parse(FILE, GatewaySettings, "gateway.toml")


def known(deployment: Deployment, *, suspended: str = "", registered: Consumer | None = None) -> Deployment:
    """The deployment after its consumer directory has read this from the database."""
    directory = deployment.gateway.directory
    directory._suspended = {suspended: "a key leaked"} if suspended else {}
    if registered is not None:
        directory._consumers["newcomer"] = registered
    directory.generation += 1
    return deployment


@pytest.mark.parametrize("settings", [BARE, configured()], ids=["no plans", "plans alone"])
async def test_who_is_suspended_is_refused_without_a_rate_limit(keys_folder: Path, settings: GatewaySettings):
    """Also where nobody has a plan, and with a token that is known already."""
    deployment = Deployment(keys_folder, settings, {"ci": CONSUMERS["ci"]})
    assert (await deployment.call("GET", ORDERS)).status_code == 200
    known(deployment, suspended="ci")
    found = problem(await deployment.call("GET", ORDERS), 403, "consumer_suspended")
    assert "a key leaked" in found["detail"]
    assert (await deployment.gateway.runtime.explain("GET", ORDERS, "ci")).verdict == "consumer_suspended"


@pytest.mark.parametrize("settings", [BARE, configured()], ids=["no plans", "plans alone"])
async def test_a_registered_consumer_is_held_to_the_duties_without_a_rate_limit(
    keys_folder: Path, settings: GatewaySettings
):
    """One whom the duties keep apart is suspended by them, whatever is configured beside."""
    deployment = Deployment(keys_folder, settings, {"ci": Consumer("CI", ("gateway.*.*",))}, duties=DUTIES)
    both = Consumer("Both", ALL, roles=("finance",), subscriptions={"*": "standard"})
    known(deployment, registered=both)
    found = problem(await deployment.call("GET", ORDERS, "newcomer"), 403, "consumer_suspended")
    assert "nobody seals what he asked for" in found["detail"]


@pytest.mark.parametrize(
    ("consumer", "path", "code"),
    [
        ("none", ORDERS, "not_subscribed"),
        ("shop", WORK, "not_subscribed"),
        ("bearer", ORDERS, "not_subscribed"),
        ("german", "/system/vault-main/vault/v1/records/r", "not_subscribed"),
        ("shop", ORDERS, ""),
    ],
)
async def test_what_a_plan_bounds_holds_where_only_plans_are_configured(
    keys_folder: Path, consumer: str, path: str, code: str
):
    """Subscriptions, classes of data, kinds of credential and legal entities need no other section."""
    answer = await Deployment(keys_folder, configured(), CONSUMERS).call("GET", path, consumer)
    assert (answer.json().get("code", "") if answer.status_code != 200 else "") == code


async def test_the_limits_and_the_lane_of_a_plan_hold_where_only_plans_are_configured(keys_folder: Path):
    """Rates, calls at once and the month's quota are told, and the background stays batch work."""
    deployment = Deployment(keys_folder, configured(), CONSUMERS)
    told = (await deployment.call("GET", ORDERS)).headers["ratelimit-policy"]
    assert [part.strip().partition(";")[0] for part in told.split(",")] == [
        '"burst"',
        '"month"',
        '"concurrency"',
    ]
    assert (await deployment.call("GET", ORDERS, "shop")).json()["lane"] == "batch"
    assert (await deployment.call("GET", WORK, "german")).json()["entities"] == ["DE01"]


async def test_lanes_are_shed_by_the_plans_where_nothing_else_is_configured(keys_folder: Path):
    """Load shedding goes by the lane of the plan and asks for no rate limit."""
    shedding = LoadSheddingSettings(max_in_flight=1, background=0.1, standard=0.5, critical=1.0)
    settings = msgspec.structs.replace(configured(), load_shedding=shedding)
    deployment = Deployment(keys_folder, settings, CONSUMERS)
    load: Any = deployment.gateway.runtime.version.after.load_shedding  # pyright: ignore[reportPrivateUsage]
    load.load.in_flight = 0.3
    problem(await deployment.call("GET", ORDERS, "shop"), 503, "overloaded")
    assert (await deployment.call("GET", ORDERS, "ci")).status_code == 200


@pytest.mark.parametrize("settings", [BARE, configured()], ids=["no plans", "plans alone"])
async def test_calls_are_counted_without_a_rate_limit(keys_folder: Path, settings: GatewaySettings):
    """A version is not retired under a consumer because nobody limited its calls."""
    deployment = Deployment(keys_folder, settings, {"ci": CONSUMERS["ci"]})
    for _ in range(3):
        await deployment.call("GET", ORDERS)
    assert deployment.gateway.allowances.usage.tally("ci", SHOP).calls == 3


def test_a_plan_that_there_is_not_is_refused_also_where_there_are_none(keys_folder: Path):
    """Only the subscription that a consumer has by default names nothing then."""
    consumers = {"shop": CONSUMERS["shop"], "ci": CONSUMERS["ci"]}
    with pytest.raises(SettingsError) as caught:
        Deployment(keys_folder, BARE, consumers)
    assert caught.value.faults == [
        "consumers.shop.subscriptions.*: there is no plan 'commerce' in the gateway's settings"
    ]


async def test_an_approved_subscription_ends_with_its_plan(keys_folder: Path):
    """Where the plans were taken out, what somebody approved on one of them opens nothing without bounds."""
    deployment = Deployment(keys_folder, BARE, {"ci": CONSUMERS["ci"]})
    deployment.gateway.directory._subscribed = {("ci", SHOP): "trial"}  # pyright: ignore[reportPrivateUsage]
    found = problem(await deployment.call("GET", ORDERS), 403, "not_subscribed")
    assert "no longer offered" in found["detail"]
