"""system_apis: implements the PSA capability with a Kantata OX account."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from weakref import WeakValueDictionary

import msgspec

from contracts.canonical.project import Client, ClientDraft, Project, ProjectDraft, Projects
from contracts.problems import NotFound, VendorRejected
from kit.database import Database
from system_apis.vendors.kantata.adapter.listing import list_changed
from system_apis.vendors.kantata.adapter.provision import Provisioning, find_project, task_key_field
from system_apis.vendors.kantata.adapter.unanswered import Confirm, UnansweredRequests, no_fence
from system_apis.vendors.kantata.client import KantataClient
from system_apis.vendors.kantata.client.errors import is_taken
from system_apis.vendors.kantata.mapping import clients, facts, ids, structure, values
from system_apis.vendors.kantata.mapping.facts import Facts
from system_apis.vendors.kantata.records import Catalogue
from system_apis.vendors.kantata.records import ClientGroup as KantataRecord
from system_apis.vendors.kantata.records import Project as Found
from system_apis.vendors.kantata.settings.maps import Maps


class KantataPsa:
    """Clients and projects of one account (contracts.system.psa.Psa)."""

    def __init__(
        self, client: KantataClient, maps: Maps, *, database: Database | None, settle_seconds: float
    ) -> None:
        self._client = client
        self._maps = maps
        self._database = database
        self._unanswered = UnansweredRequests(maps.instance, database, settle_seconds)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get_client_by_key(self, key: str) -> Client:
        client = await self._client.client_by_reference(key)
        if client is None:
            raise _no_such("client", key)
        return clients.to_client(client, self._maps, await self._client.catalogue())

    async def put_client(self, key: str, body: ClientDraft) -> Client:
        """One call when it is there, two when it is not; a name that people changed stays."""
        async with self._exclusive(f"client:{key}"):
            catalogue = await self._client.catalogue()
            with self._refresh_catalogue_on_rejection():
                wanted = clients.create_body(body, key, self._maps, catalogue)
                client = await self._client.client_by_reference(key)
                if client is None:
                    client = await self._create_client(wanted, key, catalogue)
                return clients.to_client(client, self._maps, catalogue)

    async def get_project(self, project_id: str) -> Project:
        return await self._whole(await self._client.project(ids.canonical("project", project_id)))

    async def get_project_by_key(self, key: str) -> Project:
        project = await find_project(self._client, self._maps, await self._client.catalogue(), key)
        if project is None:
            raise _no_such("project", key)
        return await self._whole(project)

    async def list_projects(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Projects:
        """One call for up to 200 changes."""
        projects, next_cursor = await list_changed(self._client, updated_since, cursor, limit)
        catalogue = await self._client.catalogue()
        return Projects(
            tuple(facts.to_project(each, self._maps, catalogue) for each in projects), next_cursor
        )

    async def put_project(self, key: str, body: ProjectDraft) -> Project:
        """Three calls when it exists and is complete; otherwise `provision` creates what is missing."""
        async with self._exclusive(f"project:{key}") as confirm:
            catalogue = await self._client.catalogue()
            with self._refresh_catalogue_on_rejection():
                guard = partial(self._unanswered.guard, confirm)
                work = Provisioning(self._client, self._maps, guard, catalogue, key, body)
                return await work.run()

    async def cancel_project(self, key: str) -> Project:
        """Answered without the structure, which stays as it is."""
        async with self._exclusive(f"project:{key}"):
            catalogue = await self._client.catalogue()
            project = await find_project(self._client, self._maps, catalogue, key)
            if project is None:
                raise _no_such("project", key)
            if not self._is_deleted(project):
                # Both in one call: an archived project accepts no further changes in some accounts.
                wanted = {"status_key": self._maps.stages.cancelled[0], "archived": True}
                project = await self._client.update_project(project.workspace.id, wanted)
            if not self._is_deleted(project):
                raise facts.ignored(
                    Facts({"status_key": 0, "archived": True}, {}), catalogue, self._maps.instance
                )
            return facts.to_project(project, self._maps, catalogue)

    def _is_deleted(self, project: Found) -> bool:
        workspace = project.workspace
        return workspace.archived and facts.status_of(workspace, self._maps) == "cancelled"

    async def _create_client(
        self, wanted: dict[str, object], key: str, catalogue: Catalogue
    ) -> KantataRecord:
        """A new client, or the one that was created at the same moment."""
        field = values.field_of(catalogue, facts.GROUP, self._maps.fields.client.key, self._maps.instance)
        made: KantataRecord | None = None
        try:
            made = await self._client.create_client(wanted)
            if field.id in facts.by_field(made):
                return made
            # Not every account accepts custom values with a new group.
            value = await self._client.set_custom_value(facts.GROUP, made.group.id, field.id, key, None)
            return msgspec.structs.replace(made, custom=(*made.custom, value))
        except VendorRejected as refusal:
            if not is_taken(refusal):
                raise
            if made is not None:
                await self._client.delete_client(made.group.id)
            client = await self._find_client(key, field.id)
            if client is None:
                raise
            return client

    async def _find_client(self, key: str, field_id: str) -> KantataRecord | None:
        """By our reference, or by the unique field: then it has lost our reference and gets it again."""
        client = await self._client.client_by_reference(key)
        if client is None:
            client = await self._client.client_by_field(key, field_id)
            if client is not None:
                mark = facts.reference(key, "client", self._maps)
                await self._client.set_reference(facts.GROUP, client.group.id, mark)
        return client

    async def _whole(self, project: Found) -> Project:
        catalogue = await self._client.catalogue()
        contents = await self._client.structure(project, task_key_field(self._maps, catalogue))
        return structure.whole(project, contents, self._maps, catalogue)

    @asynccontextmanager
    async def _exclusive(self, name: str) -> AsyncIterator[Confirm]:
        """One writer per key, in all processes that share the database; yields what confirms it."""
        if self._database is None:
            lock = self._locks.setdefault(name, asyncio.Lock())
            async with lock:
                yield no_fence
            return
        async with self._database.locks.hold(f"{self._maps.instance}:{name}") as fence:
            yield fence.confirm

    @contextmanager
    def _refresh_catalogue_on_rejection(self) -> Iterator[None]:
        """After a refusal the account's fields and roles are read again: they may have been corrected."""
        try:
            yield
        except VendorRejected:
            self._client.forget_catalogue()
            raise


def _no_such(noun: str, key: str) -> NotFound:
    return NotFound(f"the account has no {noun} of the key {key}, or hides it from our user")
