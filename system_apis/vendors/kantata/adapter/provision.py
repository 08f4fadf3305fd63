"""system_apis: completes a Kantata OX project, also one that an earlier try left incomplete, in few calls.

Until a project is complete its facts are set to the draft's. Afterwards delivery owns it, and changes by
people are preserved. No existing record is created again, and no record of a person is deleted.
"""

from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any, TypeVar

import msgspec

from contracts.canonical.project import Project as CanonicalProject
from contracts.canonical.project import ProjectDraft, TaskPlan
from contracts.problems import VendorRejected
from system_apis.connector.catalogue import Catalogue
from system_apis.connector.errors import already_exists
from system_apis.connector.once import Guard
from system_apis.connector.psa import Demand, missing_demands, next_level
from system_apis.vendors.kantata.client import MOST_ALLOCATIONS, MOST_STORIES, KantataClient
from system_apis.vendors.kantata.mapping import project as facts_
from system_apis.vendors.kantata.mapping import structure as structure_
from system_apis.vendors.kantata.mapping import values
from system_apis.vendors.kantata.mapping.project import Facts
from system_apis.vendors.kantata.mapping.values import STORY, WORKSPACE
from system_apis.vendors.kantata.profile import KantataProfile
from system_apis.vendors.kantata.records import Project, Story, Structure

T = TypeVar("T")


class Provisioning:
    """One put of one project: the draft as the account has it, and the account's state as it grows."""

    def __init__(
        self,
        client: KantataClient,
        profile: KantataProfile,
        guard: Guard,
        catalogue: Catalogue,
        key: str,
        draft: ProjectDraft,
    ) -> None:
        self._client = client
        self._profile = profile
        self._sending = guard
        self._catalogue = catalogue
        self._key = key
        self._draft = draft
        # All that the account lacks is reported before anything is created.
        self._facts: Facts = facts_.from_draft(draft, key, profile, catalogue)
        self._demands: tuple[Demand, ...] = structure_.demands(draft, profile, catalogue)
        self._key_field = task_key_field(profile, catalogue)

    async def run(self) -> CanonicalProject:
        project = await find_project(self._client, self._profile, self._catalogue, self._key)
        if project is None:
            project, structure = await self._create()
        else:
            if not self._is_live(project):
                # First of all: of an archived project the account may hide the tasks.
                project = await self._bring(project)
            structure = await self._client.structure(project, self._key_field)
        known = self._known(structure)
        missing = missing_demands(
            self._demands, self._key, (booking.notes for booking in structure.allocations)
        )
        if len(known) < len(self._draft.tasks) or missing:
            project = await self._bring(project)
            structure = await self._add_tasks(project, structure, known)
            structure = await self._add_demands(project, structure, missing)
        return structure_.whole(project, structure, self._profile, self._catalogue)

    def _known(self, structure: Structure) -> dict[str, str]:
        return structure_.known(self._draft, self._key, structure)

    def _is_live(self, project: Project) -> bool:
        return not project.workspace.archived and (
            facts_.status_of(project.workspace, self._profile) != "cancelled"
        )

    # -- facts ------------------------------------------------------------------------------------------

    async def _create(self) -> tuple[Project, Structure]:
        """A new project, or the one that was created at the same moment."""
        body = facts_.create_body(self._facts, self._key, self._profile)
        try:
            project = await self._client.create_project(body)
        except VendorRejected as refusal:
            if not already_exists(refusal):
                raise
            project = await find_project(
                self._client, self._profile, self._catalogue, self._key, despite=refusal
            )
            if project is None:
                raise
            return project, await self._client.structure(project, self._key_field)
        project = await self._bring(project)
        if self._key_field:
            # No read is needed: tasks that another process is adding have the same unique keys.
            return project, Structure(seats=project.seats)
        # Without such keys only a read shows whether another process has started already.
        return project, await self._client.structure(project, self._key_field)

    async def _bring(self, project: Project) -> Project:
        """The project alive and with the draft's facts; raises VendorRejected for what is ignored."""
        missing = self._left(project)
        changes = dict(missing.fields)
        if project.workspace.archived:
            changes["archived"] = False
        if changes:
            updated = await self._client.update_project(project.workspace.id, changes)
            project = msgspec.structs.replace(updated, seats=updated.seats or project.seats)
        for field_id, value in missing.custom.items():
            known = values.by_field(project).get(field_id)
            made = await self._client.set_custom_value(
                WORKSPACE, project.workspace.id, field_id, value, known
            )
            others = tuple(each for each in project.custom if each.id != made.id)
            project = msgspec.structs.replace(project, custom=(*others, made))
        still = self._left(project)
        if still.fields or still.custom:
            raise facts_.not_set(still, self._catalogue, self._profile.name)
        return project

    def _left(self, project: Project) -> Facts:
        """The facts to send; the status only of a project that has ended: otherwise people set it."""
        missing = facts_.differing(self._facts, project)
        status = facts_.status_of(project.workspace, self._profile)
        if status in ("planned", "active"):
            missing.fields.pop("status_key", None)
        return missing

    # -- tasks ------------------------------------------------------------------------------------------

    async def _add_tasks(self, project: Project, structure: Structure, known: dict[str, str]) -> Structure:
        """All missing tasks, one level of the tree after the other."""
        while plans := next_level(self._draft.tasks, known):
            batch = list(islice(plans, MOST_STORIES))
            structure = await self._add_batch(project, structure, batch, known)
            before, known = known, self._known(structure)
            if len(known) == len(before):
                raise structure_.structure_lost(self._profile.name, batch)
        return structure

    async def _add_batch(
        self, project: Project, structure: Structure, plans: list[TaskPlan], known: dict[str, str]
    ) -> Structure:
        bodies = [structure_.story_body(plan, project, self._key, known, self._key_field) for plan in plans]
        try:
            made, keys = await self._create_stories(project, bodies)
        except VendorRejected as refusal:
            if not already_exists(refusal):
                raise
            # An earlier request has come to pass after all, or another process was faster.
            stories, keys = await self._client.stories(project.workspace.id, self._key_field)
            return msgspec.structs.replace(structure, stories=tuple(stories), keys=keys)
        structure_.check_stories(bodies, made, self._profile.name)
        return msgspec.structs.replace(
            structure, stories=(*structure.stories, *made), keys={**structure.keys, **keys}
        )

    async def _create_stories(
        self, project: Project, bodies: list[dict[str, Any]]
    ) -> tuple[list[Story], dict[str, str]]:
        if self._key_field:
            return await self._client.create_stories(bodies, self._key_field)
        return await self._once(
            f"tasks of {project.workspace.id}", lambda: self._client.create_stories(bodies, "")
        )

    # -- demand -----------------------------------------------------------------------------------------

    async def _add_demands(self, project: Project, structure: Structure, missing: list[Demand]) -> Structure:
        """A seat and a soft booking for each demand that has none."""
        workspace_id = project.workspace.id
        free = structure_.free_seats(structure)
        seats = list(structure.seats)
        bodies: list[dict[str, Any]] = []
        for demand in missing:
            waiting = free.get(demand.role_id)
            if waiting:
                seat_id = waiting.pop(0)
            else:
                seat = await self._once(
                    f"seat {demand.number} of {workspace_id}",
                    lambda role_id=demand.role_id: self._client.create_seat(workspace_id, role_id),
                )
                seats.append(seat)
                seat_id = seat.id
            bodies.append(structure_.allocation_body(demand, seat_id, self._key))
        bookings = list(structure.allocations)
        for first in range(0, len(bodies), MOST_ALLOCATIONS):
            batch = bodies[first : first + MOST_ALLOCATIONS]
            made = await self._once(
                f"staffing demand of {workspace_id}",
                lambda batch=batch: self._client.create_allocations(batch),
            )
            structure_.check_allocations(batch, made, self._profile.name)
            bookings += made
        return msgspec.structs.replace(structure, seats=tuple(seats), allocations=tuple(bookings))

    async def _once(self, name: str, send: Callable[[], Awaitable[T]]) -> T:
        """Send what the vendor would do twice; not while an unanswered one may still come to pass."""
        async with self._sending(name):
            return await send()


async def find_project(
    client: KantataClient,
    profile: KantataProfile,
    catalogue: Catalogue,
    key: str,
    *,
    despite: VendorRejected | None = None,
) -> Project | None:
    """The project of a key by our reference, and by its unique field `despite` a refusal as the key is taken.

    A project that matches by its field only has lost our reference, which is restored.
    """
    project = await client.project_of_key(key)
    if project is not None or despite is None:
        return project
    field = catalogue.field_of(WORKSPACE, profile.fields.project.key, profile.name)
    project = await client.project_of_key(key, field.id)
    if project is not None:
        await client.set_reference(WORKSPACE, project.workspace.id, values.reference(key, "project", profile))
    return project


def task_key_field(profile: KantataProfile, catalogue: Catalogue) -> str:
    """The id of the unique field of tasks, empty where the profile names none."""
    name = profile.fields.task.key
    return catalogue.field_of(STORY, name, profile.name).id if name else ""
