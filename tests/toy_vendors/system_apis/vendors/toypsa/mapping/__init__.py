"""system_apis: Toy PSA's documents as canonical nouns and events, and back. Pure."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from contracts.canonical.project import Client as CanonicalClient
from contracts.canonical.project import ClientDraft, ProjectDraft, Task
from contracts.canonical.project import Project as CanonicalProject
from contracts.canonical.values import Ref
from contracts.events.kinds import PROJECT_CHANGED, RecordChanged
from contracts.problems import NotFound
from system_apis.connector.change import Change
from system_apis.vendors.toypsa.records import Client, Project


def canonical_id(kind: str, given: str) -> str:
    """The id itself; raises NotFound for what can be none."""
    if not re.fullmatch(r"[0-9]{1,12}", given):
        raise NotFound(f"“{given}” is not the id of any {kind}")
    return given


def document(draft: ClientDraft | ProjectDraft) -> dict[str, Any]:
    """A draft as the vendor takes it."""
    name = "plan" if isinstance(draft, ProjectDraft) else "card"
    return {name: msgspec.to_builtins(draft), **({"status": "planned"} if name == "plan" else {})}


def to_client(row: Client) -> CanonicalClient:
    return CanonicalClient(
        id=row.id,
        version=str(row.version),
        updated_at=row.changed_at,
        name=row.card.name,
        key=row.key,
        email=row.card.email,
        website=row.card.website,
    )


def to_project(row: Project, instance: str) -> CanonicalProject:
    """With its structure."""
    plan = row.plan
    return CanonicalProject(
        id=row.id,
        version=str(row.version),
        updated_at=row.changed_at,
        name=plan.name,
        status=row.status,
        customer_id=plan.client_id,
        contract_id=plan.contract_number,
        selling_entity=plan.selling_entity,
        template=plan.template,
        start=plan.start,
        end=plan.end,
        budget=plan.budget,
        budget_hours=plan.budget_hours,
        tasks=tuple(
            Task(f"{row.id}-{number}", task.title, task.kind, task.start, task.due, task.hours)
            for number, task in enumerate(plan.tasks, 1)
        ),
        planned_roles=tuple(
            msgspec.structs.replace(demand, id=f"{row.id}-{number}")
            for number, demand in enumerate(plan.staffing, 1)
        ),
        key=row.key,
        refs=(Ref(instance, "project", row.id, f"https://toypsa.example/projects/{row.id}"),),
    )


def changes_of(row: Project, instance: str) -> Iterator[Change]:
    """The last change of a project."""
    version = str(row.version)
    changed = RecordChanged(
        instance=instance,
        object="project",
        id=row.id,
        version=version,
        values={"status": row.status},
        changed_at=row.changed_at,
    )
    yield Change(f"project:{row.id}:{version}", PROJECT_CHANGED, changed, row.changed_at)
