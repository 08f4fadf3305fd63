"""system_apis: what a project consists of: tasks, seats and bookings, in both directions. Pure.

Our tasks are recognised by their unique field, where the account has one, or by their titles.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from contracts.canonical.project import Project as CanonicalProject
from contracts.canonical.project import ProjectDraft, StaffingDemand, Task, TaskPlan
from contracts.problems import VendorRejected
from system_apis.connector.catalogue import FieldCatalogue
from system_apis.connector.codes import code_of
from system_apis.connector.psa import (
    Demand,
    Existing,
    hours,
    known_tasks,
    label_of,
    mark_of,
    minutes,
    not_saved,
    notes_of,
    task_key,
)
from system_apis.connector.refusals import ignored, missing
from system_apis.connector.values import subunits
from system_apis.vendors.kantata.mapping import values
from system_apis.vendors.kantata.mapping.project import to_project
from system_apis.vendors.kantata.profile import KantataProfile
from system_apis.vendors.kantata.records import (
    Project,
    Story,
    Structure,
    WorkspaceAllocation,
    WorkspaceResource,
)

MOST_OF_TITLE = 200
_MILESTONE = "milestone"
_STORY = ("title", "story_type", "time_estimate_in_minutes", "budget_estimate_in_cents")
_ALLOCATION = ("minutes", "hard", "notes")


def texts(draft: ProjectDraft) -> Iterator[tuple[str, str, int]]:
    """Where each task's title stands, the title, and how many characters it may have: it is never cut."""
    for number, task in enumerate(draft.tasks):
        yield f"tasks/{number}/title", task.title, MOST_OF_TITLE


def known(draft: ProjectDraft, key: str, structure: Structure) -> dict[str, str]:
    """The ids of the draft's tasks that are there already, by the plan's code."""
    existing = (
        Existing(story.id, structure.keys.get(story.id, ""), story.title, story.story_type == _MILESTONE)
        for story in structure.stories
    )
    return known_tasks(draft.tasks, key, existing)


def story_body(
    plan: TaskPlan, project: Project, key: str, known: dict[str, str], key_field: str
) -> dict[str, Any]:
    """A task to create."""
    base_unit = project.workspace.currency_base_unit
    body: dict[str, Any] = {
        "workspace_id": project.workspace.id,
        "title": plan.title,
        "story_type": plan.kind,
        "start_date": plan.start and plan.start.isoformat(),
        "due_date": plan.due and plan.due.isoformat(),
        "time_estimate_in_minutes": None if plan.hours is None else minutes(plan.hours),
        "budget_estimate_in_cents": plan.amount and subunits(plan.amount.amount, base_unit),
        "parent_id": known.get(plan.parent),
    }
    if key_field:
        body["custom_fields"] = values.custom_bodies({key_field: task_key(key, plan)})
    return {name: value for name, value in body.items() if value is not None}


def check_stories(sent: Sequence[dict[str, Any]], made: Sequence[Story], instance: str) -> None:
    """Raises VendorRejected when the account saved less than was sent."""
    if titles := [str(title) for title, *_ in not_saved(sent, made, _STORY)]:
        raise ignored(
            instance,
            f"the account did not save hours or budget of {', '.join(titles)};"
            " both need a budgeted project and the financial permission",
            [("/tasks", title) for title in titles],
        )


def demands(draft: ProjectDraft, profile: KantataProfile, catalogue: FieldCatalogue) -> tuple[Demand, ...]:
    """The draft's demands; raises VendorRejected for a role that the account does not have."""

    def demand(number: int, wanted: StaffingDemand) -> Demand:
        place = f"staffing/{number - 1}/role"
        name = label_of(profile, "role", wanted.role, place)
        if name not in catalogue.roles:
            raise missing(profile.name, f"the account has no role {name!r}", place)
        return Demand(number, catalogue.roles[name], wanted)

    return tuple(demand(number, wanted) for number, wanted in enumerate(draft.staffing, start=1))


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
    return {
        "resource_id": seat_id,
        "start_date": demand.wanted.start.isoformat(),
        "end_date": demand.wanted.end.isoformat(),
        "minutes": minutes(demand.wanted.hours),
        "hard": False,
        "notes": notes_of(key, demand),
    }


def check_allocations(
    sent: Sequence[dict[str, Any]], made: Sequence[WorkspaceAllocation], instance: str
) -> None:
    """Raises VendorRejected when the account saved other bookings than were sent."""
    if len(sent) != len(made) or not_saved(sent, made, _ALLOCATION):
        sentence = "the account saved another staffing demand than was sent"
        raise ignored(instance, sentence, [("/staffing", "staffing")])


def whole(
    project: Project, structure: Structure, profile: KantataProfile, catalogue: FieldCatalogue
) -> CanonicalProject:
    """The project with its structure."""
    shown = [story for story in structure.stories if not story.deleted_at]
    # Counted again: the subtasks of a new task are created after it.
    parents = {story.parent_id for story in shown}
    estimates = [story.time_estimate_in_minutes for story in shown if story.id not in parents]
    known_minutes = [each for each in estimates if each is not None]
    ordered = sorted(shown, key=lambda story: (story.position or 0, len(story.id), story.id))
    planned = sorted(_planned(structure, profile, catalogue), key=lambda each: each[0])
    return msgspec.structs.replace(
        to_project(project, profile, catalogue),
        tasks=tuple(map(_task, ordered)),
        planned_roles=tuple(demand for _, demand in planned),
        budget_hours=hours(sum(known_minutes)) if known_minutes else None,
    )


def _task(story: Story) -> Task:
    return Task(
        id=story.id,
        title=story.title,
        kind="milestone" if story.story_type == _MILESTONE else "task",
        start=story.start_date,
        due=story.due_date,
        hours=hours(story.time_estimate_in_minutes),
        status=story.state,
    )


def _planned(
    structure: Structure, profile: KantataProfile, catalogue: FieldCatalogue
) -> Iterator[tuple[int, StaffingDemand]]:
    """Soft bookings of seats without a person, and our own bookings whether or not the seat is taken."""
    seats = {seat.id: seat for seat in structure.seats}
    for booking in structure.allocations:
        seat, mark = seats.get(str(booking.workspace_resource_id)), mark_of(booking.notes)
        if seat is None or (mark is None and (booking.hard or seat.user_id is not None)):
            continue
        number = mark.number if mark else len(structure.allocations)
        yield (
            number,
            StaffingDemand(
                role=_role(seat, profile, catalogue),
                start=booking.start_date,
                end=booking.end_date,
                hours=hours(booking.minutes) or Decimal(0),
                region=mark.region if mark else "",
                skills=mark.skills if mark else (),
                id=booking.id,
            ),
        )


def _role(seat: WorkspaceResource, profile: KantataProfile, catalogue: FieldCatalogue) -> str:
    name = seat.role_name or catalogue.role_name(seat.role_id)
    return code_of(profile.picklists.role, name) or name


def structure_lost(instance: str, plans: Sequence[TaskPlan]) -> VendorRejected:
    """The problem for tasks that the account neither creates nor shows."""
    titles = ", ".join(plan.title for plan in plans)
    return VendorRejected(
        f"{instance}: the account reports that these tasks exist, but hides them from our user: {titles}",
        instance=instance,
    )
