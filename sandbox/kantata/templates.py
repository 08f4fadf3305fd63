"""Kantata stand-in: a project template turned into tasks, milestones and seats of a workspace."""

from datetime import date, timedelta

from sandbox.kantata import staffing, stories
from sandbox.kantata.calendar_days import SATURDAY, workdays
from sandbox.kantata.problems import invalid
from sandbox.kantata.store import Record, Unit
from sandbox.kantata.values import as_flag, as_id, instant


def instantiate(unit: Unit, workspace: Record, settings: Record) -> None:
    template = unit.find("project_tracker_templates", settings["project_tracker_template_id"])
    if not template:
        raise invalid("project_tracker_template_id", "must exist")
    seats = _seat(unit, workspace, template, settings)
    _write_tasks(unit, workspace, template, settings, seats)


def _seat(unit: Unit, workspace: Record, template: Record, settings: Record) -> dict[str, str]:
    """Template seat → workspace resource: named where mapped, else unnamed where asked for."""
    mapped = {
        as_id(each.get("resource_id")): each
        for each in settings.get("project_template_assignment_mappings") or []
    }
    unnamed = bool(settings.get("project_template_create_unnamed_resources"))
    seats: dict[str, str] = {}
    for seat in unit.where("project_template_assignments", project_template_id=template["id"]):
        wanted = mapped.get(seat["id"])
        if not wanted and not unnamed:
            continue
        fields = {"workspace_id": workspace["id"], "role_id": seat["role_id"], "label": seat["name"]}
        if wanted:
            fields["user_id"] = as_id(wanted.get("user_id"))
            fields["role_id"] = as_id(wanted.get("role_id")) or seat["role_id"]
        seats[seat["id"]] = staffing.create_resource(unit, fields)["id"]
    return seats


def _start(workspace: Record, settings: Record, today: str, *, weekends: bool) -> date:
    chosen = settings.get("project_template_start_date") or workspace["start_date"] or today
    day = date.fromisoformat(chosen)
    while not weekends and day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return day


def _write_tasks(
    unit: Unit, workspace: Record, template: Record, settings: Record, seats: dict[str, str]
) -> None:
    weekends = as_flag(settings.get("project_template_weekends_as_workdays", False))
    start = _start(workspace, settings, unit.now[:10], weekends=weekends)
    later = _visible_at(unit)
    made: dict[str, str] = {}
    for task in template["_tasks"]:
        begins = workdays(start, task["offset_days"], weekends=weekends)
        ends = workdays(begins, task["duration_days"], weekends=weekends)
        fields = {
            "workspace_id": workspace["id"],
            "title": task["title"],
            "story_type": task["story_type"],
            "parent_id": made.get(task.get("parent", "")),
            "start_date": begins.isoformat(),
            "due_date": ends.isoformat(),
            "time_estimate_in_minutes": task.get("minutes", 0),
            "assignments": [{"resource_id": seats[seat]} for seat in task.get("seats", []) if seat in seats],
        }
        story = stories.create(unit, fields)
        story.update(later)
        made[task["ref"]] = story["id"]
    if not workspace["start_date"]:
        unit.amend("workspaces", workspace, {"start_date": start.isoformat()})


def _visible_at(unit: Unit) -> Record:
    """A mark for tasks that come after the answer, where the account says so."""
    delay = unit.account.settings.get("template_delay_seconds", 0)
    if not delay:
        return {}
    return {"_visible_at": instant(unit.account.clock.now() + timedelta(seconds=float(delay)))}
