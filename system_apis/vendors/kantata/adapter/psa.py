"""system_apis: implements the PSA capability with a Kantata OX account."""

import datetime as dt

import msgspec

from contracts.canonical import matching
from contracts.canonical.project import (
    Client,
    ClientDraft,
    Clients,
    Project,
    ProjectDraft,
    Projects,
    firm_of,
)
from contracts.problems import VendorRejected
from system_apis.connector.catalogue import FieldCatalogue
from system_apis.connector.errors import already_exists
from system_apis.connector.moving_list import MovingList
from system_apis.connector.once import Writers
from system_apis.connector.refusals import no_such
from system_apis.connector.unreadable import listed
from system_apis.vendors.kantata.adapter.provision import Provisioning, task_key_field
from system_apis.vendors.kantata.client import KantataClient, stamp_of
from system_apis.vendors.kantata.mapping import clients, structure, values
from system_apis.vendors.kantata.mapping import project as projects
from system_apis.vendors.kantata.mapping.values import GROUP, canonical_id
from system_apis.vendors.kantata.profile import KantataProfile
from system_apis.vendors.kantata.records import ClientGroup as KantataRecord
from system_apis.vendors.kantata.records import Project as KantataProject

_MOST_MATCHES = 20


class KantataPsa:
    """Clients and projects of one account (contracts.system.psa.Psa)."""

    def __init__(self, client: KantataClient, profile: KantataProfile, writers: Writers) -> None:
        self._client = client
        self._profile = profile
        self._writers = writers
        self._changed = MovingList(
            profile.name,
            "changed projects",
            client.changed_projects,
            stamp_of,
        )

    async def get_client_by_key(self, key: str) -> Client:
        client = await self._client.client_of_key(key)
        if client is None:
            raise no_such(self._profile.name, "client of the key", key)
        return clients.to_client(client, self._profile, await self._client.catalogue.get())

    async def find_clients(self, name: str | None = None, domain: str | None = None) -> Clients:
        """At most four calls: one for each text that is searched for."""
        texts = clients.search_texts(name or "", domain or "")
        groups = {one.group.id: one for text in texts for one in await self._client.search_clients(text)}
        catalogue = await self._client.catalogue.get()
        candidates = [clients.to_client(one, self._profile, catalogue) for one in groups.values()]
        alike = [one for one in candidates if matching.fits(firm_of(one), name or "", "", domain or "")]
        return Clients(tuple(alike[:_MOST_MATCHES]))

    async def put_client(self, key: str, body: ClientDraft) -> Client:
        """One call when it is there, two when it is not; a name that people changed stays."""
        async with self._writers.exclusive(f"client:{key}"):
            catalogue = await self._client.catalogue.get()
            with self._client.catalogue.refreshed_after(VendorRejected):
                wanted = clients.create_body(
                    body, key, self._client.reference(key, "client"), self._profile, catalogue
                )
                client = await self._client.client_of_key(key)
                if client is None:
                    client = await self._create_client(wanted, key, catalogue)
                return clients.to_client(client, self._profile, catalogue)

    async def get_project(self, project_id: str) -> Project:
        return await self._whole(await self._client.project(canonical_id("project", project_id)))

    async def get_project_by_key(self, key: str) -> Project:
        project = await self._client.project_of_key(key)
        if project is None:
            raise no_such(self._profile.name, "project of the key", key)
        return await self._whole(project)

    async def list_projects(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Projects:
        """One call for up to 200 changes."""
        rows, following = await self._changed.page(updated_since, cursor, limit)
        catalogue = await self._client.catalogue.get()
        items, left_out = listed(
            rows, lambda row: projects.to_project(row, self._profile, catalogue), stamp_of
        )
        return Projects(items, following, left_out)

    async def put_project(self, key: str, body: ProjectDraft) -> Project:
        """Three calls when it exists and is complete; otherwise `provision` creates what is missing."""
        async with self._writers.exclusive(f"project:{key}") as guard:
            catalogue = await self._client.catalogue.get()
            with self._client.catalogue.refreshed_after(VendorRejected):
                work = Provisioning(self._client, self._profile, guard, catalogue, key, body)
                return await work.run()

    async def cancel_project(self, key: str) -> Project:
        """Answered without the structure, which stays as it is."""
        async with self._writers.exclusive(f"project:{key}"):
            catalogue = await self._client.catalogue.get()
            project = await self._client.project_of_key(key)
            if project is None:
                raise no_such(self._profile.name, "project of the key", key)
            if not self._is_gone(project):
                # Both in one call: an archived project accepts no further changes in some accounts.
                wanted = {"status_key": self._profile.stages.cancelled[0], "archived": True}
                project = await self._client.update_project(project.workspace.id, wanted)
            if not self._is_gone(project):
                rest = projects.ProjectFacts({"status_key": 0, "archived": True}, {})
                raise projects.not_set(rest, catalogue, self._profile.name)
            return projects.to_project(project, self._profile, catalogue)

    def _is_gone(self, project: KantataProject) -> bool:
        return project.workspace.archived and projects.is_cancelled(project.workspace, self._profile)

    async def _create_client(
        self, wanted: dict[str, object], key: str, catalogue: FieldCatalogue
    ) -> KantataRecord:
        """A new client, or the one that was created at the same moment."""
        field = catalogue.field_of(GROUP, self._profile.fields.client.key, self._profile.name)
        made: KantataRecord | None = None
        try:
            made = await self._client.create_client(wanted)
            if field.id in values.by_field(made):
                return made
            # Not every account accepts custom values with a new group.
            value = await self._client.set_custom_value(GROUP, made.group.id, field.id, key, None)
            return msgspec.structs.replace(made, custom=(*made.custom, value))
        except VendorRejected as refusal:
            if not already_exists(refusal):
                raise
            if made is not None:
                await self._client.delete_client(made.group.id)
            client = await self._client.recovered_client(key, field.id)
            if client is None:
                raise
            return client

    async def _whole(self, project: KantataProject) -> Project:
        catalogue = await self._client.catalogue.get()
        contents = await self._client.structure(project, task_key_field(self._profile, catalogue))
        return structure.whole(project, contents, self._profile, catalogue)
