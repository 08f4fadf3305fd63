"""tests/gateway: consumers and subscriptions over the admin APIs: asked for, approved, suspended."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from contracts.duties import ConflictingDuties, Duties, Duty
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, Limit, Plan
from gateway.policy_bundle import make_bundle
from gateway.tables import registered_consumers, subscriptions, suspensions
from kit import privacy
from kit.audit.tables import audit
from tests.gateway.deployment import Deployment, pointers, problem
from tests.support.databases import keyed

ORDERS = "/experience/shop/v1/orders/o-1"
SHOP = "experience/shop@1"
PLANS = {
    "standard": Plan(title="As usual", limits=(Limit("burst", 1000, 60),), concurrency=10),
    "open": Plan(limits=(Limit("burst", 5, 60),), data_classes=("public",)),
    "trial": Plan(limits=(Limit("burst", 5, 60),), lane="background", approval="automatic"),
}
CONSUMERS = {
    "platform": Consumer(title="The platform team", scopes=("gateway.*.*",)),
    "screen": Consumer(title="A screen", scopes=("experience.*.read",), subscriptions={}),
}
DUTIES = Duties(
    {
        "ask": Duty("ask for work", operations=("process/works@1.decide",)),
        "seal": Duty("seal it", operations=("process/works@1.seal",)),
    },
    (ConflictingDuties(("ask", "seal"), "nobody seals what he asked for"),),
)
WANTED = {"consumer": "screen", "api": SHOP, "plan": "standard", "reason": "The new order page"}


class Desk(Deployment):
    """The deployment, and persons who administer it."""

    async def by(self, person: str, method: str, path: str, body: Any = None) -> httpx.Response:
        token = self.issuer.mint("platform", subject=person)
        key = f"{person}-{method}-{len(self.asked):06}"
        self.asked.append(key)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return await self.internal.request(method, "/admin/v1" + path, headers=headers, json=body)

    asked: list[str]

    async def status(self, consumer: str) -> int:
        await self.gateway.directory.refresh()
        return (await self.call("GET", ORDERS, consumer)).status_code


@pytest.fixture
async def desk(keys_folder: Path, fresh_database_url: str) -> AsyncIterator[Desk]:
    database = keyed(fresh_database_url)
    found = Desk(keys_folder, GatewaySettings(plans=PLANS), CONSUMERS, database=database, duties=DUTIES)
    found.asked = []
    await found.gateway.start()
    yield found
    await found.gateway.close()
    await database.close()


async def test_a_manual_plan_needs_another_person(desk: Desk):
    """Who asks may not approve; another may, and only then the consumer may call."""
    asked = (await desk.by("anna", "POST", "/subscriptions/subscriptions", WANTED)).json()
    assert (asked["state"], asked["requested_by"]) == ("requested", "anna")
    assert await desk.status("screen") == 403
    decision = f"/subscriptions/subscriptions/{asked['id']}/decision"
    approve = {"outcome": "approved", "reason": "It is needed"}
    problem(await desk.by("anna", "POST", decision, approve), 403, "segregation_of_duties")
    assert await desk.status("screen") == 403
    approved = (await desk.by("bert", "POST", decision, approve)).json()
    assert (approved["state"], approved["decided_by"]) == ("active", "bert")
    assert await desk.status("screen") == 200
    problem(await desk.by("carl", "POST", decision, approve), 409, "already_decided")


async def test_an_automatic_plan_begins_at_once_and_ends_when_cancelled(desk: Desk):
    """Nobody decides; the plan's limits hold; after the end the API is closed again."""
    asked = (
        await desk.by("anna", "POST", "/subscriptions/subscriptions", {**WANTED, "plan": "trial"})
    ).json()
    assert (asked["state"], asked["decided_by"]) == ("active", "the plan")
    assert await desk.status("screen") == 200
    path = f"/subscriptions/subscriptions/{asked['id']}/cancellation"
    assert (await desk.by("anna", "POST", path, {"reason": "No more"})).json()["state"] == "cancelled"
    assert await desk.status("screen") == 403


async def test_a_rejected_request_opens_nothing_and_a_new_one_can_be_made(desk: Desk):
    """One request waits at a time; what was decided is kept with its reason."""
    asked = (await desk.by("anna", "POST", "/subscriptions/subscriptions", WANTED)).json()
    problem(await desk.by("anna", "POST", "/subscriptions/subscriptions", WANTED), 409, "conflict")
    decision = f"/subscriptions/subscriptions/{asked['id']}/decision"
    body = {"outcome": "rejected", "reason": "Use the trial"}
    assert (await desk.by("bert", "POST", decision, body)).json()["state"] == "rejected"
    assert await desk.status("screen") == 403
    assert (await desk.by("anna", "POST", "/subscriptions/subscriptions", WANTED)).status_code == 201
    listed = (await desk.by("anna", "GET", f"/subscriptions/subscriptions?consumer=screen&api={SHOP}")).json()
    assert [each["state"] for each in listed["items"]] == ["requested", "rejected"]
    assert listed["items"][1]["reason"] == "Use the trial"


async def test_an_approved_change_of_plan_replaces_the_one_before(desk: Desk):
    """The old plan holds until the new one is approved, and never both."""
    trial = {**WANTED, "plan": "trial"}
    old = (await desk.by("anna", "POST", "/subscriptions/subscriptions", trial)).json()
    new = (await desk.by("anna", "POST", "/subscriptions/subscriptions", WANTED)).json()
    assert await desk.status("screen") == 200
    approve = {"outcome": "approved", "reason": "It grew"}
    await desk.by("bert", "POST", f"/subscriptions/subscriptions/{new['id']}/decision", approve)
    listed = (await desk.by("anna", "GET", "/subscriptions/subscriptions")).json()["items"]
    assert {each["id"]: each["state"] for each in listed} == {new["id"]: "active", old["id"]: "cancelled"}
    await desk.gateway.directory.refresh()
    assert "q=1000;" in (await desk.call("GET", ORDERS, "screen")).headers["ratelimit-policy"]


async def test_a_request_for_what_there_is_not_names_every_fault(desk: Desk):
    """Consumer, API and plan are looked up together; a plan that does not cover the API is refused, too."""
    body = {"consumer": "nobody", "api": "process/none@1", "plan": "none", "reason": "Why not"}
    found = problem(await desk.by("anna", "POST", "/subscriptions/subscriptions", body), 422, "invalid")
    assert pointers(found) == {"/consumer", "/api", "/plan"}
    unsuited = {**WANTED, "plan": "open"}
    found = problem(await desk.by("anna", "POST", "/subscriptions/subscriptions", unsuited), 422, "invalid")
    assert pointers(found) == {"/plan"}
    detail = found["errors"][0]["detail"]
    assert "commercial and financial" in detail
    assert WANTED["plan"] in detail.partition("plans that do: ")[2].split(", ")
    cancel = "/subscriptions/subscriptions/sub_none/cancellation"
    problem(await desk.by("anna", "POST", cancel, {"reason": "None"}), 404, "not_found")


async def test_a_consumer_is_registered_suspended_and_resumed(desk: Desk):
    """It is known after the answer, refused while suspended, and every step is in the audit trail."""
    body = {"name": "newcomer", "title": "A new screen", "scopes": ["experience.shop.read"]}
    made = await desk.by("anna", "POST", "/consumers/consumers", body)
    assert made.status_code == 201, made.text
    assert (made.json()["origin"], made.json()["subscriptions"]) == ("registered", {})
    problem(await desk.by("anna", "POST", "/consumers/consumers", body), 409, "conflict")
    problem(
        await desk.by("anna", "POST", "/consumers/consumers", {**body, "name": "screen"}), 409, "conflict"
    )
    wanted = {**WANTED, "consumer": "newcomer", "plan": "trial"}
    await desk.by("anna", "POST", "/subscriptions/subscriptions", wanted)
    assert await desk.status("newcomer") == 200
    suspension = {"reason": "Its key leaked"}
    told = await desk.by("anna", "POST", "/consumers/consumers/newcomer/suspension", suspension)
    assert (told.json()["state"], told.json()["suspended_because"]) == ("suspended", "Its key leaked")
    assert told.json()["subscriptions"] == {SHOP: "trial"}
    assert await desk.status("newcomer") == 403
    told = await desk.by("anna", "POST", "/consumers/consumers/newcomer/resumption")
    assert told.json()["state"] == "active"
    assert await desk.status("newcomer") == 200
    async with desk.gateway.directory._database.connect() as connection:
        asked = select(audit.c.action).where(audit.c.outcome == "done", audit.c.consumer == "platform")
        actions = set((await connection.scalars(asked)).all())
    assert actions >= {
        "consumer.register",
        "consumer.suspend",
        "consumer.resume",
        "subscription.request",
    }


async def test_a_consumer_that_would_hold_what_is_kept_apart_is_not_registered(desk: Desk):
    """As one that is declared is not let in; with one of the two duties it is registered."""
    body = {"name": "newcomer", "title": "A new desk", "scopes": ["process.works.approve"]}
    both = {**body, "roles": ["works"]}
    found = problem(await desk.by("anna", "POST", "/consumers/consumers", both), 422, "invalid")
    assert "nobody seals what he asked for" in found["errors"][0]["detail"]
    problem(await desk.by("anna", "GET", "/consumers/consumers/newcomer"), 404, "not_found")
    assert (await desk.by("anna", "POST", "/consumers/consumers", body)).status_code == 201


async def test_a_consumer_is_not_registered_with_grants_that_mean_nothing(desk: Desk):
    """Scopes, roles and instances that there are not are refused together, each with its place."""
    body = {
        "name": "newcomer",
        "title": "A new desk",
        "scopes": ["experience.shop.read", "process.no-such.read"],
        "roles": ["finance", "finanse"],
        "claims": {"instance": "vault-mian", "customer": "acme"},
    }
    found = problem(await desk.by("anna", "POST", "/consumers/consumers", body), 422, "invalid")
    assert pointers(found) == {"/scopes/1", "/roles/1", "/claims/instance"}


async def test_a_registered_consumer_that_new_duties_keep_apart_is_let_in_no_more(desk: Desk):
    """From the change on it is suspended, with the reason; without that duty it may call again."""
    body = {
        "name": "newcomer",
        "title": "A desk",
        "scopes": ["process.works.approve", "experience.shop.read"],
    }
    await desk.by("anna", "POST", "/consumers/consumers", body)
    wanted = {**WANTED, "consumer": "newcomer", "plan": "trial"}
    await desk.by("anna", "POST", "/subscriptions/subscriptions", wanted)
    assert await desk.status("newcomer") == 200
    stricter = Duties(
        {**DUTIES.duties, "look": Duty("look at orders", scopes=("experience.shop.read",))},
        (*DUTIES.conflicts, ConflictingDuties(("ask", "look"), "who asks sees no orders")),
    )
    policy, settings = desk.gateway.runtime.reloader, desk.gateway.runtime.settings
    await policy.adopt(make_bundle(settings, CONSUMERS, stricter))
    problem(await desk.call("GET", ORDERS, "newcomer"), 403, "consumer_suspended")
    told = (await desk.by("anna", "GET", "/consumers/consumers/newcomer")).json()
    assert told["state"] == "suspended"
    assert "who asks sees no orders" in told["suspended_because"]
    await policy.adopt(make_bundle(settings, CONSUMERS, DUTIES))
    assert await desk.status("newcomer") == 200


async def test_who_administers_is_kept_under_a_pseudonym(desk: Desk):
    """Shown by name to who may ask, exported on demand, and told no more once erased."""
    await desk.by("anna", "POST", "/consumers/consumers", {"name": "newcomer", "title": "A new screen"})
    await desk.by("anna", "POST", "/consumers/consumers/newcomer/suspension", {"reason": "Its key leaked"})
    asked = (await desk.by("anna", "POST", "/subscriptions/subscriptions", WANTED)).json()
    rejected = {"outcome": "rejected", "reason": "Not now"}
    path = f"/subscriptions/subscriptions/{asked['id']}"
    await desk.by("bert", "POST", f"{path}/decision", rejected)
    async with desk.gateway.directory._database.connect() as connection:
        kept = [
            (await connection.scalars(select(column))).one()
            for column in (
                registered_consumers.c.registered_by,
                suspensions.c.suspended_by,
                subscriptions.c.requested_by,
                subscriptions.c.decided_by,
            )
        ]
    anna, bert = kept[0], kept[3]
    assert kept == [anna, anna, anna, bert]
    assert privacy.is_pseudonym(anna)
    assert privacy.is_pseudonym(bert)
    held = (await desk.by("carl", "POST", "/privacy/exports", {"person": "anna"})).json()["held"]
    assert {name for name in ("registered_consumers", "suspensions", "subscriptions") if held[name]} == {
        "registered_consumers",
        "suspensions",
        "subscriptions",
    }
    await desk.by("carl", "POST", "/privacy/erasures", {"person": "anna", "reason": "She asked for it"})
    told = (await desk.by("carl", "GET", "/subscriptions/subscriptions")).json()["items"][0]
    assert (told["requested_by"], told["decided_by"]) == (anna, "bert")


async def test_consumers_plans_and_usage_are_told(desk: Desk):
    """Who there is, on which terms, and who called what."""
    listed = (await desk.by("anna", "GET", "/consumers/consumers")).json()["items"]
    assert [(each["name"], each["origin"]) for each in listed] == [
        ("platform", "declared"),
        ("screen", "declared"),
    ]
    plans = (await desk.by("anna", "GET", "/plans/plans")).json()["items"]
    assert [(plan["name"], plan["approval"], plan["lane"]) for plan in plans] == [
        ("open", "manual", "standard"),
        ("standard", "manual", "standard"),
        ("trial", "automatic", "background"),
    ]
    await desk.by("anna", "POST", "/subscriptions/subscriptions", {**WANTED, "plan": "trial"})
    for _ in range(3):
        assert await desk.status("screen") == 200
    told = (await desk.by("anna", "GET", f"/consumers/usage?days=1&api={SHOP}")).json()["items"]
    assert [(use["consumer"], use["calls"]) for use in told] == [("screen", 3)]
    problem(await desk.by("anna", "GET", "/consumers/consumers/nobody"), 404, "not_found")


async def test_without_a_database_the_roster_is_told_and_not_changed(keys_folder: Path):
    """Declared consumers are listed; a change is 503."""
    deployment = Deployment(keys_folder, GatewaySettings(plans=PLANS), CONSUMERS)
    assert (await deployment.administer("GET", "/consumers/consumers")).status_code == 200
    asked = await deployment.administer(
        "POST", "/consumers/consumers/screen/suspension", json={"reason": "A leak"}
    )
    problem(asked, 503, "unavailable")
