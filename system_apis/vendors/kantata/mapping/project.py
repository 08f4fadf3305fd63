"""system_apis: a project's facts, as a workspace holds them, in both directions. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from contracts.canonical.project import Project as CanonicalProject
from contracts.canonical.project import ProjectDraft, ProjectStatus
from contracts.canonical.values import Ref
from contracts.problems import VendorRejected
from system_apis.connector.catalogue import FieldCatalogue, same_value
from system_apis.connector.codes import code_of
from system_apis.connector.psa import project_texts
from system_apis.connector.refusals import ignored, missing
from system_apis.connector.values import main_units, money_of_subunits, utc, versioned
from system_apis.vendors.kantata.mapping import values
from system_apis.vendors.kantata.mapping.values import WORKSPACE
from system_apis.vendors.kantata.profile import KantataProfile
from system_apis.vendors.kantata.records import Project, Workspace


class ProjectFacts(NamedTuple):
    """A draft as the wire has it: the record's own fields, and its custom values by field id."""

    fields: dict[str, Any]
    custom: dict[str, Any]


def from_draft(
    draft: ProjectDraft, key: str, profile: KantataProfile, catalogue: FieldCatalogue
) -> ProjectFacts:
    """All facts of a project to create; raises VendorRejected for what the account lacks."""
    fields: dict[str, Any] = {
        "title": draft.name,
        "start_date": draft.start.isoformat(),
        "due_date": draft.end.isoformat(),
        "currency": draft.currency,
        "primary_workspace_group_id": draft.client_id,
        "status_key": profile.stages.planned[0],
        "budgeted": draft.budget is not None,
        "stories_are_fixed_fee_by_default": draft.pricing_model == "fixed_price",
    }
    if draft.budget is not None:
        if draft.budget.currency != draft.currency:
            sentence = "the budget is in another currency than the project"
            raise missing(profile.name, sentence, "budget")
        fields["price"] = main_units(draft.budget.amount)  # `price` has no decimals
    texts = project_texts(draft, key, profile)
    return ProjectFacts(fields, catalogue.values_of(WORKSPACE, texts, profile.name))


def create_body(facts: ProjectFacts, reference: dict[str, str], profile: KantataProfile) -> dict[str, Any]:
    """The workspace to create, with the marks by which it is looked up."""
    return {
        **facts.fields,
        "creator_role": "maven",
        "access_level": profile.defaults.access_level,
        "custom_fields": values.custom_bodies(facts.custom),
        "external_reference": reference,
    }


def differing(facts: ProjectFacts, project: Project) -> ProjectFacts:
    """The facts in which the project differs from the draft."""
    actual = dict(_echoes(facts, project.workspace))
    fields = {name: facts.fields[name] for name, same in actual.items() if not same}
    if "price" in fields:
        fields["budgeted"] = True
    there = {id_: value.value for id_, value in values.by_field(project).items()}
    custom = {id_: value for id_, value in facts.custom.items() if not same_value(value, there.get(id_))}
    return ProjectFacts(fields, custom)


def _echoes(facts: ProjectFacts, workspace: Workspace) -> Iterator[tuple[str, bool]]:
    """Whether each field came back as it was sent: what one may not set is ignored without a word."""
    sent = facts.fields
    for name in ("title", "start_date", "due_date", "currency"):
        yield name, str(getattr(workspace, name)) == sent[name]
    yield "status_key", workspace.status is not None and workspace.status.key == sent["status_key"]
    group = str(workspace.primary_workspace_group_id or "")
    yield "primary_workspace_group_id", group == sent["primary_workspace_group_id"]
    if "price" in sent:
        yield "price", workspace.price_in_cents == sent["price"] * workspace.currency_base_unit


def not_set(rest: ProjectFacts, catalogue: FieldCatalogue, instance: str) -> VendorRejected:
    """The problem for fields that the vendor left unchanged although it answered 200."""
    names = {field.id: field.name for field in catalogue.fields.values()}
    fields = [*rest.fields, *(names.get(id_, id_) for id_ in rest.custom)]
    return ignored(
        instance,
        f"the account ignored {', '.join(fields)} of the project; our user may not set it, or the"
        " account does not allow it (money needs the financial permission)",
        [(f"/{name}", name) for name in fields],
    )


def status_of(workspace: Workspace, profile: KantataProfile) -> ProjectStatus:
    """Our status; raises VendorRejected where the profile does not map it."""
    status = known_status(workspace, profile)
    if status is None:
        name = workspace.status.message or workspace.status.key if workspace.status else "none"
        sentence = f"[stages] of the profile does not map the status “{name}” of project {workspace.id}"
        raise missing(profile.name, sentence, "status")
    return status


def is_cancelled(workspace: Workspace, profile: KantataProfile) -> bool:
    return status_of(workspace, profile) == "cancelled"


def known_status(workspace: Workspace, profile: KantataProfile) -> ProjectStatus | None:
    """Our status, None where the profile maps none; an archived open project counts as closed."""
    known = profile.stages.keys.get(workspace.status.key) if workspace.status else None
    status = known or profile.stages.otherwise
    if workspace.archived and status in (None, "planned", "active"):
        return "closed"
    return status


def to_project(
    project: Project, profile: KantataProfile, catalogue: FieldCatalogue, status: ProjectStatus | None = None
) -> CanonicalProject:
    """The project without its structure; VendorRejected where its status is neither known nor given."""
    workspace, names = project.workspace, profile.fields.project
    page = f"{profile.connection.app_url.rstrip('/')}/workspaces/{workspace.id}"
    text = values.texts(catalogue, project, WORKSPACE)
    noun = CanonicalProject(
        id=workspace.id,
        version="",
        updated_at=utc(workspace.updated_at),
        name=workspace.title,
        status=status or status_of(workspace, profile),
        customer_id=str(workspace.primary_workspace_group_id or ""),
        contract_id=text(names.contract_number),
        selling_entity=code_of(profile.picklists.selling_entity, text(names.selling_entity)),
        template=code_of(profile.picklists.template, text(names.template)),
        start=workspace.start_date,
        end=workspace.due_date,
        budget=money_of_subunits(
            workspace.price_in_cents, workspace.currency or profile.currency, workspace.currency_base_unit
        ),
        manager=project.lead.full_name if project.lead else "",
        key=values.key_of(project, WORKSPACE, names.key, profile, catalogue),
        refs=(Ref(profile.name, "project", workspace.id, page),),
    )
    return versioned(noun, workspace.updated_at)
