"""system_apis: what a project consists of: tasks, seats and bookings, in both directions. Pure.

Our tasks are recognised by their unique field, where the account has one, or by their titles. Our demands
are recognised by the first words of their bookings' notes, also after the seat gets a person.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from contracts.canonical.project import Project as CanonicalProject
from contracts.canonical.project import ProjectDraft, StaffingDemand, Task, TaskPlan
from contracts.problems import Fault, VendorRejected
from system_apis.vendors.kantata.mapping import facts, values
from system_apis.vendors.kantata.records import (
    Catalogue,
    Project,
    Story,
    Structure,
    WorkspaceAllocation,
    WorkspaceResource,
)
from system_apis.vendors.kantata.settings.maps import Maps

_MILESTONE = "milestone"
_NOTES = re.compile(
    r"Enfilade (?P<key>[A-Za-z0-9_\-]+)/(?P<number>\d+)"
    r"(?:; region (?P<region>[^;]*))?(?:; skills (?P<skills>[^;]*))?"
)


class Demand(NamedTuple):
    """A staffing demand with its number in the draft and the role's id in the account."""

    number: int
    role_id: str
    wanted: StaffingDemand


def task_key(key: str, plan: TaskPlan) -> str:
    """A task's own key: the project's, and the task's place in the template."""
    return f"{key}.{plan.code}"


def known_tasks(
    tasks: Sequence[TaskPlan], key: str, stories: Iterable[Story], keys: dict[str, str]
) -> dict[str, str]:
    """The ids of the tasks that are there already, by the plan's code."""
    by_key = {known: story_id for story_id, known in keys.items()}
    by_title: dict[tuple[str, bool], list[str]] = {}
    for story in stories:
        if story.id not in keys:
            place = (story.title, story.story_type == _MILESTONE)
            by_title.setdefault(place, []).append(story.id)
    ids: dict[str, str] = {}
    for plan in tasks:
        same = by_title.get((plan.title, plan.kind == _MILESTONE), [])
        if known := by_key.get(task_key(key, plan)):
            ids[plan.code] = known
        elif same:
            ids[plan.code] = same.pop(0)
    return ids


def next_level(tasks: Sequence[TaskPlan], known: dict[str, str]) -> list[TaskPlan]:
    """The missing tasks whose parents exist: those that can be created in one call."""
    codes = {plan.code for plan in tasks}
    return [
        plan
        for plan in tasks
        if plan.code not in known and (plan.parent in known or plan.parent not in codes)
    ]


def story_body(
    plan: TaskPlan, project: Project, key: str, known: dict[str, str], key_field: str
) -> dict[str, Any]:
    """A task to create."""
    body: dict[str, Any] = {
        "workspace_id": project.workspace.id,
        "title": plan.title,
        "story_type": plan.kind,
    }
    if plan.start:
        body["start_date"] = plan.start.isoformat()
    if plan.due:
        body["due_date"] = plan.due.isoformat()
    if plan.hours is not None:
        body["time_estimate_in_minutes"] = values.minutes(plan.hours)
    if plan.amount is not None:
        body["budget_estimate_in_cents"] = values.subunits(
            plan.amount.amount, project.workspace.currency_base_unit
        )
    if plan.parent in known:
        body["parent_id"] = known[plan.parent]
    if key_field:
        body["custom_fields"] = [{"custom_field_id": key_field, "value": task_key(key, plan)}]
    return body


_STORY_ECHO = ("title", "story_type", "time_estimate_in_minutes", "budget_estimate_in_cents")


def check_stories(sent: Sequence[dict[str, Any]], made: Sequence[Story], instance: str) -> None:
    """Raises VendorRejected when the account saved less than was sent; an answer has no defined order."""
    expected = Counter(tuple(body.get(name) for name in _STORY_ECHO) for body in sent)
    saved = Counter(_sent_values(story, expected) for story in made)
    lost = expected - saved
    if lost:
        titles = [str(each[0]) for each in lost]
        raise VendorRejected(
            f"{instance}: the account did not save hours or budget of {', '.join(titles)};"
            " both need a budgeted project and the financial permission",
            instance=instance,
            errors=tuple(Fault("/tasks", "was not saved", code="ignored", field=title) for title in titles),
        )


def _sent_values(story: Story, expected: Counter[tuple[Any, ...]]) -> tuple[Any, ...]:
    """A task's values that were sent; the others may have a default of the vendor."""
    exact = tuple(getattr(story, name) for name in _STORY_ECHO)
    for each in expected:
        if all(mine is None or mine == theirs for mine, theirs in zip(each, exact, strict=True)):
            return each
    return exact


def demands(draft: ProjectDraft, maps: Maps, catalogue: Catalogue) -> tuple[Demand, ...]:
    """The draft's demands; raises VendorRejected for a role that the account does not have."""
    demands: list[Demand] = []
    for number, wanted in enumerate(draft.staffing, start=1):
        name = values.label_of(wanted.role, maps.picklists.role)
        role_id = catalogue.roles.get(name)
        if role_id is None:
            lacks = (
                f"the account has no role {name!r}"
                if name
                else f"[picklists.role] of the profile has no label for {wanted.role!r}"
            )
            raise values.missing(maps.instance, lacks, f"/staffing/{number - 1}/role", "role")
        demands.append(Demand(number, role_id, wanted))
    return tuple(demands)


def missing_demands(
    wanted: Sequence[Demand], key: str, allocations: Iterable[WorkspaceAllocation]
) -> list[Demand]:
    """The demands for which there is no booking of ours."""
    there = {number for number, _ in _ours(key, allocations)}
    return [demand for demand in wanted if demand.number not in there]


def _ours(key: str, allocations: Iterable[WorkspaceAllocation]) -> list[tuple[int, WorkspaceAllocation]]:
    matches = ((each, _NOTES.match(each.notes or "")) for each in allocations)
    return [(int(match["number"]), each) for each, match in matches if match and match["key"] == key]


def free_seats(structure: Structure) -> dict[str, list[str]]:
    """Seats that wait for a person and have no booking yet, by role: an earlier try came so far."""
    booked = {str(each.workspace_resource_id) for each in structure.allocations}
    groups: dict[str, list[str]] = {}
    for seat in structure.seats:
        if seat.user_id is None and seat.id not in booked:
            groups.setdefault(str(seat.role_id), []).append(seat.id)
    return groups


def allocation_body(demand: Demand, seat_id: str, key: str) -> dict[str, Any]:
    """A soft booking to create: it requests a person and assigns none."""
    wanted = demand.wanted
    notes = f"Enfilade {key}/{demand.number}"
    if wanted.region:
        notes += f"; region {wanted.region}"
    if wanted.skills:
        notes += f"; skills {', '.join(wanted.skills)}"
    return {
        "resource_id": seat_id,
        "start_date": wanted.start.isoformat(),
        "end_date": wanted.end.isoformat(),
        "minutes": values.minutes(wanted.hours),
        "hard": False,
        "notes": notes,
    }


def check_allocations(
    sent: Sequence[dict[str, Any]], made: Sequence[WorkspaceAllocation], instance: str
) -> None:
    """Raises VendorRejected when the account saved other bookings than were sent."""
    expected = Counter((body["minutes"], body["hard"], body["notes"]) for body in sent)
    saved = Counter((each.minutes, each.hard, each.notes) for each in made)
    if expected != saved:
        raise VendorRejected(
            f"{instance}: the account saved another staffing demand than was sent",
            instance=instance,
            errors=(Fault("/staffing", "was not saved", code="ignored", field="staffing"),),
        )


def whole(project: Project, structure: Structure, maps: Maps, catalogue: Catalogue) -> CanonicalProject:
    """The project with its structure."""
    shown = [story for story in structure.stories if not story.deleted_at]
    # Counted again: the subtasks of a new task are created after it.
    parents = {story.parent_id for story in shown}
    estimates = [story.time_estimate_in_minutes for story in shown if story.id not in parents]
    minutes = [each for each in estimates if each is not None]
    return msgspec.structs.replace(
        facts.to_project(project, maps, catalogue),
        tasks=tuple(_task(story) for story in sorted(shown, key=_place)),
        planned_roles=_planned(structure, maps, catalogue),
        budget_hours=values.hours(sum(minutes)) if minutes else None,
    )


def _place(story: Story) -> tuple[int, int, str]:
    return (story.position or 0, len(story.id), story.id)


def _task(story: Story) -> Task:
    return Task(
        id=story.id,
        title=story.title,
        kind="milestone" if story.story_type == _MILESTONE else "task",
        start=story.start_date,
        due=story.due_date,
        hours=values.hours(story.time_estimate_in_minutes),
        status=story.state,
    )


def _planned(structure: Structure, maps: Maps, catalogue: Catalogue) -> tuple[StaffingDemand, ...]:
    """Soft bookings of seats without a person, and our own bookings whether or not the seat is taken."""
    seats = {seat.id: seat for seat in structure.seats}
    demands: list[tuple[int, StaffingDemand]] = []
    for booking in structure.allocations:
        seat = seats.get(str(booking.workspace_resource_id))
        notes = _NOTES.match(booking.notes or "")
        if seat is None or (notes is None and (booking.hard or seat.user_id is not None)):
            continue
        number = int(notes["number"]) if notes else len(structure.allocations)
        demands.append((number, _demand(booking, seat, notes, maps, catalogue)))
    return tuple(demand for _, demand in sorted(demands, key=lambda each: each[0]))


def _demand(
    booking: WorkspaceAllocation,
    seat: WorkspaceResource,
    notes: re.Match[str] | None,
    maps: Maps,
    catalogue: Catalogue,
) -> StaffingDemand:
    name = seat.role_name or catalogue.role_name(seat.role_id)
    skills = (notes["skills"] if notes else None) or ""
    return StaffingDemand(
        role=maps.picklists.role.get(name, name),
        start=booking.start_date,
        end=booking.end_date,
        hours=values.hours(booking.minutes) or Decimal(0),
        region=(notes["region"] if notes else None) or "",
        skills=tuple(skills.split(", ")) if skills else (),
        id=booking.id,
    )
