"""The PSA capability: clients, and projects with their structure, planned roles and staffing demand."""

from typing import Protocol

from contracts.canonical.project import PROJECT, Client, ClientDraft, Clients, Project, ProjectDraft, Projects
from contracts.canonical.values import Cursor, Id, Instant, Key, Name, PageSize
from contracts.operation import Link, api, operation
from contracts.problems import (
    ContractViolation,
    NotFound,
    VendorDoubtful,
    VendorPending,
    VendorRejected,
    VendorUnavailable,
)

LIST = (ContractViolation, VendorRejected, VendorUnavailable, VendorDoubtful)
PUT = (*LIST, VendorPending)
READ = (NotFound, *PUT)


@api(
    "system",
    "psa",
    version=1,
    summary="Clients and projects of one PSA instance",
    data_classes=("commercial", "financial", "personal"),
    team="delivery",
)
class Psa(Protocol):
    """One PSA instance. Ids are the vendor's own; every create takes the caller's key.

    Creating twice under one key, at once or years apart, in one process or several, makes one object.
    """

    @operation("GET", "/clients/matches", summary="Find clients that may be the same firm", problems=LIST)
    async def find_clients(self, name: Name | None = None, domain: Name | None = None) -> Clients:
        """Clients alike in normalised name, or in the domain of website or e-mail (at most 20)."""
        ...

    @operation("GET", "/clients/by-key/{key}", summary="Read the client created under a key", problems=READ)
    async def get_client_by_key(self, key: Key) -> Client:
        """The client; raises NotFound."""
        ...

    @operation(
        "PUT", "/clients/by-key/{key}", summary="Create a client under a key", problems=PUT, deadline=30
    )
    async def put_client(self, key: Key, body: ClientDraft) -> Client:
        """The one client of this key."""
        ...

    @operation(
        "GET",
        "/projects/{project_id}",
        summary="Read a project with its structure",
        problems=READ,
        reads=PROJECT,
    )
    async def get_project(self, project_id: Id) -> Project:
        """The project with tasks, milestones and planned roles; raises NotFound."""
        ...

    @operation("GET", "/projects", summary="List projects by last change, oldest first", problems=LIST)
    async def list_projects(
        self, updated_since: Instant | None = None, cursor: Cursor | None = None, limit: PageSize = 50
    ) -> Projects:
        """A page of projects (without their structure) changed at or after an instant."""
        ...

    @operation("GET", "/projects/by-key/{key}", summary="Read the project created under a key", problems=READ)
    async def get_project_by_key(self, key: Key) -> Project:
        """The project created under the key, live or cancelled; raises NotFound."""
        ...

    @operation(
        "PUT",
        "/projects/by-key/{key}",
        summary="Provision a project under a key: structure, planned roles and staffing demand, or revive it",
        problems=READ,
        deadline=60,
        links=(Link("get_project", "project_id", "id"),),
    )
    async def put_project(self, key: Key, body: ProjectDraft) -> Project:
        """The one project of this key, complete; one left half-made by an earlier try is completed."""
        ...

    @operation(
        "DELETE",
        "/projects/by-key/{key}",
        summary="Cancel and archive the project of a key",
        problems=READ,
        deadline=30,
    )
    async def cancel_project(self, key: Key) -> Project:
        """The project, cancelled and archived (undo); cancelling twice changes nothing."""
        ...
