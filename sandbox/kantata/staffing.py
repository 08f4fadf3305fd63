"""Kantata stand-in: who works in a project: participations, seats, bookings, requests and assignments."""

from datetime import date

from sandbox.kantata import extension
from sandbox.kantata.calendar_days import working_minutes
from sandbox.kantata.problems import invalid
from sandbox.kantata.store import Record, Unit

PROJECT_ACCESS = (
    "personal_access", "edit_all", "financials", "edit_and_financials", "project_lead", "admin",
)  # fmt: skip
RESOLUTIONS = ("approved", "rejected", "cancelled")


def join(
    unit: Unit,
    workspace_id: str,
    user_id: str | None,
    *,
    role: str = "maven",
    access: str | None = None,
    lead: bool = False,
) -> Record:
    """The participation of that user in that workspace, made if missing."""
    if not unit.find("users", user_id):
        raise invalid("user_id", "must exist")
    held = unit.where("participations", workspace_id=workspace_id, user_id=user_id)
    if held:
        return held[0]
    level = access or ("project_lead" if lead else "edit_all")
    return create_participation(
        unit,
        {
            "workspace_id": workspace_id,
            "user_id": user_id,
            "role": role,
            "access_level": level,
            "is_team_lead": lead,
        },
    )


def create_participation(unit: Unit, fields: Record) -> Record:
    if fields.get("role", "maven") not in ("maven", "buyer"):
        raise invalid("role", "is not included in the list")
    if fields.get("access_level") is not None and fields["access_level"] not in PROJECT_ACCESS:
        raise invalid("access_level", "is not included in the list")
    if unit.where("participations", workspace_id=fields["workspace_id"], user_id=fields["user_id"]):
        raise invalid("user_id", "has already been taken")
    blank = {"rate_in_cents": None, "cost_in_cents": None, "can_invite": False, "is_team_lead": False}
    stored = {name: value for name, value in fields.items() if name != "external_reference"}
    record = unit.insert("participations", {**blank, "role": "maven", "access_level": "edit_all", **stored})
    extension.write_reference(unit, "participations", record, fields.get("external_reference"))
    return record


def update_participation(unit: Unit, record: Record, fields: Record) -> None:
    changes = {
        name: value for name, value in fields.items() if name not in ("external_reference", "team_lead")
    }
    if "team_lead" in fields:
        changes["is_team_lead"] = fields["team_lead"]
    unit.amend("participations", record, changes)
    workspace = unit.find("workspaces", record["workspace_id"])
    if fields.get("team_lead") and workspace:
        unit.amend("workspaces", workspace, {"primary_maven_id": record["user_id"]})
    extension.write_reference(unit, "participations", record, fields.get("external_reference"))


def create_resource(unit: Unit, fields: Record) -> Record:
    """A seat; without a user it is unnamed, and its role is what is planned."""
    user_id, role_id = fields.get("user_id"), fields.get("role_id")
    if not unit.find("workspaces", fields["workspace_id"]):
        raise invalid("workspace_id", "must exist")
    participation = join(unit, fields["workspace_id"], user_id) if user_id else None
    role = unit.find("roles", role_id)
    if role_id and not role:
        raise invalid("role_id", "must exist")
    record = unit.insert(
        "workspace_resources",
        {
            "workspace_id": fields["workspace_id"],
            "user_id": user_id,
            "role_id": role_id,
            "label": fields.get("label") or (role["name"] if role else None),
            "participation_id": participation["id"] if participation else None,
            "bill_rate": None,
            "cost_rate": None,
        },
    )
    extension.write_values(unit, "WorkspaceResource", record, fields.get("custom_fields"))
    extension.write_reference(unit, "workspace_resources", record, fields.get("external_reference"))
    return record


def update_resource(unit: Unit, record: Record, fields: Record) -> None:
    changes = {name: value for name, value in fields.items() if name != "external_reference"}
    if changes.get("user_id"):
        changes["participation_id"] = join(unit, record["workspace_id"], changes["user_id"])["id"]
    unit.amend("workspace_resources", record, changes)
    extension.write_reference(unit, "workspace_resources", record, fields.get("external_reference"))


def create_allocation(unit: Unit, fields: Record) -> Record:
    resource = unit.find("workspace_resources", fields["resource_id"])
    if not resource:
        raise invalid("resource_id", "must exist")
    _check_span(fields)
    record = unit.insert(
        "workspace_allocations",
        {
            "workspace_resource_id": resource["id"],
            "workspace_id": resource["workspace_id"],
            "start_date": fields["start_date"],
            "end_date": fields["end_date"],
            "minutes": fields["minutes"],
            "hard": bool(fields.get("hard", False)),
            "notes": fields.get("notes"),
            "creator_id": unit.user_id,
        },
    )
    extension.write_reference(unit, "workspace_allocations", record, fields.get("external_reference"))
    return record


def update_allocation(unit: Unit, record: Record, fields: Record) -> None:
    changes = {name: value for name, value in fields.items() if name != "external_reference"}
    _check_span({**record, **changes})
    unit.amend("workspace_allocations", record, changes)
    extension.write_reference(unit, "workspace_allocations", record, fields.get("external_reference"))


def _check_span(fields: Record) -> None:
    if fields["end_date"] < fields["start_date"]:
        raise invalid("end_date", "must be on or after the start date")
    if fields["minutes"] < 0:
        raise invalid("minutes", "must be greater than or equal to 0")


def create_request(unit: Unit, fields: Record) -> Record:
    """Demand for a seat: an existing one or one made here from a workspace and a role; booked softly."""
    resource = _requested_seat(unit, fields)
    for user_id in fields.get("approver_ids", []):
        if not unit.find("users", user_id):
            raise invalid("approver_ids", "must exist")
    start, end = fields.get("workspace_allocation_start_date"), fields.get("workspace_allocation_end_date")
    percentage = fields.get("workspace_allocation_percentage")
    if start and end and percentage is not None:
        if end < start:
            raise invalid("workspace_allocation_end_date", "must be on or after the start date")
        minutes = working_minutes(start, end) * percentage // 100
        create_allocation(
            unit, {"resource_id": resource["id"], "start_date": start, "end_date": end, "minutes": minutes}
        )
    record = unit.insert(
        "resource_requests",
        {
            "resource_id": resource["id"],
            "workspace_id": resource["workspace_id"],
            "approver_ids": fields.get("approver_ids", []),
            "workspace_allocation_start_date": start,
            "workspace_allocation_end_date": end,
            "workspace_allocation_percentage": percentage,
            "status": "pending",
            "creator_id": unit.user_id,
        },
    )
    extension.write_reference(unit, "resource_requests", record, fields.get("external_reference"))
    return record


def _requested_seat(unit: Unit, fields: Record) -> Record:
    if fields.get("resource_id"):
        resource = unit.find("workspace_resources", fields["resource_id"])
        if not resource:
            raise invalid("resource_id", "must exist")
        return resource
    workspace_id = fields.get("resource_workspace_id")
    if not workspace_id:
        raise invalid("resource_id", "can't be blank")
    return create_resource(unit, {"workspace_id": workspace_id, "role_id": fields.get("resource_role_id")})


def update_request(unit: Unit, record: Record, fields: Record) -> None:
    resolution = fields.get("request_resolution_status")
    if resolution is not None and resolution not in RESOLUTIONS:
        raise invalid("request_resolution_status", "is not included in the list")
    if resolution:
        if record["status"] != "pending":
            raise invalid("status", "has already been resolved")
        unit.amend("resource_requests", record, {"status": resolution})
    resource = unit.find("workspace_resources", record["resource_id"])
    if resource and fields.get("user_id"):
        update_resource(unit, resource, {"user_id": fields["user_id"]})
    if resource and fields.get("allocations_state") in ("hard", "soft"):
        for booking in unit.where("workspace_allocations", workspace_resource_id=resource["id"]):
            unit.amend("workspace_allocations", booking, {"hard": fields["allocations_state"] == "hard"})
    extension.write_reference(unit, "resource_requests", record, fields.get("external_reference"))


def create_assignment(unit: Unit, fields: Record) -> Record:
    story = unit.find("stories", fields["story_id"])
    if not story:
        raise invalid("story_id", "must exist")
    if not fields.get("assignee_id") and not fields.get("resource_id"):
        raise invalid("assignee_id", "can't be blank")
    record = assign(unit, story, fields)
    extension.write_reference(unit, "assignments", record, fields.get("external_reference"))
    return record


def assign(unit: Unit, story: Record, fields: Record) -> Record:
    """Put a seat or a person on a story; a repeated wish is the same assignment."""
    resource = unit.find("workspace_resources", fields.get("resource_id"))
    if fields.get("resource_id") and (not resource or resource["workspace_id"] != story["workspace_id"]):
        raise invalid("resource_id", "must exist")
    assignee_id = resource["user_id"] if resource else fields.get("assignee_id")
    if assignee_id and not resource:
        join(unit, story["workspace_id"], assignee_id)
    who = {
        "story_id": story["id"],
        "assignee_id": assignee_id,
        "resource_id": resource["id"] if resource else None,
    }
    changes = {"current": fields.get("current", True)}
    if fields.get("estimated_minutes") is not None:
        changes["estimated_minutes"] = fields["estimated_minutes"]
    held = unit.where("assignments", **who)
    if held:
        return unit.amend("assignments", held[0], changes)
    return unit.insert("assignments", {**who, "estimated_minutes": 0, "allocated_minutes": 0, **changes})


def overlap(record: Record, first: date, last: date) -> bool:
    return record["start_date"] <= last.isoformat() and record["end_date"] >= first.isoformat()
