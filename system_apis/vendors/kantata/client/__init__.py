"""system_apis: the calls to a Kantata OX account's API, as few as each use needs."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from kit.http import Answer, Outbound
from system_apis.connector.paging import PageGuard
from system_apis.vendors.kantata.client.envelopes import (
    PAGE,
    Found,
    first,
    has_more,
    has_value,
    keys_of,
    marks_of,
    refers,
    stamp,
)
from system_apis.vendors.kantata.records import (
    AccountMembership,
    Catalogue,
    ClientGroup,
    CustomFieldValue,
    Envelope,
    Project,
    Status,
    Story,
    Structure,
    SubscribedEvent,
    User,
    Workspace,
    WorkspaceAllocation,
    WorkspaceGroup,
    WorkspaceResource,
)

T = TypeVar("T", bound=msgspec.Struct)
R = TypeVar("R")

REQUEST_ID_HEADER = "X-Request-Id"
MOST_STORIES, MOST_ALLOCATIONS = 300, 200
_PROJECT = (
    "custom_field_values,external_references,primary_workspace_group,primary_maven,"
    "workspace_resources_with_unnamed"
)
_CLIENT = "custom_field_values,external_references"
# The flags count as true by their presence: archived projects and tasks stay hidden without them.
_ARCHIVED = {"include_archived": "true"}
_HIDDEN_STORIES = {"show_archived": "true", "show_deleted": "true"}


class Me(NamedTuple):
    """Our user, and what it may in the account."""

    user: User
    membership: AccountMembership | None


class Changed(NamedTuple):
    """A page of changed projects, oldest change first; `more` when the vendor has further pages."""

    projects: list[Project]
    more: bool


class KantataClient:
    """One account. Every refusal is raised as a problem, an answer off its schema as a ContractViolation."""

    def __init__(self, outbound: Outbound, service_name: str) -> None:
        self._outbound = outbound
        self._service_name = service_name
        self._catalogue: Catalogue | None = None
        self._me: Me | None = None
        self._one = asyncio.Lock()

    @property
    def instance(self) -> str:
        return self._outbound.instance

    # -- the account ------------------------------------------------------------------------------------

    async def me(self) -> Me:
        """Our own user; read once."""
        if self._me is None:
            reply = await self._get("/users/me", include="account_membership")
            user = self._only(self._rows(reply.envelope, "users", User, reply.answer), reply)
            mine = [
                each for each in reply.envelope.account_memberships.values() if str(each.user_id) == user.id
            ]
            self._me = Me(user, mine[0] if mine else None)
        return self._me

    async def catalogue(self) -> Catalogue:
        """Custom fields with their choices, and roles; two calls, once."""
        async with self._one:
            if self._catalogue is None:
                self._catalogue = await self._read_catalogue()
            return self._catalogue

    def forget_catalogue(self) -> None:
        """Evict the catalogue, so that the next use reads what was added since."""
        self._catalogue = None

    async def _read_catalogue(self) -> Catalogue:
        fields, roles = await asyncio.gather(
            self._whole("/custom_fields", include="choices", order="id:asc"),
            self._whole("/roles", order="id:asc"),
        )
        choices: dict[str, dict[str, str]] = {}
        for envelope in fields:
            for choice in envelope.custom_field_choices.values():
                choices.setdefault(str(choice.custom_field_id), {})[choice.label] = choice.id
        return Catalogue(
            {
                (field.subject_type, field.name): field
                for envelope in fields
                for field in envelope.custom_fields.values()
            },
            choices,
            {role.name: role.id for envelope in roles for role in envelope.roles.values()},
        )

    # -- clients ----------------------------------------------------------------------------------------

    async def client_by_reference(self, key: str) -> ClientGroup | None:
        reply = await self._get("/workspace_groups", include=_CLIENT, **self._reference(key))
        return first(
            client for client in self._clients(reply) if refers(client.references, self._service_name, key)
        )

    async def client_by_field(self, key: str, field_id: str) -> ClientGroup | None:
        """By the unique field, for a group that lost our reference."""
        reply = await self._get(
            "/workspace_groups",
            include=_CLIENT,
            by_custom_text_value=f"{field_id}:{key}",
            per_page=PAGE,
        )
        return first(client for client in self._clients(reply) if has_value(client.custom, field_id, key))

    async def create_client(self, body: Mapping[str, Any]) -> ClientGroup:
        reply = await self._post("/workspace_groups", {"workspace_group": body}, include=_CLIENT)
        return self._only(self._clients(reply), reply)

    async def delete_client(self, group_id: str) -> None:
        await self._outbound.send(
            "DELETE", f"/workspace_groups/{group_id}", template="/workspace_groups/{id}", ok=(404,)
        )

    # -- projects ---------------------------------------------------------------------------------------

    async def project(self, workspace_id: str) -> Project:
        """A project with custom values, references, seats and lead in one call; raises NotFound."""
        reply = await self._get(
            f"/workspaces/{workspace_id}", "/workspaces/{id}", include=_PROJECT, **_ARCHIVED
        )
        return self._only(self._projects(reply), reply)

    async def project_by_reference(self, key: str) -> Project | None:
        """The project of a key, archived or not."""
        reply = await self._get("/workspaces", include=_PROJECT, **self._reference(key), **_ARCHIVED)
        # The vendor ignores an unknown filter silently.
        return first(
            project
            for project in self._projects(reply)
            if refers(project.references, self._service_name, key)
        )

    async def project_by_field(self, key: str, field_id: str) -> Project | None:
        """By the unique field, for a project that lost our reference."""
        reply = await self._get(
            "/workspaces",
            include=_PROJECT,
            by_custom_text_value=f"{field_id}:{key}",
            per_page=PAGE,
            **_ARCHIVED,
        )
        return first(project for project in self._projects(reply) if has_value(project.custom, field_id, key))

    async def changed_projects(self, updated_after: dt.datetime | None, page: int) -> Changed:
        """A page of 200 by last change, oldest first."""
        since = {"updated_after": stamp(updated_after)} if updated_after else {}
        reply = await self._get(
            "/workspaces",
            include=_PROJECT,
            order="updated_at:asc",
            per_page=PAGE,
            page=page,
            **since,
            **_ARCHIVED,
        )
        projects = self._projects(reply)
        return Changed(projects, more=bool(projects) and has_more(reply.envelope))

    async def seen_statuses(self) -> dict[int, Status]:
        """The statuses that the newest projects are in; the account has no list of them."""
        reply = await self._get("/workspaces", order="updated_at:desc", per_page=PAGE, **_ARCHIVED)
        statuses = (each.status for each in reply.envelope.workspaces.values())
        return {status.key: status for status in statuses if status is not None}

    async def create_project(self, body: Mapping[str, Any]) -> Project:
        reply = await self._post("/workspaces", {"workspace": body}, include=_PROJECT)
        return self._only(self._projects(reply), reply)

    async def update_project(self, workspace_id: str, fields: Mapping[str, Any]) -> Project:
        answer = await self._outbound.send(
            "PUT",
            f"/workspaces/{workspace_id}",
            template="/workspaces/{id}",
            params={"include": _PROJECT},
            body={"workspace": fields},
        )
        reply = Found(answer, answer.json(Envelope))
        return self._only(self._projects(reply), reply)

    async def set_custom_value(
        self, subject_type: str, subject_id: str, field_id: str, value: Any, known: CustomFieldValue | None
    ) -> CustomFieldValue:
        """Set one custom value of an existing record: the vendor accepts them inline only at creation."""
        if known is None:
            body = {
                "subject_type": subject_type,
                "subject_id": int(subject_id),
                "custom_field_id": int(field_id),
                "value": value,
            }
            reply = await self._post("/custom_field_values", {"custom_field_value": body})
        else:
            answer = await self._outbound.send(
                "PUT",
                f"/custom_field_values/{known.id}",
                template="/custom_field_values/{id}",
                body={"custom_field_value": {"value": value}},
            )
            reply = Found(answer, answer.json(Envelope))
        return self._only(
            self._rows(reply.envelope, "custom_field_values", CustomFieldValue, reply.answer), reply
        )

    async def set_reference(self, subject_type: str, subject_id: str, reference: Mapping[str, str]) -> None:
        """Put our mark on a record that lost it: the one upsert that the vendor has."""
        body = {"subject_type": subject_type, "subject_id": int(subject_id), **reference}
        await self._outbound.send(
            "POST",
            "/external_references/create_or_update",
            body={"external_reference": body},
            repeatable=True,
        )

    # -- structure --------------------------------------------------------------------------------------

    async def structure(self, project: Project, key_field: str) -> Structure:
        """Tasks (deleted ones, too) and bookings of a project, in two calls; `key_field` marks our tasks."""
        workspace_id = project.workspace.id
        (stories, keys), bookings = await asyncio.gather(
            self.stories(workspace_id, key_field),
            self._whole("/workspace_allocations", workspace_ids=workspace_id, order="id:asc"),
        )
        allocations = (each for envelope in bookings for each in envelope.workspace_allocations.values())
        return Structure(tuple(stories), tuple(allocations), project.seats, keys)

    async def stories(self, workspace_id: str, key_field: str) -> tuple[list[Story], dict[str, str]]:
        """All tasks of a project, with our keys of them."""
        include = {"include": "custom_field_values"} if key_field else {}
        envelopes = await self._whole(
            "/stories", workspace_id=workspace_id, order="id:asc", **_HIDDEN_STORIES, **include
        )
        stories = [story for envelope in envelopes for story in envelope.stories.values()]
        return stories, keys_of(envelopes, key_field)

    async def create_stories(
        self, bodies: Sequence[Mapping[str, Any]], key_field: str
    ) -> tuple[list[Story], dict[str, str]]:
        """At most 300 tasks in one call, all or none, with our keys of them."""
        include = {"include": "custom_field_values"} if key_field else {}
        reply = await self._post("/stories", {"stories": list(bodies)}, **include)
        stories = self._rows(reply.envelope, "stories", Story, reply.answer)
        return stories, keys_of([reply.envelope], key_field)

    async def create_seat(self, workspace_id: str, role_id: str) -> WorkspaceResource:
        """A seat without a person; the vendor accepts them one by one."""
        body = {"workspace_id": workspace_id, "user_id": None, "role_id": role_id}
        reply = await self._post("/workspace_resources", {"workspace_resource": body})
        return self._only(
            self._rows(reply.envelope, "workspace_resources", WorkspaceResource, reply.answer), reply
        )

    async def create_allocations(self, bodies: Sequence[Mapping[str, Any]]) -> list[WorkspaceAllocation]:
        """At most 200 bookings in one call, all or none."""
        reply = await self._post("/workspace_allocations", {"workspace_allocations": list(bodies)})
        return self._rows(reply.envelope, "workspace_allocations", WorkspaceAllocation, reply.answer)

    # -- changes ----------------------------------------------------------------------------------------

    async def events(
        self, created_after: dt.datetime
    ) -> AsyncIterator[tuple[list[SubscribedEvent], dict[str, Workspace]]]:
        """The feed's events about projects, oldest first, page by page, with the projects as they are now."""
        async for reply in self._pages(
            "/subscribed_events",
            subject_type="Workspace",
            created_after=stamp(created_after),
            order="created_at:asc",
            include="subject",
        ):
            events = self._rows(reply.envelope, "subscribed_events", SubscribedEvent, reply.answer)
            yield events, reply.envelope.workspaces

    async def can_read_events(self) -> None:
        """Raises the account's refusal when our user may not read the feed."""
        await self._get("/subscribed_events", subject_type="Workspace", per_page=1)

    # -- the wire ---------------------------------------------------------------------------------------

    def _reference(self, key: str) -> dict[str, str]:
        return {
            "external_reference_service_name": self._service_name,
            "external_reference_service_model_refs": key,
        }

    async def _get(self, path: str, template: str = "", **params: Any) -> Found:
        answer = await self._outbound.send("GET", path, template=template, params=params)
        return Found(answer, answer.json(Envelope))

    async def _post(self, path: str, body: Mapping[str, Any], **params: Any) -> Found:
        answer = await self._outbound.send("POST", path, params=params, body=body)
        return Found(answer, answer.json(Envelope))

    async def _pages(self, path: str, **params: Any) -> AsyncIterator[Found]:
        page, guard = 1, PageGuard(self.instance, path)
        while True:
            reply = await self._get(path, per_page=PAGE, page=page, **params)
            yield reply
            if not has_more(reply.envelope):
                return
            guard.turn(tuple((result.key, result.id) for result in reply.envelope.results))
            page += 1

    async def _whole(self, path: str, **params: Any) -> list[Envelope]:
        return [reply.envelope async for reply in self._pages(path, **params)]

    def _rows(self, envelope: Envelope, key: str, kind: type[T], answer: Answer) -> list[T]:
        """The records in the answer's own order."""
        rows = getattr(envelope, key)
        records = [rows.get(result.id) for result in envelope.results if result.key == key]
        if len(records) != len(envelope.results) or not all(isinstance(each, kind) for each in records):
            raise answer.violation(f"an answer names records that are not in its {key}")
        if answer.method != "GET" and not records:
            raise answer.violation(f"a write answered without {key}")
        return records

    def _only(self, records: list[R], reply: Found) -> R:
        if not records:
            raise reply.answer.violation("the requested record is not in the answer")
        return records[0]

    def _projects(self, reply: Found) -> list[Project]:
        envelope = reply.envelope
        return [
            Project(
                workspace=workspace,
                custom=marks_of(envelope.custom_field_values.values(), "Workspace", workspace.id),
                references=marks_of(envelope.external_references.values(), "Workspace", workspace.id),
                seats=tuple(
                    seat
                    for seat in envelope.workspace_resources.values()
                    if str(seat.workspace_id) == workspace.id
                ),
                lead=envelope.users.get(str(workspace.primary_maven_id)),
            )
            for workspace in self._rows(envelope, "workspaces", Workspace, reply.answer)
        ]

    def _clients(self, reply: Found) -> list[ClientGroup]:
        envelope = reply.envelope
        return [
            ClientGroup(
                group=group,
                custom=marks_of(envelope.custom_field_values.values(), "WorkspaceGroup", group.id),
                references=marks_of(envelope.external_references.values(), "WorkspaceGroup", group.id),
            )
            for group in self._rows(envelope, "workspace_groups", WorkspaceGroup, reply.answer)
        ]
