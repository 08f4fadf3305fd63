"""On one case nobody does both halves, whichever consumer he comes through and whatever he may hold."""

from typing import Any

from tests.access.conftest import Everybody
from tests.access.worlds import ACTIVATIONS, EXCEPTIONS, REQUESTS
from tests.support.deals import LARGE, Deal, new_deal
from tests.support.instances import CRM_INSTANCE
from tests.support.stack import Caller, until


async def test_who_wants_a_deal_does_not_decide_on_its_customer(everybody: Everybody) -> None:
    """Not who proposed the customer, nor who activated a deal that waits for it; anybody else may."""
    deployment = everybody.deployment
    deal = await new_deal(deployment.accounts.crm, credit_limit=LARGE)
    proposal = {"instance": CRM_INSTANCE, "account_id": deal.account_id, "selling_entity": "NB-UK"}
    async with (
        deployment.caller("ci", "petra") as petra,
        deployment.caller("ci", "sam") as sam,
        deployment.caller("finance-desk", "sam") as sam_of_finance,
        deployment.caller("finance-desk", "fiona") as fiona,
    ):
        proposed = await petra.post(
            REQUESTS, {**proposal, "currency": "GBP"}, key=f"propose-{deal.account_id}"
        )
        assert proposed.status_code == 202, proposed.text
        request = proposed.json()["id"]
        await settled(petra, f"{REQUESTS}/{request}", "waiting")
        # Only now: the notification of a won deal proposes its customer, too.
        await deal.close()
        await press(sam, deal)
        path = f"{ACTIVATIONS}/act_{CRM_INSTANCE}.{deal.opportunity_id}.r1"
        await until(f"{path} waits for {request}", lambda: told(sam, path, request))

        refused = [await decide(who, request, "approve") for who in (petra, sam, sam_of_finance)]
        assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [
            (403, "segregation_of_duties")
        ] * 3
        assert refused[0].json()["detail"].startswith("One person may not both propose a customer and decide")
        assert refused[1].json()["detail"].startswith("One person may not both activate a deal and decide")
        assert (await decide(fiona, request, "reject")).status_code == 200


async def test_whose_work_was_stopped_does_not_decide_how_it_goes_on(everybody: Everybody) -> None:
    """Carla began the worlds' deals: the parked one is somebody else's to decide, through any consumer."""
    deployment = everybody.deployment
    deal = await new_deal(deployment.accounts.crm, stage="won", credit_limit=LARGE)
    async with (
        deployment.caller("ci", "petra") as petra,
        deployment.caller("finance-desk", "petra") as as_finance,
    ):
        await press(petra, deal)
        request = f"creq_{CRM_INSTANCE}.{deal.account_id}.NB-UK"
        await settled(petra, f"{REQUESTS}/{request}", "waiting")
        async with deployment.caller("finance-desk", "fiona") as fiona:
            assert (await decide(fiona, request, "reject")).status_code == 200
        case = await until(f"the activation of {deal.name} is parked", lambda: parked(petra, deal))
        body = {"action": "skip", "reason": "seen by the test"}
        headers = {"If-Match": "*", "key": f"resolve-{deal.opportunity_id}"}
        for who in (petra, as_finance):
            answer = await who.post(f"{EXCEPTIONS}/{case}/resolution", body, **headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "segregation_of_duties")


async def press(who: Caller, deal: Deal) -> None:
    body = {"instance": CRM_INSTANCE, "opportunity_id": deal.opportunity_id}
    answer = await who.post(ACTIVATIONS, body, key=f"press-{deal.opportunity_id}")
    assert answer.status_code == 202, answer.text


async def decide(who: Caller, request: str, decision: str) -> Any:
    return await who.post(
        f"{REQUESTS}/{request}/decision",
        {"decision": decision},
        key=f"decide-{request[-30:]}".replace(".", "-"),
    )


async def told(who: Caller, path: str, request: str) -> bool:
    return (await who.get(path)).get("customer_request_id") == request


async def parked(who: Caller, deal: Deal) -> str:
    found = await who.get(f"{ACTIVATIONS}/act_{CRM_INSTANCE}.{deal.opportunity_id}.r1")
    return found.get("exception_id", "") if found["status"] == "parked" else ""


async def settled(who: Caller, path: str, status: str) -> None:
    async def look() -> bool:
        found = await who.find(path)
        return bool(found) and found["status"] == status

    await until(f"{path} is {status}", look)
