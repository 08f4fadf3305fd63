"""system_apis: completes a Kantata OX project, also one that an earlier try left incomplete, in few calls.

Until a project is complete its facts are set to the draft's. Afterwards delivery owns it, and changes by
people are preserved. No existing record is created again, and no record of a person is deleted.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import msgspec

from contracts.canonical.project import Project as CanonicalProject
from contracts.canonical.project import ProjectDraft, TaskPlan
from contracts.problems import VendorRejected
from system_apis.connector.catalogue import FieldCatalogue
from system_apis.connector.errors import already_exists
from system_apis.connector.once import Guard
from system_apis.connector.psa import Demand, missing_demands, next_level
from system_apis.connector.refusals import check_lengths
from system_apis.vendors.kantata.client import MOST_ALLOCATIONS, MOST_STORIES, KantataClient
from system_apis.vendors.kantata.mapping import project as facts_
from system_apis.vendors.kantata.mapping import structure as structure_
from system_apis.vendors.kantata.mapping import values
from system_apis.vendors.kantata.mapping.project import ProjectFacts
from system_apis.vendors.kantata.mapping.values import STORY, WORKSPACE
from system_apis.vendors.kantata.profile import KantataProfile
from system_apis.vendors.kantata.records import Project, Story, Structure

T = TypeVar("T")


@dataclass
class Provisioning:
    """One put of one project: the draft as the account has it, and the account's state as it grows."""

    client: KantataClient
    profile: KantataProfile
    guard: Guard
    catalogue: FieldCatalogue
    key: str
    draft: ProjectDraft

    def __post_init__(self) -> None:
        """What the account lacks or does not take is reported before anything is created."""
        check_lengths(structure_.texts(self.draft), self.profile.name)
        given = (self.draft, self.key, self.profile, self.catalogue)
        self._facts: ProjectFacts = facts_.from_draft(*given)
        self._demands: tuple[Demand, ...] = structure_.demands(self.draft, self.profile, self.catalogue)
        self._key_field = task_key_field(self.profile, self.catalogue)

    async def run(self) -> CanonicalProject:
        project = await self.client.project_of_key(self.key)
        if project is None:
            project, structure = await self._create()
        else:
            workspace = project.workspace
            if workspace.archived or facts_.is_cancelled(workspace, self.profile):
                # First of all: of an archived project the account may hide the tasks.
                project = await self._bring(project)
            structure = await self.client.structure(project, self._key_field)
        known = structure_.known(self.draft, self.key, structure)
        missing = missing_demands(self._demands, self.key, [each.notes for each in structure.allocations])
        if len(known) < len(self.draft.tasks) or missing:
            project = await self._bring(project)
            structure = await self._add_tasks(project, structure, known)
            structure = await self._add_demands(project, structure, missing)
        return structure_.whole(project, structure, self.profile, self.catalogue)

    # -- facts ------------------------------------------------------------------------------------------

    async def _create(self) -> tuple[Project, Structure]:
        """A new project, or the one that was created at the same moment."""
        body = facts_.create_body(self._facts, self.client.reference(self.key, "project"), self.profile)
        try:
            project = await self.client.create_project(body)
        except VendorRejected as refusal:
            if not already_exists(refusal):
                raise
            key_field = self.catalogue.field_of(WORKSPACE, self.profile.fields.project.key, self.profile.name)
            project = await self.client.recovered_project(self.key, key_field.id)
            if project is None:
                raise
            return project, await self.client.structure(project, self._key_field)
        project = await self._bring(project)
        if self._key_field:
            # No read is needed: tasks that another process is adding have the same unique keys.
            return project, Structure(seats=project.seats)
        # Without such keys only a read shows whether another process has started already.
        return project, await self.client.structure(project, self._key_field)

    async def _bring(self, project: Project) -> Project:
        """The project alive and with the draft's facts; raises VendorRejected for what is ignored."""
        missing = self._left(project)
        changes = dict(missing.fields)
        if project.workspace.archived:
            changes["archived"] = False
        if changes:
            updated = await self.client.update_project(project.workspace.id, changes)
            project = msgspec.structs.replace(updated, seats=updated.seats or project.seats)
        for field_id, value in missing.custom.items():
            known = values.by_field(project).get(field_id)
            made = await self.client.set_custom_value(WORKSPACE, project.workspace.id, field_id, value, known)
            others = tuple(each for each in project.custom if each.id != made.id)
            project = msgspec.structs.replace(project, custom=(*others, made))
        still = self._left(project)
        if still.fields or still.custom:
            raise facts_.not_set(still, self.catalogue, self.profile.name)
        return project

    def _left(self, project: Project) -> ProjectFacts:
        """The facts to send; the status only of a project that has ended: otherwise people set it."""
        missing = facts_.differing(self._facts, project)
        status = facts_.status_of(project.workspace, self.profile)
        if status in ("planned", "active"):
            missing.fields.pop("status_key", None)
        return missing

    # -- tasks ------------------------------------------------------------------------------------------

    async def _add_tasks(self, project: Project, structure: Structure, known: dict[str, str]) -> Structure:
        """All missing tasks, one level of the tree after the other."""
        while plans := next_level(self.draft.tasks, known):
            batch = list(islice(plans, MOST_STORIES))
            structure = await self._add_batch(project, structure, batch, known)
            before, known = known, structure_.known(self.draft, self.key, structure)
            if len(known) == len(before):
                raise structure_.structure_lost(self.profile.name, batch)
        return structure

    async def _add_batch(
        self, project: Project, structure: Structure, plans: list[TaskPlan], known: dict[str, str]
    ) -> Structure:
        bodies = [structure_.story_body(plan, project, self.key, known, self._key_field) for plan in plans]
        try:
            made, keys = await self._create_stories(project, bodies)
        except VendorRejected as refusal:
            if not already_exists(refusal):
                raise
            # An earlier request has come to pass after all, or another process was faster.
            stories, keys = await self.client.stories(project.workspace.id, self._key_field)
            return msgspec.structs.replace(structure, stories=tuple(stories), keys=keys)
        structure_.check_stories(bodies, made, self.profile.name)
        return msgspec.structs.replace(
            structure, stories=(*structure.stories, *made), keys={**structure.keys, **keys}
        )

    async def _create_stories(
        self, project: Project, bodies: list[dict[str, Any]]
    ) -> tuple[list[Story], dict[str, str]]:
        if self._key_field:
            return await self.client.create_stories(bodies, self._key_field)
        return await self._once(
            f"tasks of {project.workspace.id}", lambda: self.client.create_stories(bodies, "")
        )

    # -- demand -----------------------------------------------------------------------------------------

    async def _add_demands(self, project: Project, structure: Structure, missing: list[Demand]) -> Structure:
        """A seat and a soft booking for each demand that has none."""
        workspace_id = project.workspace.id
        free, seats = structure_.free_seats(structure), list(structure.seats)
        bodies: list[dict[str, Any]] = []
        for demand in missing:
            waiting = free.get(demand.role_id)
            if not waiting:
                name = f"seat {demand.number} of {workspace_id}"
                create = partial(self.client.create_seat, workspace_id, demand.role_id)
                seats.append(await self._once(name, create))
                waiting = [seats[-1].id]
            bodies.append(structure_.allocation_body(demand, waiting.pop(0), self.key))
        bookings = list(structure.allocations)
        for first in range(0, len(bodies), MOST_ALLOCATIONS):
            batch = bodies[first : first + MOST_ALLOCATIONS]
            create = partial(self.client.create_allocations, batch)
            made = await self._once(f"staffing demand of {workspace_id}", create)
            structure_.check_allocations(batch, made, self.profile.name)
            bookings += made
        return msgspec.structs.replace(structure, seats=tuple(seats), allocations=tuple(bookings))

    async def _once(self, name: str, send: Callable[[], Awaitable[T]]) -> T:
        """Send what the vendor would do twice; not while an unanswered one may still come to pass."""
        async with self.guard(name):
            return await send()


def task_key_field(profile: KantataProfile, catalogue: FieldCatalogue) -> str:
    """The id of the unique field of tasks, empty where the profile names none."""
    name = profile.fields.task.key
    return catalogue.field_of(STORY, name, profile.name).id if name else ""
