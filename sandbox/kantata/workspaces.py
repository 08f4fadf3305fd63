"""Kantata stand-in: projects, which the API calls workspaces, and client groups."""

from sandbox.kantata import extension, staffing, templates
from sandbox.kantata.problems import invalid
from sandbox.kantata.store import Record, Unit
from sandbox.kantata.values import as_id, base_unit, words

ACCESS_LEVELS = ("invitation", "open", "admin")
ROLES = {"maven": "maven", "consultant": "maven", "buyer": "buyer", "client": "buyer"}
DEFAULTS: Record = {
    "description": "",
    "start_date": None,
    "due_date": None,
    "budgeted": False,
    "currency": "USD",
    "price_in_cents": None,
    "rate_card_id": None,
    "access_level": "invitation",
    "stage": "project",
    "client_role_name": "Clients",
    "consultant_role_name": "Consultants",
    "workspace_group_ids": [],
    "primary_workspace_group_id": None,
    "approver_id": None,
    "approver_ids": [],
    "require_time_approvals": False,
    "require_expense_approvals": False,
    "require_notes_on_time_entries": False,
    "time_trackable": True,
    "target_margin": None,
    "tasks_default_non_billable": False,
    "stories_are_fixed_fee_by_default": False,
    "expenses_in_burn_rate": True,
    "change_orders_enabled": True,
    "external_link": None,
    "archived": False,
}
# Written by their own rules, never stored under these names.
HANDLED = words("price participations creator_role external_reference custom_fields primary_maven_id")


def create(unit: Unit, fields: Record) -> Record:
    _check(unit, fields, {})
    role = ROLES.get(str(fields.get("creator_role", "maven")))
    if not role:
        raise invalid("creator_role", "is not included in the list")
    lead = fields.get("primary_maven_id") or unit.user_id
    record = unit.insert(
        "workspaces",
        {
            **DEFAULTS,
            "status_key": first_status(unit),
            **_stored(fields),
            **_money(unit, fields, DEFAULTS),
            "creator_id": unit.user_id,
            "primary_maven_id": lead,
        },
    )
    staffing.join(unit, record["id"], unit.user_id, role=role, lead=lead == unit.user_id)
    if lead != unit.user_id:
        staffing.join(unit, record["id"], lead, lead=True)
    for wanted in fields.get("participations") or []:
        staffing.join(unit, record["id"], as_id(wanted.get("user_id")), access=wanted.get("access"))
    _attach(unit, record, fields)
    return record


def update(unit: Unit, record: Record, fields: Record) -> None:
    _check(unit, fields, record)
    # The currency of a project never changes: a later wish is not refused and not heard.
    unit.amend(
        "workspaces", record, {**_stored(fields, without={"currency"}), **_money(unit, fields, record)}
    )
    _attach(unit, record, fields)


def _attach(unit: Unit, record: Record, fields: Record) -> None:
    _join_groups(unit, record, fields)
    extension.write_values(unit, "Workspace", record, fields.get("custom_fields"))
    extension.write_reference(unit, "workspaces", record, fields.get("external_reference"))
    if fields.get("project_tracker_template_id"):
        templates.instantiate(unit, record, fields)


def _stored(fields: Record, without: set[str] | frozenset[str] = frozenset()) -> Record:
    return {
        name: value
        for name, value in fields.items()
        if name not in HANDLED | without
        and not name.startswith("project_t")
        and name != "workspace_group_ids"
    }


def first_status(unit: Unit) -> int:
    return unit.account.extra["statuses"][0]["key"]


def _check(unit: Unit, fields: Record, record: Record) -> None:
    if fields.get("access_level", "open") not in ACCESS_LEVELS:
        raise invalid("access_level", "is not included in the list")
    if fields.get("stage", "project") not in ("project", "estimate"):
        raise invalid("stage", "is not included in the list")
    keys = {status["key"] for status in unit.account.extra["statuses"]}
    if "status_key" in fields and fields["status_key"] not in keys:
        raise invalid("status_key", "is invalid")
    if "currency" in fields and len(str(fields["currency"])) != 3:
        raise invalid("currency", "is not included in the list")
    start, due = (fields.get(name, record.get(name)) for name in ("start_date", "due_date"))
    if start and due and due < start:
        raise invalid("due_date", "must be on or after the start date")


def _money(unit: Unit, fields: Record, record: Record) -> Record:
    """Currency and price as stored: written in whole main units, stored in subunits, only where budgeted."""
    currency = fields.get("currency") or record["currency"]
    if "id" in record:
        currency = record["currency"]
    elif fields.get("rate_card_id"):
        card = unit.find("rate_cards", fields["rate_card_id"])
        currency = card["currency"] if card else currency
    budgeted = fields.get("budgeted", record["budgeted"])
    price = record["price_in_cents"]
    if "price" in fields:
        price = None if fields["price"] is None else fields["price"] * base_unit(currency)
    if price is not None and price < 0:
        raise invalid("price", "must be greater than or equal to 0")
    return {"currency": currency, "price_in_cents": price if budgeted else None}


def _join_groups(unit: Unit, record: Record, fields: Record) -> None:
    wanted = list(fields.get("workspace_group_ids", record["workspace_group_ids"]))
    primary = fields.get("primary_workspace_group_id")
    if primary and primary not in wanted:
        wanted.append(primary)
    for group_id in wanted:
        if not unit.find("workspace_groups", group_id):
            raise invalid("workspace_group_ids", "must exist")
    unit.amend("workspaces", record, {"workspace_group_ids": wanted})


def create_group(unit: Unit, fields: Record) -> Record:
    blank = dict.fromkeys(("contact_name", "email", "phone_number", "address", "website", "notes"))
    group = unit.insert("workspace_groups", {"company": False, **blank, **_group_fields(fields)})
    _group_members(unit, group, fields)
    return group


def update_group(unit: Unit, group: Record, fields: Record) -> None:
    unit.amend("workspace_groups", group, _group_fields(fields))
    _group_members(unit, group, fields)


def _group_fields(fields: Record) -> Record:
    rest = {"add_workspace_ids", "remove_workspace_ids", "external_reference", "custom_fields"}
    return {name: value for name, value in fields.items() if name not in rest}


def _group_members(unit: Unit, group: Record, fields: Record) -> None:
    for name, is_in in (("add_workspace_ids", True), ("remove_workspace_ids", False)):
        for workspace_id in fields.get(name, []):
            workspace = unit.find("workspaces", workspace_id)
            if not workspace:
                raise invalid(name, "must exist")
            others = [each for each in workspace["workspace_group_ids"] if each != group["id"]]
            unit.amend(
                "workspaces", workspace, {"workspace_group_ids": [*others, group["id"]] if is_in else others}
            )
    extension.write_values(unit, "WorkspaceGroup", group, fields.get("custom_fields"))
    extension.write_reference(unit, "workspace_groups", group, fields.get("external_reference"))
