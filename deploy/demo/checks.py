"""deploy/demo: reads the vendors' records after the demo and compares them with the deal."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from contracts.canonical.reference import DeliveryTemplate
from contracts.canonical.values import key_of
from deploy.demo.consoles import Record, VendorConsole
from deploy.demo.deal import Deal
from process_apis import reference_files
from process_apis.flows.opportunity_to_project import rules as activation_rules

_CLOSED_ORDERS = ("C", "H")
_NETSUITE, _SALESFORCE, _KANTATA = "NetSuite", "Salesforce", "Kantata"


class Check(msgspec.Struct, frozen=True):
    """One record read back: the system, what it is, its id there, whether it is right, and what was found."""

    system: str
    what: str
    id: str
    ok: bool
    found: str


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
            "customer": key_of("cus", self.instance, self.deal.account_id, entity),
            "contract": activation_rules.key_of("con", self.instance, self.deal.id, revision),
            "project": activation_rules.key_of("prj", self.instance, self.deal.id, revision),
        }


async def read_back(consoles: dict[str, VendorConsole], stage: Stage, config: Path) -> list[Check]:
    """The checks at the three vendors."""
    template = reference_files.read(config / "reference").templates[stage.deal.template]
    books, projects, crm = consoles["netsuite"], consoles["kantata"], consoles["salesforce"]
    customer = await _customer(books, stage)
    order = await _order(books, stage, customer[0].id)
    workspace = await _workspace(projects, stage, template)
    return [*customer, *order, *workspace, *await _opportunity(crm, stage, workspace[0].id)]


def _one(system: str, what: str, found: Sequence[Record], detail: str = "") -> Check:
    """The check that there is exactly one record."""
    ids = ", ".join(str(record["id"]) for record in found)
    count = "none" if not found else "one" if len(found) == 1 else f"{len(found)} of them"
    return Check(system, what, ids, len(found) == 1, f"{count}{detail}")


async def _customer(books: VendorConsole, stage: Stage) -> list[Check]:
    key = stage.keys["customer"]
    everybody = await books.records("customer")
    live = [one for one in everybody if not one.get("isInactive")]
    named = [one for one in live if one.get("companyName") == stage.deal.account_name]
    if stage.merged:
        return [_one(_NETSUITE, "customer", named, ", the existing one")]
    keyed = [one for one in live if one.get("externalId") == key]
    same = [one["id"] for one in keyed] == [one["id"] for one in named]
    check = _one(_NETSUITE, "customer", keyed, f", external id {key}")
    return [msgspec.structs.replace(check, ok=check.ok and same)]


async def _order(books: VendorConsole, stage: Stage, customer_id: str) -> list[Check]:
    deal, key = stage.deal, stage.keys["contract"]
    orders = [
        one
        for one in await books.records("salesOrder")
        if one.get("custbody_enfilade_opportunity") == deal.id or one.get("externalId") == key
    ]
    live = [one for one in orders if _id(one.get("status")) not in _CLOSED_ORDERS]
    checks = [_one(_NETSUITE, "sales order", live, f", external id {key}")]
    if len(live) != 1:
        return checks
    order = live[0]
    lines = order["item"]["items"]
    total = _sum(line["amount"] for line in lines)
    right = total == Decimal(order["subtotal"]) == deal.amount and _id(order["entity"]) == customer_id
    plan = _id(order.get("billingSchedule"))
    schedules = [one for one in await books.records("billingSchedule") if one["id"] == plan]
    parts = [
        (part.get("milestoneAmount") or part.get("amount"))
        for schedule in schedules
        for kind in ("milestone", "recurrence")
        for part in schedule.get(kind, {}).get("items", ())
    ]
    billed = _sum(parts)
    right = right and order.get("externalId") == key and len(lines) == deal.lines
    return [
        *checks,
        Check(
            _NETSUITE, "order lines", order["tranId"], right, f"{len(lines)} lines, {total:,} {deal.currency}"
        ),
        Check(
            _NETSUITE, "billing schedule", plan, bool(schedules) and billed == deal.amount,
            f"{len(parts)} dates, {billed:,} {deal.currency}",
        ),
    ]  # fmt: skip


async def _workspace(projects: VendorConsole, stage: Stage, template: DeliveryTemplate) -> list[Check]:
    key = stage.keys["project"]
    marked = {
        str(value["subject_id"])
        for value in await projects.records("custom_field_values")
        if value["value"] == key and value["subject_type"] == "Workspace"
    }
    live = [
        one
        for one in await projects.records("workspaces")
        if not one.get("archived") and (str(one["id"]) in marked or one["title"] == stage.deal.name)
    ]
    checks = [_one(_KANTATA, "project", live, f", key {key}")]
    if len(live) != 1:
        return checks
    workspace = str(live[0]["id"])
    checks[0] = msgspec.structs.replace(checks[0], ok=workspace in marked)
    stories = [one for one in await projects.records("stories") if str(one["workspace_id"]) == workspace]
    milestones = [one["title"] for one in stories if one["story_type"] == "milestone"]
    tasks = [one["title"] for one in stories if one["story_type"] == "task"]
    seats = await _of(projects, "workspace_resources", workspace)
    demand = [one for one in await _all_of(projects, "workspace_allocations") if _seat(one) in seats]
    wanted = {
        milestone: [t.title for t in template.tasks if t.milestone == milestone]
        for milestone in (True, False)
    }
    roles = len(template.roles)
    return [
        *checks,
        Check(_KANTATA, "tasks", workspace, _each_once(wanted[False], tasks), f"{len(tasks)} tasks"),
        Check(_KANTATA, "milestones", workspace, _each_once(wanted[True], milestones), f"{len(milestones)}"),
        Check(_KANTATA, "planned roles", ", ".join(seats), len(seats) == roles, f"{len(seats)} of {roles}"),
        Check(
            _KANTATA, "staffing demand", ", ".join(str(one["id"]) for one in demand),
            {_seat(one) for one in demand} == set(seats), f"{len(demand)} allocations",
        ),
    ]  # fmt: skip


async def _opportunity(crm: VendorConsole, stage: Stage, workspace: str) -> list[Check]:
    record = await crm.record("Opportunity", stage.deal.id)
    project, url = record.get("Project_Id__c") or "", record.get("Project_Url__c") or ""
    ours = project == stage.activation["project_id"] and project != ""
    found = f"{project}, {url}" if project else "no project on it"
    status = record.get("Activation_Status__c") or "empty"
    return [
        Check(_SALESFORCE, "opportunity", stage.deal.id, ours and url.endswith(f"/{workspace}"), found),
        Check(_SALESFORCE, "activation status", stage.deal.id, status == "Activated", status),
    ]


async def _of(consoles: VendorConsole, kind: str, workspace: str) -> list[str]:
    return [str(one["id"]) for one in await consoles.records(kind) if str(one["workspace_id"]) == workspace]


async def _all_of(consoles: VendorConsole, kind: str) -> list[Record]:
    return await consoles.records(kind)


def _seat(allocation: Record) -> str:
    return str(allocation["workspace_resource_id"])


def _each_once(wanted: list[str], found: list[str]) -> bool:
    return all(found.count(title) == 1 for title in wanted)


def _sum(amounts: Any) -> Decimal:
    return sum((Decimal(str(amount)) for amount in amounts), Decimal(0))


def _id(reference: Any) -> str:
    return str(reference["id"]) if isinstance(reference, dict) else str(reference or "")
