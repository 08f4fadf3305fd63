"""Kantata stand-in: tasks, milestones, deliverables and issues, which the API calls stories."""

from typing import Any

from sandbox.kantata import extension, staffing
from sandbox.kantata.problems import invalid
from sandbox.kantata.store import Record, Unit
from sandbox.kantata.values import as_id, as_integer, words

TYPES = ("task", "deliverable", "milestone", "issue")
STATES = ("not started", "started", "needs info", "completed")
ISSUE_STATES = (
    "new", "reopened", "in progress", "blocked", "fixed", "duplicate", "can't repro", "resolved", "won't fix",
)  # fmt: skip
PRIORITIES = ("low", "normal", "high", "critical")
DEEPEST = 4
DEFAULTS: Record = {
    "description": None,
    "parent_id": None,
    "start_date": None,
    "due_date": None,
    "budget_estimate_in_cents": None,
    "time_estimate_in_minutes": None,
    "cost_budget_in_cents": None,
    "billable": True,
    "fixed_fee": False,
    "weight": None,
    "priority": "normal",
    "percentage_complete": 0,
    "time_trackable": True,
    "archived": False,
    "deleted_at": None,
}
HANDLED = words("assignments assignee_ids tag_list custom_fields external_reference status")


def create(unit: Unit, fields: Record) -> Record:
    workspace = unit.find("workspaces", fields["workspace_id"])
    if not workspace:
        raise invalid("workspace_id", "must exist")
    _check(fields, fields["story_type"])
    parent = _parent(unit, workspace, fields.get("parent_id"))
    ancestors = [*parent["ancestor_ids"], parent["id"]] if parent else []
    record = unit.insert(
        "stories",
        {
            **DEFAULTS,
            "state": "new" if fields["story_type"] == "issue" else "not started",
            "billable": not workspace["tasks_default_non_billable"],
            "fixed_fee": workspace["stories_are_fixed_fee_by_default"],
            **_stored(fields),
            "position": len(unit.where("stories", workspace_id=workspace["id"])) + 1,
            "ancestor_ids": ancestors,
            "root_id": ancestors[0] if ancestors else None,
            "tags": _tags(fields),
            "creator_id": unit.user_id,
        },
    )
    _attach(unit, record, fields)
    return record


def update(unit: Unit, record: Record, fields: Record) -> None:
    _check(fields, fields.get("story_type", record["story_type"]))
    before = record["state"]
    changes = _stored(fields)
    if "tag_list" in fields:
        changes["tags"] = _tags(fields)
    unit.amend("stories", record, changes)
    if record["state"] != before:
        unit.tell("stories", "status_selected", record, {"state": before}, {"state": record["state"]})
    _attach(unit, record, fields)


def erase(unit: Unit, record: Record) -> None:
    """Soft: the story stays, with the moment of its deletion; so do its sub-stories."""
    for story in [
        record,
        *(row for row in unit.rows("stories").values() if record["id"] in row["ancestor_ids"]),
    ]:
        unit.amend("stories", story, {"deleted_at": unit.now}, verb="deleted")


def _attach(unit: Unit, record: Record, fields: Record) -> None:
    for user_id in fields.get("assignee_ids") or []:
        staffing.assign(unit, record, {"assignee_id": user_id})
    for wanted in fields.get("assignments") or []:
        if not isinstance(wanted, dict):
            raise invalid("assignments", "is invalid")
        staffing.assign(unit, record, _assignment(wanted))
    extension.write_values(unit, "Story", record, fields.get("custom_fields"))
    extension.write_reference(unit, "stories", record, fields.get("external_reference"))


def _assignment(wanted: dict[str, Any]) -> Record:
    try:
        minutes = wanted.get("estimated_minutes")
        return {
            "assignee_id": as_id(wanted.get("assignee_id")),
            "resource_id": as_id(wanted.get("workspace_resource_id") or wanted.get("resource_id")),
            "estimated_minutes": None if minutes is None else as_integer(minutes),
        }
    except ValueError as wrong:
        raise invalid("assignments", str(wrong)) from None


def _stored(fields: Record) -> Record:
    stored = {name: value for name, value in fields.items() if name not in HANDLED}
    if fields.get("status") is not None:
        stored["state"] = fields["status"]
    return stored


def _tags(fields: Record) -> list[str]:
    return [tag.strip() for tag in str(fields.get("tag_list") or "").split(",") if tag.strip()]


def _check(fields: Record, story_type: str) -> None:
    if story_type not in TYPES:
        raise invalid("story_type", "is not included in the list")
    if len(str(fields.get("title", ""))) > 200:
        raise invalid("title", "is too long (maximum is 200 characters)")
    if len(str(fields.get("description") or "")) >= 1000:
        raise invalid("description", "is too long (maximum is 1000 characters)")
    states = ISSUE_STATES if story_type == "issue" else STATES
    for name in ("state", "status"):
        if fields.get(name) is not None and fields[name] not in states:
            raise invalid(name, "is not included in the list")
    if fields.get("priority") is not None and fields["priority"] not in PRIORITIES:
        raise invalid("priority", "is not included in the list")
    if fields.get("start_date") and fields.get("due_date") and fields["due_date"] < fields["start_date"]:
        raise invalid("due_date", "must be on or after the start date")


def _parent(unit: Unit, workspace: Record, parent_id: str | None) -> Record | None:
    if not parent_id:
        return None
    parent = unit.find("stories", parent_id)
    if not parent or parent["workspace_id"] != workspace["id"]:
        raise invalid("parent_id", "must exist")
    if len(parent["ancestor_ids"]) + 2 > DEEPEST:
        raise invalid("parent_id", "is nested too deeply")
    return parent
