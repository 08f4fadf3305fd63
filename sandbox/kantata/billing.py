"""Kantata stand-in: time entries and billing milestones."""

from sandbox.kantata import extension
from sandbox.kantata.problems import forbidden, invalid
from sandbox.kantata.store import Record, Unit


def create_time(unit: Unit, fields: Record) -> Record:
    workspace = unit.find("workspaces", fields["workspace_id"])
    if not workspace:
        raise invalid("workspace_id", "must exist")
    story = unit.find("stories", fields.get("story_id"))
    _check_time(unit, workspace, fields)
    stored = {name: value for name, value in fields.items() if name != "external_reference"}
    blank = {"story_id": None, "notes": None, "role_id": None, "location": None, "cost_rate_in_cents": None}
    record = unit.insert(
        "time_entries",
        {
            **blank,
            "rate_in_cents": 0,
            "billable": story["billable"] if story else True,
            **stored,
            "user_id": fields.get("user_id") or unit.user_id,
            "currency": workspace["currency"],
            "approved": not workspace["require_time_approvals"],
            "is_invoiced": False,
            "taxable": False,
            "invoice_id": None,
            "active_submission_id": None,
            "recent_submission_id": None,
        },
    )
    extension.write_reference(unit, "time_entries", record, fields.get("external_reference"))
    return record


def update_time(unit: Unit, record: Record, fields: Record) -> None:
    refuse_locked(unit, record)
    workspace = unit.rows("workspaces")[fields.get("workspace_id", record["workspace_id"])]
    _check_time(unit, workspace, {**record, **fields})
    unit.amend("time_entries", record, {k: v for k, v in fields.items() if k != "external_reference"})
    extension.write_reference(unit, "time_entries", record, fields.get("external_reference"))


def refuse_locked(unit: Unit, record: Record) -> None:
    """Approved time of a project that asks for approval, and invoiced time, stay as they are."""
    workspace = unit.rows("workspaces")[record["workspace_id"]]
    if record["is_invoiced"] or (record["approved"] and workspace["require_time_approvals"]):
        raise invalid("base", "This time entry is locked and cannot be changed")


def _check_time(unit: Unit, workspace: Record, fields: Record) -> None:
    if not workspace["time_trackable"]:
        raise forbidden("Time cannot be tracked in this project.")
    if fields["time_in_minutes"] <= 0:
        raise invalid("time_in_minutes", "must be greater than 0")
    if workspace["require_notes_on_time_entries"] and not fields.get("notes"):
        raise invalid("notes", "can't be blank")
    story = unit.find("stories", fields.get("story_id"))
    if fields.get("story_id") and (not story or story["workspace_id"] != workspace["id"]):
        raise invalid("story_id", "must exist")


def create_milestone(unit: Unit, fields: Record) -> Record:
    workspace = unit.find("workspaces", fields["workspace_id"])
    if not workspace:
        raise invalid("workspace_id", "must exist")
    stored = {name: value for name, value in fields.items() if name != "external_reference"}
    record = unit.insert(
        "billing_milestones",
        {
            "date_to_invoice": None,
            "story_id": None,
            **stored,
            "billing_type": "fixed_fee",
            "currency": workspace["currency"],
            "invoice_id": None,
            "invoice_ids": [],
        },
    )
    extension.write_reference(unit, "billing_milestones", record, fields.get("external_reference"))
    return record
