"""tests/gateway: on which plan a consumer calls an API, and whether at all."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.values import Id
from contracts.operation import DataClass, RowRule, api, operation
from gateway.exchange import Exchange, Reply, json_reply
from gateway.inventory import Mounted
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, Limit, Plan, SheddingLane, consumer_directory
from gateway.plans.consumer_directory import ConsumerDirectory, note_change
from gateway.tables import registered_consumers, subscriptions, suspensions
from kit.database import Database
from kit.operations import document
from tests.gateway.deployment import Deployment, problem
from tests.support.databases import keyed
from tests.support.stack import until

ORDERS = "/experience/shop/v1/orders/o-1"
WORK = "/process/works/v1/works/w-1"
SHOP = "experience/shop@1"
PATIENCE_SECONDS = 10
PLANS = {
    "standard": Plan(limits=(Limit("burst", 1000, 60),)),
    "narrow": Plan(limits=(Limit("burst", 10, 60),)),
}
CONSUMERS = {
    "some": Consumer(title="Some", scopes=("*.*.*",), subscriptions={SHOP: "narrow", "system/*": "standard"}),
    "all": Consumer(title="All", scopes=("*.*.*",), subscriptions={"*": "standard", SHOP: "narrow"}),
    "none": Consumer(title="None", scopes=("*.*.*",), subscriptions={}),
}


@pytest.fixture
async def own(fresh_database_url: str) -> AsyncIterator[Database]:
    found = keyed(fresh_database_url)
    yield found
    await found.close()


@pytest.fixture
async def replicas(keys_folder: Path, own: Database) -> AsyncIterator[list[Deployment]]:
    """Two gateways on one database, both keeping up with it."""
    deployments = [
        Deployment(keys_folder, GatewaySettings(plans=PLANS), CONSUMERS, database=own) for _ in range(2)
    ]
    for deployment in deployments:
        await deployment.gateway.start()
    yield deployments
    for deployment in deployments:
        await deployment.gateway.close()


async def refreshed(deployments: list[Deployment]) -> None:
    """Wait until every gateway has read the latest change."""
    before = [deployment.gateway.directory.generation for deployment in deployments]

    async def look() -> bool:
        return all(
            deployment.gateway.directory.generation > at
            for deployment, at in zip(deployments, before, strict=True)
        )

    await until("every gateway has read the change", look, PATIENCE_SECONDS)


async def subscribe(database: Database, consumer: str, api: str, plan: str) -> None:
    row = {"id": f"sub-{consumer}", "consumer": consumer, "api": api, "plan": plan, "state": "active"}
    async with database.begin() as connection:
        await connection.execute(insert(subscriptions).values(**row, requested_by="anna"))
        await note_change(connection)


async def test_an_older_refresh_puts_back_nothing(own: Database, monkeypatch: pytest.MonkeyPatch):
    """One that has read before a registration, and ends after the refresh that saw it, does not undo it."""
    directory, read_registered = ConsumerDirectory(own), consumer_directory._registered
    has_read, may_end = asyncio.Event(), asyncio.Event()

    async def read_slowly(connection: AsyncConnection) -> dict[str, Consumer]:
        rows = await read_registered(connection)
        if not has_read.is_set():
            has_read.set()
            await may_end.wait()
        return rows

    monkeypatch.setattr(consumer_directory, "_registered", read_slowly)
    older = asyncio.create_task(directory.refresh())
    await has_read.wait()
    async with own.begin() as connection:
        row = {"name": "late", "grants": {"title": "Late", "scopes": []}, "registered_by": "anna"}
        await connection.execute(insert(registered_consumers).values(row))
        await note_change(connection)
    newer = asyncio.create_task(directory.refresh())
    await asyncio.wait({newer}, timeout=0.5)
    may_end.set()
    await asyncio.gather(older, newer)
    assert "late" in directory.consumers({})


@pytest.mark.parametrize(
    ("consumer", "path", "quota"),
    [
        ("some", ORDERS, 10),
        ("some", "/system/vault-main/vault/v1/records/r", 1000),
        ("all", ORDERS, 10),
        ("all", WORK, 1000),
    ],
)
async def test_the_most_exact_subscription_of_the_file_holds(
    keys_folder: Path, consumer: str, path: str, quota: int
):
    """An API by its name, else its tier, else all."""
    deployment = Deployment(keys_folder, GatewaySettings(plans=PLANS), CONSUMERS)
    answer = await deployment.call("GET", path, consumer)
    assert answer.headers["ratelimit-policy"] == f'"burst";q={quota};w=60'


async def test_without_a_subscription_a_call_is_403_and_told_how_to_get_one(keys_folder: Path):
    """The problem names the API, the plans, and the command."""
    deployment = Deployment(keys_folder, GatewaySettings(plans=PLANS), CONSUMERS)
    found = problem(await deployment.call("GET", WORK, "some"), 403, "not_subscribed")
    assert found["api"] == "process/works@1"
    assert found["plans"] == ["narrow", "standard"]
    assert "enfilade subscriptions request --consumer some --api process/works@1" in found["detail"]
    assert (await deployment.call("GET", ORDERS, "some")).status_code == 200


@pytest.mark.parametrize(
    ("granted", "status"),
    [
        ({}, 403),
        ({"credentials": ("bearer", "dpop")}, 403),
        ({"credentials": ("bearer",)}, 200),
    ],
)
async def test_a_plan_bounds_the_credentials_of_its_subscribers(
    keys_folder: Path, granted: dict[str, tuple[str, ...]], status: int
):
    """Who may come with another kind of credential is not on the plan."""
    plan = Plan(limits=(Limit("burst", 10, 60),), credentials=("bearer",))
    settings = GatewaySettings(plans={"standard": plan})
    consumers = {"ci": Consumer(title="CI", scopes=("*.*.*",), **granted)}
    answer = await Deployment(keys_folder, settings, consumers).call("GET", ORDERS)
    assert answer.status_code == status


async def test_limits_hold_for_each_consumer_and_api_apart(keys_folder: Path):
    """Calls of one API use up nothing of another's limits, nor of another consumer's."""
    plans = {"standard": Plan(limits=(Limit("burst", 1, 60),))}
    consumers = {name: Consumer(title=name, scopes=("*.*.*",)) for name in ("ci", "other")}
    deployment = Deployment(keys_folder, GatewaySettings(plans=plans), consumers)
    asked = [("ci", ORDERS), ("ci", WORK), ("other", ORDERS), ("ci", ORDERS), ("ci", WORK)]
    statuses = [(await deployment.call("GET", path, consumer)).status_code for consumer, path in asked]
    assert statuses == [200, 200, 200, 429, 429]


async def test_an_approved_subscription_holds_at_every_door_within_seconds(
    replicas: list[Deployment], own: Database
):
    """What the database says is in force at all replicas, and no call asks for it."""
    for deployment in replicas:
        problem(await deployment.call("GET", ORDERS, "none"), 403, "not_subscribed")
    await asyncio.gather(refreshed(replicas), subscribe(own, "none", SHOP, "standard"))
    for deployment in replicas:
        assert (await deployment.call("GET", ORDERS, "none")).status_code == 200
        problem(await deployment.call("GET", WORK, "none"), 403, "not_subscribed")


async def test_a_suspended_consumer_is_refused_at_every_door_until_it_is_resumed(
    replicas: list[Deployment], own: Database
):
    """Also with a token that is known already; the reason is told."""
    assert (await replicas[0].call("GET", ORDERS, "some")).status_code == 200

    async def change(statement) -> None:
        async with own.begin() as connection:
            await connection.execute(statement)
            await note_change(connection)

    suspension = insert(suspensions).values(consumer="some", reason="a key leaked", suspended_by="olga")
    await asyncio.gather(refreshed(replicas), change(suspension))
    for deployment in replicas:
        found = problem(await deployment.call("GET", ORDERS, "some"), 403, "consumer_suspended")
        assert "a key leaked" in found["detail"]
    await asyncio.gather(refreshed(replicas), change(delete(suspensions)))
    for deployment in replicas:
        assert (await deployment.call("GET", ORDERS, "some")).status_code == 200


async def test_a_registered_consumer_is_known_at_every_door(replicas: list[Deployment], own: Database):
    """It gets a token and calls what it subscribed to; before, nobody knew it."""
    assert "newcomer" not in replicas[0].gateway.runtime.bundle.consumers
    grants = {"title": "New", "scopes": ["experience.*.read"], "subscriptions": {}}

    async def register() -> None:
        async with own.begin() as connection:
            row = {"name": "newcomer", "grants": grants, "registered_by": "olga"}
            await connection.execute(insert(registered_consumers).values(**row))
            await note_change(connection)

    await asyncio.gather(refreshed(replicas), register())
    for deployment in replicas:
        problem(await deployment.call("GET", ORDERS, "newcomer"), 403, "not_subscribed")
    await asyncio.gather(refreshed(replicas), subscribe(own, "newcomer", SHOP, "narrow"))
    answer = await replicas[1].call("GET", ORDERS, "newcomer")
    assert answer.headers["ratelimit-policy"] == '"burst";q=10;w=60'
    problem(await replicas[1].place(consumer="newcomer"), 403, "insufficient_scope")


async def test_with_the_database_away_what_is_known_goes_on_to_hold(keys_folder: Path, tmp_path: Path):
    """Declared consumers need no database, at the start neither."""
    nowhere = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    deployment = Deployment(keys_folder, GatewaySettings(plans=PLANS), CONSUMERS, database=nowhere)
    await deployment.gateway.start()
    assert (await deployment.call("GET", ORDERS, "some")).status_code == 200
    await deployment.gateway.close()
    await nowhere.close()


async def test_the_explanation_tells_the_subscription_and_its_limits(keys_folder: Path):
    """By which plan a request would be met, and where there is none that it is refused for that."""
    deployment = Deployment(keys_folder, GatewaySettings(plans=PLANS), CONSUMERS)
    told = await deployment.gateway.runtime.explain("GET", ORDERS, "some")
    says = {rule.policy: rule.says for rule in told.rules}
    assert says["subscription"] == f"subscribed to {SHOP} on the plan narrow"
    assert says["rate_limit"] == "10 requests per 60 s"
    refused = await deployment.gateway.runtime.explain("GET", WORK, "some")
    assert (refused.verdict, refused.rules[-1].policy) == ("not_subscribed", "subscription")


def on_plan(keys_folder: Path, granted: tuple[str, ...] | None = None, **bounds: Any) -> Deployment:
    """A deployment where `ci` is on a plan with these bounds, beside one without any."""
    burst = (Limit("burst", 100, 60),)
    plans = {"standard": Plan(limits=burst, **bounds), "free": Plan(limits=burst)}
    consumers = {"ci": Consumer(title="CI", scopes=("*.*.*",), entities=granted)}
    answer = Mounted(Ledgers, document(Ledgers), lambda _: read_ledger)
    return Deployment(keys_folder, GatewaySettings(plans=plans), consumers, apis=(answer,))


@api("process", "ledgers", version=1, summary="A ledger of each legal entity", data_classes=("financial",))
class Ledgers(Protocol):
    """One ledger each."""

    @operation("GET", "/ledgers/{entity}", summary="Read", rows=(RowRule("path", "entity", "entities"),))
    async def get_ledger(self, entity: Id) -> dict[str, str]:
        """The ledger."""
        ...


async def read_ledger(_: Exchange) -> Reply:
    return json_reply(200, {})


async def agreed(deployment: Deployment, path: str) -> httpx.Response:
    """The answer, which the explanation foretold."""
    told, answer = (
        await deployment.gateway.runtime.explain("GET", path, "ci"),
        await deployment.call("GET", path),
    )
    code = answer.json()["code"] if answer.status_code == 403 else "allowed"
    assert told.verdict == code
    return answer


@pytest.mark.parametrize(
    ("allowed", "path", "status"),
    [
        (("commercial", "financial"), ORDERS, 200),
        (("public", "commercial", "financial", "personal"), WORK, 200),
        (None, WORK, 200),
        (("public", "commercial"), ORDERS, 403),
        (("commercial", "financial"), WORK, 403),
    ],
)
async def test_a_plan_is_for_apis_that_hold_no_more_than_its_classes_of_data(
    keys_folder: Path, allowed: tuple[DataClass, ...] | None, path: str, status: int
):
    """Else 403 with the plans that do; an API that does not say what it holds may hold anything."""
    answer = await agreed(on_plan(keys_folder, data_classes=allowed), path)
    assert answer.status_code == status
    if status == 403:
        assert problem(answer, 403, "not_subscribed")["plans"] == ["free"]


@pytest.mark.parametrize(
    ("granted", "seen"), [(None, ["DE01", "FR01"]), (("FR01", "US01"), ["FR01"]), (("US01",), [])]
)
async def test_a_plan_narrows_the_legal_entities_and_never_widens_them(
    keys_folder: Path, granted: tuple[str, ...] | None, seen: list[str]
):
    """The tier and the row rules are told of those that both the plan and the consumer have."""
    deployment = on_plan(keys_folder, granted, entities=("DE01", "FR01"))
    assert (await agreed(deployment, WORK)).json().get("entities", []) == seen
    for entity in ("DE01", "FR01", "US01"):
        answer = await agreed(deployment, f"/process/ledgers/v1/ledgers/{entity}")
        assert answer.status_code == (200 if entity in seen else 403)


async def test_who_is_narrowed_by_a_plan_does_not_reach_vendors_records(keys_folder: Path):
    """As who is bound to legal entities otherwise."""
    deployment = on_plan(keys_folder, entities=("DE01",))
    found = problem(await agreed(deployment, "/system/vault-main/vault/v1/records/r"), 403, "not_subscribed")
    assert found["plans"] == ["free"]


async def test_the_bounds_of_a_plan_are_explained(keys_folder: Path):
    """Classes of data and legal entities, each with the place where it is written."""
    deployment = on_plan(keys_folder, data_classes=("financial", "commercial"), entities=("DE01",))
    told = await deployment.gateway.runtime.explain("GET", ORDERS, "ci")
    says = [rule.says for rule in told.rules if rule.policy == "subscription"]
    assert says[1:] == [
        "for data of the classes financial, commercial only",
        "rows of the legal entities DE01 only",
    ]


@pytest.mark.parametrize(
    ("lane", "told"), [("critical", "interactive"), ("standard", "interactive"), ("background", "batch")]
)
async def test_the_lane_of_a_plan_travels_to_the_floor(keys_folder: Path, lane: SheddingLane, told: str):
    """What is in the background here is batch work wherever it goes."""
    assert (await on_plan(keys_folder, lane=lane).call("GET", ORDERS)).json()["lane"] == told
