"""system_apis: implements the PSA capability with a Toy PSA account."""

import datetime as dt

from contracts.canonical.matching import fits
from contracts.canonical.project import Client as CanonicalClient
from contracts.canonical.project import ClientDraft, Clients, ProjectDraft, Projects, firm_of
from contracts.canonical.project import Project as CanonicalProject
from kit.database import decode_page, encode_page
from system_apis.connector.jobs import Jobs
from system_apis.connector.unreadable import listed
from system_apis.vendors.toypsa.client import ToypsaClient, stamp_of
from system_apis.vendors.toypsa.mapping import canonical_id, document, to_client, to_project
from system_apis.vendors.toypsa.records import Client, Project


class ToypsaPsa:
    """Clients and projects of one account (contracts.system.psa.Psa)."""

    def __init__(self, client: ToypsaClient, jobs: Jobs) -> None:
        self._client = client
        self._jobs = jobs

    async def get_client_by_key(self, key: str) -> CanonicalClient:
        return to_client(await self._client.get_by_key("clients", key, Client))

    async def find_clients(self, name: str | None = None, domain: str | None = None) -> Clients:
        found = [to_client(row) for row in await self._client.all("clients", Client)]
        return Clients(tuple(one for one in found if fits(firm_of(one), name or "", "", domain or ""))[:20])

    async def put_client(self, key: str, body: ClientDraft) -> CanonicalClient:
        return to_client(await self._client.put("clients", key, document(body), Client))

    async def get_project(self, project_id: str) -> CanonicalProject:
        row = await self._client.get("projects", canonical_id("project", project_id), Project)
        return to_project(row, self._client.instance)

    async def list_projects(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Projects:
        since, after = decode_page(cursor, tuple[dt.datetime, str]) if cursor else (updated_since, "")
        rows = await self._client.rows("projects", Project, since=since, after=after, limit=limit)
        items, left_out = listed(rows.items, lambda row: to_project(row, self._client.instance), stamp_of)
        following = encode_page(*stamp_of(rows.items[-1])) if rows.more and rows.items else None
        return Projects(items, following, left_out)

    async def get_project_by_key(self, key: str) -> CanonicalProject:
        await self._jobs.settle(key)
        row = await self._client.get_by_key("projects", key, Project)
        return to_project(row, self._client.instance)

    async def put_project(self, key: str, body: ProjectDraft) -> CanonicalProject:
        """Accepted first, done later: VendorPending until then."""
        await self._jobs.submit(key, body, lambda: self._client.submit("projects", key, document(body)))
        return await self.get_project_by_key(key)

    async def cancel_project(self, key: str) -> CanonicalProject:
        await self._jobs.settle(key)
        project = await self._client.get_by_key("projects", key, Project)
        answer = await self._client.change("projects", project.id, {"status": "cancelled"})
        return to_project(answer.json(Project), self._client.instance)
