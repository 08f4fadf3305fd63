"""The same journey in every shape of the deployment: split tiers, two orgs, observe mode, own fields."""

import secrets

import msgspec
import pytest

from bench.ports import free_port
from contracts.canonical.customer import CustomerDraft
from contracts.canonical.project import ProjectDraft
from tests.support.deals import EXCEPTIONS, LARGE, REQUESTS, new_deal, truth
from tests.support.instances import CRM_INSTANCE, ERP_INSTANCE, PSA_INSTANCE
from tests.support.sandboxes import SandboxOf
from tests.support.stack import Stack, until


async def test_split_into_four_processes_the_journey_is_the_same(new_deployment: Stack) -> None:
    """Each floor its own process, remote hops between them: the same answers, the same vendor state."""
    ports = {floor: free_port() for floor in ("system", "process", "experience")}
    new_deployment.settings |= {
        "ENFILADE_INTERNAL_KEY": "env:HOUSE_KEY",
        "HOUSE_KEY": secrets.token_hex(32),
        **{f"ENFILADE_{floor.upper()}_URL": f"http://127.0.0.1:{port}" for floor, port in ports.items()},
    }
    members = [
        new_deployment.launch("gateway", port=new_deployment.port, tiers="gateway"),
        *(new_deployment.launch(floor, port=port, tiers=floor) for floor, port in ports.items()),
    ]
    for member in members:
        await new_deployment.ready(member)
    deal = await new_deal(new_deployment.accounts.crm, stage="won")
    broken = await new_deal(new_deployment.accounts.crm, rate_card=None)
    async with new_deployment.caller("crm-screen") as screen, new_deployment.caller("ci") as ci:
        accepted = await screen.activate(deal.opportunity_id)
        blocked = await screen.activate(broken.opportunity_id)
        done = await screen.activation(deal.opportunity_id, "done")
        path = f"/process/customers/v1/customers/{done['customer']['id']}"
        customer = await until("the view has the customer", lambda: ci.find(path))
        order_id = next(ref["id"] for ref in customer["refs"] if ref["instance"] == ERP_INSTANCE)
        direct = await ci.get(f"/system/{ERP_INSTANCE}/erp/v1/customers/{order_id}")
    assert accepted.status_code == 202
    assert (blocked.status_code, blocked.json()["code"]) == (409, "activation_blocked")
    assert {fault["pointer"] for fault in blocked.json()["errors"]} == {"/stage", "/rate_card"}
    assert direct["legal_name"] == customer["legal_name"]
    assert (await truth(new_deployment.accounts, deal)).counts() == (1, 1, 1)


async def test_observe_mode_works_out_everything_and_sends_nothing(
    new_deployment: Stack, sandbox_of: SandboxOf
) -> None:
    """Of either flow, what live mode would send is stored, body and all; no vendor is asked for a write.

    A deal of an instance for which only customer master observes stops as a case that says so.
    """
    second = await (await sandbox_of(new_deployment.accounts.crm.vendor)).create_account()
    new_deployment.add_instance(CRM_INSTANCE, "crm-two", second)
    new_deployment.edit(
        "flows.toml",
        (f'{CRM_INSTANCE} = "live"', f'{CRM_INSTANCE} = "observe"'),
        ('[customer_master]\ndefault_mode = "live"', '[customer_master]\ndefault_mode = "observe"'),
    )
    await new_deployment.start()
    deal = await new_deal(new_deployment.accounts.crm, stage="won")
    live = await new_deal(second, credit_limit=LARGE, stage="won")
    async with (
        new_deployment.caller("crm-screen") as screen,
        new_deployment.caller("ci", instance="crm-two") as other_screen,
        new_deployment.caller("operations") as operations,
        new_deployment.caller("finance-desk", "fiona") as finance,
    ):
        answer = await screen.activate(deal.opportunity_id)
        await other_screen.activate(live.opportunity_id)
        await screen.activation(deal.opportunity_id, "observed")
        seen = await operations.get(f"/process/opportunity-to-project/v1/activations/{answer.json()['id']}")
        parked = await other_screen.activation(live.opportunity_id, "parked")
        case = await finance.get(f"{EXCEPTIONS}/{parked['exception_id']}")
        request = await finance.get(f"{REQUESTS}/creq_crm-two.{live.account_id}.NB-UK")
    assert [one["operation"] for one in seen["would_send"]] == [
        "customer_master.propose_customer",
        "erp.put_contract",
        "psa.put_project",
        "crm.put_project_link",
    ]
    project = msgspec.json.decode(seen["would_send"][2]["body"], type=ProjectDraft)
    assert project.name == deal.name
    assert request["status"] == "observed"
    assert "Finance would be asked first: The credit limit of" in request["status_text"]
    key = f"enf-cus-crm-two-{live.account_id}-NB-UK"
    assert [(one["instance"], one["operation"], one["key"]) for one in request["would_send"]] == [
        (ERP_INSTANCE, "erp.put_customer", key),
        (PSA_INSTANCE, "psa.put_client", key),
    ]
    customer = msgspec.json.decode(request["would_send"][0]["body"], type=CustomerDraft)
    assert (customer.legal_name, customer.currency) == (f"{live.name} Ltd", "GBP")
    assert (case["owner"], "customer master only observes" in case["why"]) == ("operations", True)
    assert "flows.toml" in case["what_next"]
    assert [
        call for account in (*new_deployment.accounts.all, second) for call in await account.changing_calls()
    ] == []
    await second.remove()


async def test_a_flow_that_is_switched_off_starts_nothing(new_deployment: Stack) -> None:
    """The button is refused with a sentence, and the event starts nothing."""
    new_deployment.edit("flows.toml", (f'{CRM_INSTANCE} = "live"', f'{CRM_INSTANCE} = "off"'))
    await new_deployment.start()
    deal = await new_deal(new_deployment.accounts.crm, stage="won")
    async with new_deployment.caller("crm-screen") as screen:
        answer = await screen.activate(deal.opportunity_id)
        nothing = await screen.find(f"/experience/crm-ui/v1/opportunities/{deal.opportunity_id}/activation")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert nothing is None


async def test_two_orgs_and_two_ledgers_keep_apart(new_deployment: Stack, sandbox_of: SandboxOf) -> None:
    """Two CRM orgs, two ERP accounts: each deal in its own, by the routing of its entity."""
    second_crm = await (await sandbox_of(new_deployment.accounts.crm.vendor)).create_account()
    second_erp = await (await sandbox_of(new_deployment.accounts.erp.vendor)).create_account()
    new_deployment.add_instance(CRM_INSTANCE, "crm-us", second_crm)
    new_deployment.add_instance(ERP_INSTANCE, "erp-us", second_erp)
    new_deployment.edit(
        "routing.toml",
        (
            '[[routes]]\ncapability = "erp"\nselling_entity = "*"',
            (
                '[[routes]]\ncapability = "erp"\nselling_entity = "NB-US"\ninstance = "erp-us"\n\n'
                '[[routes]]\ncapability = "erp"\nselling_entity = "*"'
            ),
        ),
    )
    await new_deployment.start()
    british = await new_deal(new_deployment.accounts.crm, stage="won")
    american = await new_deal(
        second_crm,
        stage="won",
        account={"country": "US", "country_name": "United States", "currency": "USD"},
        currency="USD",
        region="NA",
        rate_card="RC-US-2026",
    )
    async with (
        new_deployment.caller("crm-screen") as british_screen,
        new_deployment.caller("ci", instance="crm-us") as american_screen,
    ):
        await british_screen.activate(british.opportunity_id)
        answer = await american_screen.activate(american.opportunity_id)
        assert answer.status_code == 202, answer.text
        await british_screen.activation(british.opportunity_id, "done")
        await american_screen.activation(american.opportunity_id, "done")
        # A screen's token names its org: the other's records do not exist for it.
        assert (
            await british_screen.find(
                f"/experience/crm-ui/v1/opportunities/{american.opportunity_id}/activation"
            )
            is None
        )
    first = {one.name for one in await new_deployment.accounts.erp.console.customers()}
    second = {one.name for one in await second_erp.console.customers()}
    assert f"{british.name} Ltd" in first - second
    assert f"{american.name} Ltd" in second - first
    for account in (second_crm, second_erp):
        await account.remove()


async def test_required_custom_fields_are_served_by_profile_alone(new_deployment: Stack) -> None:
    """A firm adds a required field in its CRM and one in its ERP: two lines of profile, no code."""
    accounts = new_deployment.accounts
    fields = [account.stand.required_field for account in (accounts.crm, accounts.erp)]
    for account, instance, field in zip(accounts.all, (CRM_INSTANCE, ERP_INSTANCE), fields, strict=False):
        assert field is not None, f"the stand of {account.vendor} has none"
        await account.change_schema(field.schema)
        new_deployment.append(f"instances/{instance}.toml", f"\n{field.profile}\n")
    await new_deployment.start()
    of_deal, of_customer = fields
    deal = await new_deal(accounts.crm, stage="won", **{of_deal.name: of_deal.value})
    async with new_deployment.caller("crm-screen") as screen:
        await screen.activate(deal.opportunity_id)
        await screen.activation(deal.opportunity_id, "done")
    found = await truth(accounts, deal)
    assert found.counts() == (1, 1, 1)
    kinds = [
        account.stand.nouns[field.noun].records for account, field in zip(accounts.all, fields, strict=False)
    ]
    won = await accounts.crm.record(kinds[0], deal.opportunity_id)
    customer = await accounts.erp.record(kinds[1], found.customers[0].id)
    assert (won[of_deal.name], customer[of_customer.name]) == (of_deal.value, of_customer.value)


@pytest.mark.whole
async def test_two_hundred_activations_never_exceed_a_vendors_limit(new_deployment: Stack) -> None:
    """The ERP takes two calls at once: calls wait, no vendor refuses one."""
    await burst(new_deployment, 200)


async def test_a_burst_of_activations_never_exceeds_a_vendors_limit(new_deployment: Stack) -> None:
    """The same with four."""
    await burst(new_deployment, 4)


async def burst(deployment: Stack, count: int) -> None:
    accounts = deployment.accounts
    await accounts.erp.set_limits(**{accounts.erp.stand.concurrency: 2})
    # Calls wait for their turn, and the queue may be long.
    deployment.settings["ENFILADE_STEP_PATIENCE_SECONDS"] = "1800"
    deployment.set_profile(ERP_INSTANCE, "limits", concurrency=2, reserve_interactive=0)
    await deployment.start()
    deals = [await new_deal(accounts.crm, stage="won") for _ in range(count)]
    await accounts.erp.add_fault({"latency_ms": 30}, times=None)
    await accounts.erp.clear_calls()
    async with deployment.caller("ci", instance=CRM_INSTANCE) as screen:
        for deal in deals:
            answer = await screen.activate(deal.opportunity_id)
            assert answer.status_code == 202, answer.text
        for deal in deals:
            await screen.activation(deal.opportunity_id, "done", seconds=540)
    counted = await accounts.erp.count_calls()
    refused = [
        call for account in accounts.all for call in await account.calls() if call["status"] in (403, 429)
    ]
    assert refused == []
    assert counted["max_in_flight"] <= 2

    async def one_each() -> bool:
        names = {f"{deal.name} Ltd" for deal in deals}
        customers = [one.name for one in await accounts.erp.console.customers()]
        return sorted(name for name in customers if name in names) == sorted(names)

    assert await until("every deal has its one customer", one_each, 5)


async def test_a_small_daily_allowance_leaves_room_for_people_and_is_never_exceeded(
    new_deployment: Stack,
) -> None:
    """Flows stop at the reserve, a person is still answered, and a larger day lets the flows go on."""
    crm = new_deployment.accounts.crm
    new_deployment.set_profile(CRM_INSTANCE, "limits", daily=50, reserve_daily=30, recheck_seconds=1.0)
    new_deployment.settings |= {
        "ENFILADE_STEP_PATIENCE_SECONDS": "300",
        "ENFILADE_STEP_PAUSE_SECONDS": "0.3",  # what has to wait is not tried again all the time
    }
    await crm.set_limits(**{crm.stand.daily_calls: 50})
    await new_deployment.start()
    deals = [await new_deal(crm) for _ in range(5)]  # of some eight calls each
    for deal in deals:
        await deal.close()

    async def used_up() -> bool:
        return (await crm.limits())["used_api_requests"] >= 19

    await until("the flows have used what is theirs", used_up)
    async with new_deployment.caller("crm-screen") as screen:
        person = await new_deal(crm, stage="won")
        answer = await screen.activate(person.opportunity_id)
        assert answer.status_code == 202, answer.text
        blocked = await screen.activate((await new_deal(crm)).opportunity_id)
        assert blocked.status_code == 409, "a person's call was not let through to the vendor"
        assert (await crm.limits())["used_api_requests"] <= 50
        await crm.set_limits(**{crm.stand.daily_calls: 15000})
        await screen.activate((await new_deal(crm)).opportunity_id)  # its answer tells of the larger day
        for deal in [*deals, person]:
            await screen.activation(deal.opportunity_id, "done", seconds=120)
    assert [call for call in await crm.calls() if call["status"] == 403] == []


async def test_a_kept_answer_costs_no_vendor_call(deployment: Stack) -> None:
    """A partner who looks at an account again within its seconds is answered, and the CRM is not asked."""
    crm = deployment.accounts.crm
    deal = await new_deal(crm)
    async with deployment.caller("ci") as ci:

        async def asked() -> int:
            """How often the CRM was asked for one more reading."""
            before = await crm.count_calls(**crm.reads())
            await ci.get(f"/system/{CRM_INSTANCE}/crm/v1/customers/{deal.account_id}")
            return (await crm.count_calls(**crm.reads()))["count"] - before["count"]

        async def kept() -> bool:
            return await asked() == 0

        assert await asked() >= 1  # a run of another deal may read meanwhile
        await until("an answer was kept", kept)  # an event in between, whatever its subject, outdates one
