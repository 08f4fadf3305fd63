"""Routing and duties change while deals are made: gateway, flows and worker apart, with two ledgers."""

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from deploy.demo.cast import ERP, read_cast
from deploy.settings import DEMO_CONFIG
from gateway.policy_bundle import read_bundle
from kit.database import Database
from tests.support.deals import LARGE, Deal, new_deal, truth
from tests.support.deployments import MakeDeployment
from tests.support.instances import CRM_INSTANCE, ERP_INSTANCE, PSA_INSTANCE
from tests.support.sandboxes import Account, SandboxOf
from tests.support.stack import Accounts, Caller, Stack, free_port, until

IN_FORCE = re.compile(
    r'^enfilade_gateway_policy_current{digest="(\w+)",refused="(\w+)",worker="\d"} 1$', re.MULTILINE
)
ACTIVATIONS = "/process/opportunity-to-project/v1/activations"
EXCEPTIONS = "/process/exceptions/v1/exceptions"
REQUESTS = "/process/customer-master/v1/requests"
ROUTES = """\
[[routes]]
capability = "erp"
selling_entity = "*"
instance = "{}"

[[routes]]
capability = "psa"
selling_entity = "*"
instance = "{}"
"""
WORKERS = 4  # the gateway's, two of the process tier that answers, and the one that works


@dataclass
class Apart:
    """A deployment in three processes, two with flows and no gateway; `second` is its other ledger."""

    deployment: Stack
    second: Account

    @property
    def accounts(self) -> Accounts:
        """The deployment's accounts with the other ledger in the place of the first."""
        ours = self.deployment.accounts
        return Accounts(ours.crm, self.second, ours.psa)

    def put(self, name: str, content: str) -> None:
        """Put a file where it counts, whole."""
        draft = self.deployment.folder / name
        draft.write_text(content, encoding="utf-8")
        draft.rename(self.deployment.config / name)

    async def told(self) -> set[tuple[str, str]]:
        """Digest and whether a change is refused, of every worker of every process."""
        found: list[tuple[str, str]] = []
        async with httpx.AsyncClient() as http:
            for member in self.deployment.members:
                found += IN_FORCE.findall((await http.get(f"{member.internal}/metrics")).text)
        assert len(found) == WORKERS
        return set(found)

    async def go_by(self, erp: str, duties: str = "") -> None:
        """All entities' books are in an ERP, and everybody knows."""
        self.put("routing.toml", ROUTES.format(erp, PSA_INSTANCE))
        self.put("duties.toml", duties or (DEMO_CONFIG / "duties.toml").read_text(encoding="utf-8"))
        wanted = {(read_bundle(self.deployment.config).digest, "false")}

        async def everybody() -> bool:
            return await self.told() == wanted

        await until(f"everybody goes by {erp}", everybody)


@pytest.fixture(scope="module")
async def apart(make_deployment: MakeDeployment, sandbox_of: SandboxOf) -> AsyncIterator[Apart]:
    second = await (await sandbox_of(read_cast(DEMO_CONFIG)[ERP].vendor)).create_account()
    process = f"http://127.0.0.1:{(port := free_port())}"
    async with make_deployment("routing") as deployment:
        deployment.add_instance(ERP_INSTANCE, "erp-new", second)
        deployment.settings |= {
            "ENFILADE_INTERNAL_KEY": "env:HOUSE_KEY",
            "HOUSE_KEY": secrets.token_hex(32),
            "ENFILADE_PROCESS_URL": process,
            "ENFILADE_SYSTEM_URL": process,
        }
        flows = "process,system"
        members = [
            deployment.launch("gateway", port=deployment.port, tiers="gateway,experience"),
            deployment.launch("flows", port=port, tiers=flows, role="api", workers="2"),
            deployment.launch("worker", tiers=flows, role="worker"),
        ]
        for member in members:
            await deployment.ready(member)
        yield Apart(deployment, second)
    await second.remove()


async def deal_of(deployment: Stack, **fields: Any) -> Deal:
    return await new_deal(deployment.accounts.crm, stage="won", **fields)


async def test_a_run_in_its_middle_ends_in_the_systems_in_which_it_began(apart: Apart) -> None:
    """Its customer and contract are in one ledger though the routing changes; the next deal is in the new."""
    deployment = apart.deployment
    await apart.go_by(ERP_INSTANCE)
    deal = await deal_of(deployment)
    held = await deployment.accounts.erp.hold("before", **deployment.accounts.erp.creates("customer"))
    async with deployment.caller("crm-screen") as screen:
        await screen.activate(deal.opportunity_id)
        assert await held.wait()
        await apart.go_by("erp-new")
        await held.release()
        await screen.activation(deal.opportunity_id, "done")
        after = await deal_of(deployment)
        await screen.activate(after.opportunity_id)
        await screen.activation(after.opportunity_id, "done")
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)
    assert (await truth(apart.accounts, deal)).customers == []
    assert (await truth(apart.accounts, after)).counts() == (1, 1, 1)
    assert (await truth(deployment.accounts, after)).customers == []


async def test_the_customer_of_a_run_is_made_where_the_run_began(apart: Apart) -> None:
    """Customer master, asked after the change, goes by the choice of the activation that asks."""
    deployment = apart.deployment
    await apart.go_by(ERP_INSTANCE)
    deal = await new_deal(deployment.accounts.crm)
    async with held_before_the_customer(deployment, deal) as database:
        await deal.close()
        await until(f"{deal.name} has chosen its systems", lambda: has_chosen(database, deal))
        await apart.go_by("erp-new")
    async with deployment.caller("crm-screen") as screen:
        await screen.activation(deal.opportunity_id, "done")
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)
    assert (await truth(apart.accounts, deal)).customers == []


async def test_a_customer_that_stands_elsewhere_stops_the_next_deal_plainly(apart: Apart) -> None:
    """The case says what stands where and what to do; with the routing put right a replay ends well."""
    deployment = apart.deployment
    await apart.go_by(ERP_INSTANCE)
    first = await deal_of(deployment)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(first.opportunity_id)
        await screen.activation(first.opportunity_id, "done")
        await apart.go_by("erp-new")
        second = await deal_of(deployment, customer_id=first.account_id)
        await screen.activate(second.opportunity_id)
        parked = await screen.activation(second.opportunity_id, "parked")
        case = await finance.get(f"{EXCEPTIONS}/{parked['exception_id']}")
        assert (case["kind"], case["step"], case["owner"]) == (
            "missing_master_data",
            "await-customer",
            "operations",
        )
        assert case["why"] == (
            f"{first.name} Ltd as a customer of NB-UK stands in {ERP_INSTANCE}, but routing.toml has NB-UK "
            "served by erp-new. Let it name the system in which the customer stands and replay, or undo."
        )
        await apart.go_by(ERP_INSTANCE)
        await replay(finance, case)
        await screen.activation(second.opportunity_id, "done")
    assert len((await truth(deployment.accounts, first)).open_orders) == 2


async def test_bad_routing_is_refused_in_every_process(apart: Apart) -> None:
    """All say so and go by the last good policy, in which a deal is made meanwhile."""
    deployment = apart.deployment
    await apart.go_by(ERP_INSTANCE)
    ((digest, _),) = await apart.told()
    apart.put("routing.toml", ROUTES.format("erp-lost", PSA_INSTANCE))

    async def refused() -> bool:
        return await apart.told() == {(digest, "true")}

    await until("everybody refuses the file", refused)
    fault = f"{deployment.config}/routing.toml:4: routes[0].instance: erp-lost does not serve erp"
    assert [fault in member.logged() for member in deployment.members] == [True, True, True]
    async with httpx.AsyncClient() as http:
        answers = [await http.get(f"{member.internal}/health/ready") for member in deployment.members]
    assert {answer.json()["policy"] for answer in answers} == {digest}
    deal = await deal_of(deployment)
    async with deployment.caller("crm-screen") as screen:
        await screen.activate(deal.opportunity_id)
        await screen.activation(deal.opportunity_id, "done")
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)


async def test_the_duties_of_a_case_are_those_in_force(apart: Apart) -> None:
    """Whoever may not decide on his own deal's customer may, once the firm does not keep the two apart."""
    deployment = apart.deployment
    await apart.go_by(ERP_INSTANCE)
    deal = await deal_of(deployment, credit_limit=LARGE)
    body = {"instance": CRM_INSTANCE, "opportunity_id": deal.opportunity_id}
    async with (
        deployment.caller("ci", "sam") as sam,
        deployment.caller("finance-desk", "sam") as sam_of_finance,
    ):
        await sam.post(ACTIVATIONS, body, key=f"press-{deal.opportunity_id}")
        request = f"{REQUESTS}/creq_{CRM_INSTANCE}.{deal.account_id}.NB-UK"

        async def waits() -> bool:
            found = await sam.find(request)
            return bool(found) and found["status"] == "waiting"

        await until("finance is asked", waits)
        refused = await decide(sam_of_finance, request, "first")
        assert (refused.status_code, refused.json()["code"]) == (403, "segregation_of_duties")
        duties = (DEMO_CONFIG / "duties.toml").read_text(encoding="utf-8")
        for pair in ("request-customer", "start-activation"):
            apart_from = f'duties = ["{pair}", "approve-customer"]'
            assert apart_from in duties
            duties = duties.replace(apart_from, f'duties = ["{pair}", "approve-subscription"]')
        await apart.go_by(ERP_INSTANCE, duties)
        allowed = await decide(sam_of_finance, request, "second")
        assert allowed.status_code == 200, allowed.text


async def decide(who: Caller, request: str, turn: str) -> httpx.Response:
    key = f"decide-{turn}-{request[-30:]}".replace(".", "-")
    return await who.post(f"{request}/decision", {"decision": "approve"}, key=key)


async def replay(finance: Caller, case: dict[str, str]) -> None:
    answer = await finance.post(
        f"{EXCEPTIONS}/{case['id']}/resolution",
        {"action": "replay", "reason": "the routing is put right"},
        key=f"replay-{abs(hash(case['id']))}",
        **{"If-Match": f'"{case["version"]}"'},
    )
    assert answer.status_code == 200, answer.text


@asynccontextmanager
async def held_before_the_customer(deployment: Stack, deal: Deal) -> AsyncIterator[Database]:
    """The deal waits, its terms known, where its account is shown: another writes that row and takes long."""
    row = "INSERT INTO enfilade.accounts (instance, account_id, seen_at) VALUES (:instance, :id, now())"
    async with deployment.database() as database, database.connect() as connection:
        await connection.execute(text(row), {"instance": CRM_INSTANCE, "id": deal.account_id})
        yield database
        await connection.rollback()


async def has_chosen(database: Database, deal: Deal) -> bool:
    query = (
        "SELECT systems <> '{}' FROM enfilade.runs WHERE flow = 'opportunity-to-project' AND subject = :id"
    )
    async with database.connect() as connection:
        return bool(await connection.scalar(text(query), {"id": deal.opportunity_id}))
