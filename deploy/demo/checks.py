"""deploy/demo: reads the systems' records after the demo and compares them with the deal."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from contracts.canonical.reference import DeliveryTemplate
from contracts.canonical.values import key_of
from deploy.demo.cast import Cast, Player
from kit.texts import counted
from process_apis import reference_files
from process_apis.flows.opportunity_to_project import rules as activation_rules
from sandbox.core.console import ClientRecord, ContractRecord, CustomerRecord, Deal, ProjectRecord


class Check(msgspec.Struct, frozen=True):
    """One record read back: the system, what it is, its id there, whether it is right, and the result."""

    system: str
    what: str
    id: str
    ok: bool
    result: str


class Stage(msgspec.Struct, frozen=True):
    """The end of the demo: the deal, its instance, and the answers of the flows."""

    deal: Deal
    instance: str
    activation: dict[str, Any]
    request: dict[str, Any]

    @property
    def merged(self) -> bool:
        """Whether finance merged the account with an existing customer."""
        return any(step["name"] == "merge" for step in self.request["timeline"])

    @property
    def keys(self) -> dict[str, str]:
        """The key of each object, under which it can be created only once."""
        entity = self.request["proposal"]["selling_entity"]
        revision = self.activation["revision"]
        return {
            "customer": key_of("cus", self.instance, self.deal.customer_id, entity),
            "contract": activation_rules.key_of("con", self.instance, self.deal.id, revision),
            "project": activation_rules.key_of("prj", self.instance, self.deal.id, revision),
        }


async def read_back(cast: Cast, stage: Stage, config: Path) -> list[Check]:
    """The checks at the systems that played."""
    template = reference_files.read(config / "reference").templates[stage.deal.delivery_template]
    customer = _customer(cast.erp, await cast.erp.console.customers(), stage)
    contract = _contract(cast.erp, await cast.erp.console.contracts(), stage, customer.id)
    project = _project(cast.psa, await cast.psa.console.projects(), stage, template)
    deal = _deal(cast.crm.title, await cast.crm.console.deal(stage.deal.id), stage, project[0].id)
    return [customer, *contract, *project, *deal]


def _one(
    system: str,
    what: str,
    records: Sequence[CustomerRecord | ContractRecord | ClientRecord | ProjectRecord],
    detail: str = "",
) -> Check:
    """The check that there is exactly one record."""
    ids = ", ".join(record.id for record in records)
    count = "none" if not records else "one" if len(records) == 1 else f"{len(records)} of them"
    return Check(system, what, ids, len(records) == 1, f"{count}{detail}")


def _customer(at: Player, customers: list[CustomerRecord], stage: Stage) -> Check:
    system, key = at.title, at.stored(stage.keys["customer"])
    live = [one for one in customers if one.active]
    named = [one for one in live if one.name == stage.deal.customer_name]
    if stage.merged:
        return _one(system, "customer", named, ", the existing one")
    keyed = [one for one in live if one.key == key]
    check = _one(system, "customer", keyed, f", key {key}")
    return msgspec.structs.replace(check, ok=check.ok and keyed == named)


def _contract(at: Player, contracts: list[ContractRecord], stage: Stage, customer_id: str) -> list[Check]:
    system, deal, key = at.title, stage.deal, at.stored(stage.keys["contract"])
    live = [one for one in contracts if one.open and (one.deal_id == deal.id or one.key == key)]
    checks = [_one(system, "contract", live, f", key {key}")]
    if len(live) != 1:
        return checks
    (contract,) = live
    total, billed = sum(contract.lines, Decimal(0)), sum(contract.billing, Decimal(0))
    right = total == contract.total == deal.amount and contract.customer_id == customer_id
    right = right and contract.key == key and len(contract.lines) == max(deal.lines, 1)
    lines = f"{counted(len(contract.lines), 'line')}, {total:,} {deal.currency}"
    dates = f"{counted(len(contract.billing), 'date')}, {billed:,} {deal.currency}"
    return [
        *checks,
        Check(system, "contract lines", contract.number, right, lines),
        Check(system, "billing schedule", contract.number, billed == deal.amount, dates),
    ]


def _project(
    at: Player, projects: list[ProjectRecord], stage: Stage, template: DeliveryTemplate
) -> list[Check]:
    system, key = at.title, at.stored(stage.keys["project"])
    live = [one for one in projects if one.live and (one.key == key or one.name == stage.deal.name)]
    checks = [_one(system, "project", live, f", key {key}")]
    if len(live) != 1:
        return checks
    (project,) = live
    checks[0] = msgspec.structs.replace(checks[0], ok=project.key == key)
    planned = {
        kind: [task.title for task in template.tasks if task.milestone is kind] for kind in (True, False)
    }
    tasks, milestones = project.tasks, project.milestones
    roles, wanted = ", ".join(project.roles), len(template.roles)
    count = f"{len(project.roles)} of {wanted}"
    staffed = set(project.staffed) == set(project.roles)
    return [
        *checks,
        Check(system, "tasks", project.id, _each_once(planned[False], tasks), counted(len(tasks), "task")),
        Check(system, "milestones", project.id, _each_once(planned[True], milestones), f"{len(milestones)}"),
        Check(system, "planned roles", roles, len(project.roles) == wanted, count),
        Check(system, "staffing demand", roles, staffed, counted(len(project.staffed), "demand")),
    ]


def _deal(system: str, deal: Deal, stage: Stage, project_id: str) -> list[Check]:
    ours = bool(deal.project_id) and deal.project_id == stage.activation["project_id"]
    linked = ours and deal.project_url.endswith(f"/{project_id}")
    link = f"{deal.project_id}, {deal.project_url}" if deal.project_id else "no project on it"
    status = deal.project_status
    return [
        Check(system, "deal", deal.id, linked, link),
        Check(system, "activation status", deal.id, status == "Activated", status or "empty"),
    ]


def _each_once(wanted: list[str], titles: Sequence[str]) -> bool:
    return all(titles.count(title) == 1 for title in wanted)
