"""system_apis: the calls to a Kantata OX account's API, as few as each use needs."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from kit.http import Outbound
from system_apis.connector.cached import ReadOnce
from system_apis.connector.catalogue import CatalogueField, FieldCatalogue
from system_apis.connector.moving_list import Numbered
from system_apis.connector.paging import pages
from system_apis.connector.unreadable import Unreadable
from system_apis.connector.values import second_of, utc
from system_apis.vendors.kantata.client.envelopes import PAGE, Reply, keys_of, of_key, reply_of, salvaged
from system_apis.vendors.kantata.records import (
    AccountMembership,
    ClientGroup,
    CustomField,
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
    WorkspaceResource,
)

REQUEST_ID_HEADER = "X-Request-Id"
MOST_STORIES, MOST_ALLOCATIONS = 300, 200
# The flags count as true by their presence: archived projects and tasks stay hidden without them.
_ARCHIVED = {"include_archived": "true"}
_HIDDEN_STORIES = {
    "show_archived": "true",
    "show_deleted": "true",
    "show_from_archived_workspaces": "true",
}
_CLIENT = {"include": "custom_field_values,external_references"}
_PROJECT = {
    "include": "custom_field_values,external_references,primary_workspace_group,primary_maven,"
    "workspace_resources_with_unnamed"
}


class Me(NamedTuple):
    """Our user, and what it may in the account."""

    user: User
    membership: AccountMembership | None


class KantataClient:
    """One account. Every refusal is raised as a problem, an answer off its schema as a ContractViolation."""

    def __init__(self, outbound: Outbound, service_name: str) -> None:
        self._outbound = outbound
        self._service_name = service_name
        self.me = ReadOnce(self._read_me)
        self.catalogue = ReadOnce(self._read_catalogue)

    @property
    def instance(self) -> str:
        return self._outbound.instance

    # -- the account ------------------------------------------------------------------------------------

    async def _read_me(self) -> Me:
        """Our own user."""
        reply = await self._get("/users/me", include="account_membership")
        (user, *_) = reply.rows("users") or [None]
        user = user or reply.only([])
        memberships = reply.envelope.account_memberships.values()
        return Me(user, next((each for each in memberships if str(each.user_id) == user.id), None))

    async def _read_catalogue(self) -> FieldCatalogue:
        """Custom fields with their choices, and roles, in two calls."""
        fields, roles = await asyncio.gather(
            self._whole("/custom_fields", include="choices"), self._whole("/roles")
        )
        choices: dict[str, dict[str, str]] = {}
        for choice in (each for envelope in fields for each in envelope.custom_field_choices.values()):
            choices.setdefault(str(choice.custom_field_id), {})[choice.label] = choice.id
        values = (each for envelope in fields for each in envelope.custom_fields.values())
        return FieldCatalogue(
            {(each.subject_type, each.name): _field(each, choices) for each in values},
            {role.name: role.id for envelope in roles for role in envelope.roles.values()},
        )

    # -- clients ----------------------------------------------------------------------------------------

    async def client_of_key(self, key: str) -> ClientGroup | None:
        return await self._client(key, "")

    async def recovered_client(self, key: str, field_id: str) -> ClientGroup | None:
        """Also by the unique field: then it has lost our reference and gets it again."""
        client = await self._client(key, "")
        if client is None and (client := await self._client(key, field_id)):
            await self._restore("WorkspaceGroup", client.group.id, key, "client")
        return client

    async def _client(self, key: str, field_id: str) -> ClientGroup | None:
        reply = await self._get("/workspace_groups", **self._by_key(key, field_id), **_CLIENT)
        return of_key(reply.clients, key, self._service_name, field_id)

    async def search_clients(self, text: str) -> list[ClientGroup]:
        """The clients whose names have a text, as the vendor sees it."""
        return (await self._get("/workspace_groups", search=text, per_page=PAGE, **_CLIENT)).clients

    async def create_client(self, body: Mapping[str, Any]) -> ClientGroup:
        reply = await self._send("POST", "/workspace_groups", {"workspace_group": body}, **_CLIENT)
        return reply.only(reply.clients)

    async def delete_client(self, group_id: str) -> None:
        path, template = f"/workspace_groups/{group_id}", "/workspace_groups/{id}"
        await self._outbound.send("DELETE", path, template=template, ok=(404,))

    # -- projects ---------------------------------------------------------------------------------------

    async def project(self, workspace_id: str) -> Project:
        """A project with custom values, references, seats and lead in one call; raises NotFound."""
        reply = await self._get(f"/workspaces/{workspace_id}", "/workspaces/{id}", **_PROJECT, **_ARCHIVED)
        return reply.only(reply.projects)

    async def project_of_key(self, key: str) -> Project | None:
        """Archived or not."""
        return await self._project(key, "")

    async def recovered_project(self, key: str, field_id: str) -> Project | None:
        """Also by the unique field: then it has lost our reference and gets it again."""
        project = await self._project(key, "")
        if project is None and (project := await self._project(key, field_id)):
            await self._restore("Workspace", project.workspace.id, key, "project")
        return project

    async def _project(self, key: str, field_id: str) -> Project | None:
        reply = await self._get("/workspaces", **self._by_key(key, field_id), **_PROJECT, **_ARCHIVED)
        return of_key(reply.projects, key, self._service_name, field_id)

    async def changed_projects(
        self, updated_after: dt.datetime | None, page: int
    ) -> Numbered[Project | Unreadable]:
        """A page of 200 by last change, oldest first; those that are off their schema are among them."""
        since = {"updated_after": second_of(updated_after)} if updated_after else {}
        paging = {"order": "updated_at:asc", "per_page": PAGE, "page": page}
        params = {**paging, **since, **_PROJECT, **_ARCHIVED}
        reply, odd = salvaged(await self._outbound.send("GET", "/workspaces", params=params))
        rows = sorted([*reply.projects, *odd], key=stamp_of)
        return Numbered(rows, more=bool(rows) and reply.more)

    async def seen_statuses(self) -> dict[int, Status]:
        """The statuses that the newest projects are in; the account has no list of them."""
        reply = await self._get("/workspaces", order="updated_at:desc", per_page=PAGE, **_ARCHIVED)
        statuses = (each.status for each in reply.envelope.workspaces.values())
        return {status.key: status for status in statuses if status is not None}

    async def create_project(self, body: Mapping[str, Any]) -> Project:
        reply = await self._send("POST", "/workspaces", {"workspace": body}, **_PROJECT)
        return reply.only(reply.projects)

    async def update_project(self, workspace_id: str, fields: Mapping[str, Any]) -> Project:
        path, template = f"/workspaces/{workspace_id}", "/workspaces/{id}"
        reply = await self._send("PUT", path, {"workspace": fields}, template, **_PROJECT)
        return reply.only(reply.projects)

    async def set_custom_value(
        self, subject_type: str, subject_id: str, field_id: str, value: Any, known: CustomFieldValue | None
    ) -> CustomFieldValue:
        """Set one custom value of an existing record: the vendor accepts them inline only at creation."""
        path, body = "/custom_field_values", {"value": value}
        if known is None:
            subject = {"subject_type": subject_type, "subject_id": int(subject_id)}
            body |= {**subject, "custom_field_id": int(field_id)}
            reply = await self._send("POST", path, {"custom_field_value": body})
        else:
            template = f"{path}/{{id}}"
            reply = await self._send("PUT", f"{path}/{known.id}", {"custom_field_value": body}, template)
        return reply.rows("custom_field_values")[0]

    def reference(self, key: str, noun: str) -> dict[str, str]:
        """Our external reference, which the vendor stores beside a record."""
        return {"service_name": self._service_name, "service_model": noun, "service_model_ref": key}

    async def _restore(self, subject_type: str, subject_id: str, key: str, noun: str) -> None:
        """Put our mark on a record that lost it: the one upsert that the vendor has."""
        body = {"subject_type": subject_type, "subject_id": int(subject_id), **self.reference(key, noun)}
        path = "/external_references/create_or_update"
        await self._outbound.send("POST", path, body={"external_reference": body}, repeatable=True)

    # -- structure --------------------------------------------------------------------------------------

    async def structure(self, project: Project, key_field: str) -> Structure:
        """Tasks (deleted ones, too) and bookings of a project, in two calls; `key_field` marks our tasks."""
        workspace_id = project.workspace.id
        (stories, keys), bookings = await asyncio.gather(
            self.stories(workspace_id, key_field),
            self._whole("/workspace_allocations", workspace_ids=workspace_id),
        )
        allocations = (each for envelope in bookings for each in envelope.workspace_allocations.values())
        return Structure(tuple(stories), tuple(allocations), project.seats, keys)

    async def stories(self, workspace_id: str, key_field: str) -> tuple[list[Story], dict[str, str]]:
        """All tasks of a project, with our keys of them."""
        include = {"include": "custom_field_values"} if key_field else {}
        envelopes = await self._whole("/stories", workspace_id=workspace_id, **_HIDDEN_STORIES, **include)
        stories = [story for envelope in envelopes for story in envelope.stories.values()]
        values = (value for envelope in envelopes for value in envelope.custom_field_values.values())
        return stories, keys_of(values, key_field)

    async def create_stories(
        self, bodies: Sequence[Mapping[str, Any]], key_field: str
    ) -> tuple[list[Story], dict[str, str]]:
        """At most 300 tasks in one call, all or none, with our keys of them."""
        include = {"include": "custom_field_values"} if key_field else {}
        reply = await self._send("POST", "/stories", {"stories": list(bodies)}, **include)
        return reply.rows("stories"), keys_of(reply.envelope.custom_field_values.values(), key_field)

    async def create_seat(self, workspace_id: str, role_id: str) -> WorkspaceResource:
        """A seat without a person; the vendor accepts them one by one."""
        body = {"workspace_id": workspace_id, "user_id": None, "role_id": role_id}
        reply = await self._send("POST", "/workspace_resources", {"workspace_resource": body})
        return reply.rows("workspace_resources")[0]

    async def create_allocations(self, bodies: Sequence[Mapping[str, Any]]) -> list[WorkspaceAllocation]:
        """At most 200 bookings in one call, all or none."""
        body = {"workspace_allocations": list(bodies)}
        return (await self._send("POST", "/workspace_allocations", body)).rows("workspace_allocations")

    # -- changes ----------------------------------------------------------------------------------------

    async def events(
        self, created_after: dt.datetime
    ) -> AsyncIterator[tuple[list[SubscribedEvent], dict[str, Workspace]]]:
        """The feed's events about projects, oldest first, page by page, with the projects as they are now."""
        feed = {"subject_type": "Workspace", "include": "subject", "order": "created_at:asc"}
        since = second_of(created_after)
        async for reply in self._pages("/subscribed_events", created_after=since, **feed):
            yield reply.rows("subscribed_events"), reply.envelope.workspaces

    async def can_read_events(self) -> None:
        """Raises the account's refusal when our user may not read the feed."""
        await self._get("/subscribed_events", subject_type="Workspace", per_page=1)

    # -- the wire ---------------------------------------------------------------------------------------

    def _by_key(self, key: str, field_id: str) -> dict[str, Any]:
        if field_id:
            return {"by_custom_text_value": f"{field_id}:{key}", "per_page": PAGE}
        return {
            "external_reference_service_name": self._service_name,
            "external_reference_service_model_refs": key,
        }

    async def _get(self, path: str, template: str = "", **params: Any) -> Reply:
        return reply_of(await self._outbound.send("GET", path, template=template, params=params))

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any], template: str = "", **params: Any
    ) -> Reply:
        answer = await self._outbound.send(method, path, template=template, params=params, body=body)
        return reply_of(answer)

    def _pages(self, path: str, **params: Any) -> AsyncIterator[Reply]:
        async def read(page: int) -> tuple[Reply, int | None]:
            params_of_page = {"per_page": PAGE, "page": page, **params}
            # The feed says enough of a project that is off its schema.
            reply, _ = salvaged(await self._outbound.send("GET", path, params=params_of_page))
            return reply, page + 1 if reply.more else None

        return pages(self.instance, path, read, 1, content=lambda reply: reply.envelope.results)

    async def _whole(self, path: str, **params: Any) -> list[Envelope]:
        return [reply.envelope async for reply in self._pages(path, order="id:asc", **params)]


def stamp_of(row: Project | Unreadable) -> tuple[dt.datetime, str]:
    """A project's last change, and its id."""
    if isinstance(row, Unreadable):
        return utc(row.at), row.id
    return utc(row.workspace.updated_at), row.workspace.id


def _field(field: CustomField, choices: Mapping[str, dict[str, str]]) -> CatalogueField:
    own = choices.get(field.id, {}) if field.value_type in ("single", "multi") else None
    return CatalogueField(field.id, field.name, field.value_type, field.unique_constraint, own)
