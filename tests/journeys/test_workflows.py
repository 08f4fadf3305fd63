"""One API over the runs of all flows: found by what is known of them, read, replayed by another person."""

from sqlalchemy import text

from tests.support.deals import LARGE, asked, new_deal, resolve
from tests.support.instances import CRM_INSTANCE
from tests.support.stack import Stack

WORKFLOWS = "/process/workflows/v1/workflows"


async def test_runs_of_all_flows_are_listed_read_and_replayed(deployment: Stack) -> None:
    """A parked activation is found by its team and replayed; a request of finance is found by its entity."""
    crm = deployment.accounts.crm
    stopped = await new_deal(crm, rate_card=None)
    waiting = await new_deal(crm, credit_limit=LARGE, stage="won")
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await stopped.close()
        await screen.activate(waiting.opportunity_id)
        parked = await screen.activation(stopped.opportunity_id, "parked")
        request = await asked(finance, waiting)
        wanted = {"status": "parked", "owner": "sales", "instance": CRM_INSTANCE}
        found = await finance.get(WORKFLOWS, **wanted, limit=200)
        (mine,) = [one for one in found["items"] if one["subject"] == stopped.opportunity_id]
        others = await finance.get(WORKFLOWS, entity="NB-UK", mode="live", status="waiting", limit=200)
        older = await finance.get(WORKFLOWS, started_before=mine["started_at"], limit=200)
        whole = await finance.get(f"{WORKFLOWS}/{request['id']}")
        path = f"{WORKFLOWS}/{mine['id']}/replay"
        body = {"reason": "The rate card is known", "corrections": {"rate_card": "RC-UK-2026"}}
        replayed = await finance.post(path, body, key=f"replay-{mine['id']}".replace(".", "-"))
        await screen.activation(stopped.opportunity_id, "done")
        again = await finance.post(path, body, key=f"again-{mine['id']}".replace(".", "-"))
    assert (mine["exception_id"], mine["flow"]) == (parked["exception_id"], "opportunity-to-project")
    assert {"customer-master", "opportunity-to-project"} <= {one["flow"] for one in others["items"]}
    assert mine["id"] not in {one["id"] for one in older["items"]}
    assert [step["name"] for step in whole["timeline"]] == ["look", "decision"]
    assert replayed.status_code == 200, replayed.text
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_a_run_that_ended_is_replayed_by_another_than_began_it(deployment: Stack) -> None:
    """Undone by a person, it has no exception any more: the same rule holds, and it begins anew."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    psa = deployment.accounts.psa
    await psa.add_fault(psa.stand.refuses, **psa.creates("project"), body=deal.name, times=1)
    body = {"reason": "The vendor takes it by now"}
    async with (
        deployment.caller("ci", "olga", instance=CRM_INSTANCE) as olga,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await olga.activate(deal.opportunity_id)
        parked = await olga.activation(deal.opportunity_id, "parked")
        await resolve(finance, parked["exception_id"], "undo")
        undone = await olga.activation(deal.opportunity_id, "undone")
        path = f"{WORKFLOWS}/{undone['id']}/replay"
        own = await olga.post(path, body, key=f"own-{undone['id']}".replace(".", "-"))
        other = await finance.post(path, body, key=f"other-{undone['id']}".replace(".", "-"))
        await olga.activation(deal.opportunity_id, "done")
    assert (own.status_code, own.json()["code"]) == (403, "segregation_of_duties")
    assert other.status_code == 200, other.text


async def test_schedules_are_listed(deployment: Stack) -> None:
    """What the engine fires for the flows, with its last and its next tick."""
    row = (
        "INSERT INTO dbos.workflow_schedules (schedule_id, schedule_name, workflow_name, schedule, context,"
        " cron_timezone, last_fired_at, application_name) VALUES (:name, :name, 'schedule-tick',"
        " '0 3 * * 1-5', '\"nightly\"', 'Europe/Berlin', '2026-11-30T02:00:00+00:00', 'enfilade')"
    )
    gone = "DELETE FROM dbos.workflow_schedules WHERE schedule_name = :name"
    async with deployment.database() as database:
        async with database.begin() as connection:
            await connection.execute(text(row), {"name": "nightly"})
        try:
            async with deployment.caller("finance-desk", "fiona") as finance:
                (found,) = (await finance.get("/process/workflows/v1/schedules"))["items"]
        finally:
            async with database.begin() as connection:
                await connection.execute(text(gone), {"name": "nightly"})
    assert (found["cron"], found["zone"]) == ("0 3 * * 1-5", "Europe/Berlin")
    assert found["last_due"] == "2026-11-30T02:00:00Z"
    assert found["next_due"] > found["last_due"]
