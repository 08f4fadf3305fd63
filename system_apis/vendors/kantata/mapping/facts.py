"""system_apis: a project's facts, as a workspace holds them, in both directions. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from contracts.canonical.project import Project as CanonicalProject
from contracts.canonical.project import ProjectDraft, ProjectStatus
from contracts.canonical.values import Ref
from contracts.problems import Fault, VendorRejected
from system_apis.vendors.kantata.mapping import values
from system_apis.vendors.kantata.records import Catalogue, CustomFieldValue, Held, Project, Workspace
from system_apis.vendors.kantata.settings.maps import Codes, Maps

WORKSPACE, STORY, GROUP = "Workspace", "Story", "WorkspaceGroup"
_CODED = ("service_line", "region", "template", "pricing_model")


class Facts(NamedTuple):
    """A draft as the wire has it: the record's own fields, and its custom values by field id."""

    fields: dict[str, Any]
    custom: dict[str, Any]


def from_draft(draft: ProjectDraft, key: str, maps: Maps, catalogue: Catalogue) -> Facts:
    """All facts of a project to create; raises VendorRejected for what the account lacks."""
    fields: dict[str, Any] = {
        "title": draft.name,
        "start_date": draft.start.isoformat(),
        "due_date": draft.end.isoformat(),
        "currency": draft.currency,
        "primary_workspace_group_id": draft.client_id,
        "status_key": maps.stages.planned[0],
        "budgeted": draft.budget is not None,
        "stories_are_fixed_fee_by_default": draft.pricing_model == "fixed_price",
    }
    if draft.budget is not None:
        if draft.budget.currency != draft.currency:
            raise values.missing(
                maps.instance, "the budget is in another currency than the project", "/budget", "budget"
            )
        fields["price"] = values.main_units(draft.budget.amount)
    return Facts(fields, dict(_custom(draft, key, maps, catalogue)))


def _custom(draft: ProjectDraft, key: str, maps: Maps, catalogue: Catalogue) -> Iterator[tuple[str, Any]]:
    names, labels = maps.fields.project, maps.picklists
    wanted = {**maps.required_custom.project, names.key: key}
    if names.contract_number:
        wanted[names.contract_number] = draft.contract_number
    for noun in _CODED:
        name, code = getattr(names, noun), getattr(draft, noun)
        if name and code:
            label = values.label_of(code, getattr(labels, noun))
            if not label:
                raise values.missing(
                    maps.instance,
                    f"[picklists.{noun}] of the profile has no label for {code!r}",
                    f"/{noun}",
                    noun,
                )
            wanted[name] = label
    wanted.update(named_custom(draft.custom, names.custom, maps.instance))
    yield from wire_custom(WORKSPACE, wanted, maps.instance, catalogue)


def named_custom(custom: dict[str, str], names: Codes, instance: str) -> dict[str, str]:
    """What the caller adds, by the account's field names; raises VendorRejected for an unknown one."""
    for noun in custom:
        if noun not in names:
            raise values.missing(
                instance, f"the profile names no custom field for {noun!r}", f"/custom/{noun}", noun
            )
    return {names[noun]: text for noun, text in custom.items()}


def wire_custom(
    subject: str, wanted: dict[str, str], instance: str, catalogue: Catalogue
) -> Iterator[tuple[str, Any]]:
    """Texts by field name as values by field id."""
    for name, text in wanted.items():
        field = values.field_of(catalogue, subject, name, instance)
        yield field.id, values.to_wire(catalogue, field, text, instance)


def create_body(facts: Facts, key: str, maps: Maps) -> dict[str, Any]:
    """The workspace to create, with the marks by which it is looked up."""
    return {
        **facts.fields,
        "creator_role": "maven",
        "access_level": maps.defaults.access_level,
        "custom_fields": [{"custom_field_id": id_, "value": value} for id_, value in facts.custom.items()],
        "external_reference": reference(key, "project", maps),
    }


def reference(key: str, noun: str, maps: Maps) -> dict[str, str]:
    """Our external reference, which the vendor stores beside a record."""
    return {"service_name": maps.service_name, "service_model": noun, "service_model_ref": key}


def differing(facts: Facts, project: Project) -> Facts:
    """The facts in which the project differs from the draft."""
    workspace = project.workspace
    actual = dict(_echoes(facts, workspace))
    fields = {name: facts.fields[name] for name, same in actual.items() if not same}
    if "price" in fields:
        fields["budgeted"] = True
    values_ = by_field(project)
    custom = {id_: value for id_, value in facts.custom.items() if not _same(value, values_.get(id_))}
    return Facts(fields, custom)


def _echoes(facts: Facts, workspace: Workspace) -> Iterator[tuple[str, bool]]:
    """Whether each field came back as it was sent: what one may not set is ignored without a word."""
    sent = facts.fields
    yield "title", workspace.title == sent["title"]
    yield "start_date", str(workspace.start_date) == sent["start_date"]
    yield "due_date", str(workspace.due_date) == sent["due_date"]
    yield "currency", workspace.currency == sent["currency"]
    yield "status_key", workspace.status is not None and workspace.status.key == sent["status_key"]
    groups = {str(each) for each in (workspace.primary_workspace_group_id,) if each is not None}
    yield "primary_workspace_group_id", sent["primary_workspace_group_id"] in groups
    if "price" in sent:
        yield "price", workspace.price_in_cents == sent["price"] * workspace.currency_base_unit


def _same(sent: Any, value: CustomFieldValue | None) -> bool:
    if value is None:
        return False
    if isinstance(sent, list):
        have = value.value if isinstance(value.value, list) else [value.value]
        return sorted(map(str, sent)) == sorted(map(str, have))
    return str(value.value) == str(sent)


def ignored(rest: Facts, catalogue: Catalogue, instance: str) -> VendorRejected:
    """The problem for fields that the vendor left unchanged although it answered 200."""
    names = {field.id: field.name for field in catalogue.fields.values()}
    fields = [*rest.fields, *(names.get(id_, id_) for id_ in rest.custom)]
    return VendorRejected(
        f"{instance}: the account ignored {', '.join(fields)} of the project; our user may not set it, or the"
        " account does not allow it (money needs the financial permission)",
        instance=instance,
        errors=tuple(
            Fault(
                pointer=f"/{name}",
                detail="was ignored",
                code="ignored",
                field=name,
                fixed_by="administrator",
            )
            for name in fields
        ),
    )


def by_field(record: Held) -> dict[str, CustomFieldValue]:
    """The record's custom values by field id."""
    return {str(value.custom_field_id): value for value in record.custom}


def key_of(record: Held, subject: str, name: str, maps: Maps, catalogue: Catalogue) -> str:
    """Our key of a record: from its unique field, or from our reference."""
    field = catalogue.fields.get((subject, name))
    value = by_field(record).get(field.id) if field else None
    if value is not None and value.value:
        return str(value.value)
    references = [each for each in record.references if each.service_name == maps.service_name]
    return str(references[0].service_model_ref) if references else ""


def status_of(workspace: Workspace, maps: Maps) -> ProjectStatus:
    """Our status; raises VendorRejected where the profile does not map it."""
    status = known_status(workspace, maps)
    if status is None:
        name = workspace.status.message or workspace.status.key if workspace.status else "none"
        raise values.missing(
            maps.instance,
            f"[stages] of the profile does not map the status “{name}” of project {workspace.id}",
            "/status",
            "status",
        )
    return status


def known_status(workspace: Workspace, maps: Maps) -> ProjectStatus | None:
    """Our status, None where the profile maps none; an archived open project counts as closed."""
    known = maps.stages.keys.get(workspace.status.key) if workspace.status else None
    status = known or maps.stages.otherwise
    if workspace.archived and status in (None, "planned", "active"):
        return "closed"
    return status


def to_project(
    project: Project, maps: Maps, catalogue: Catalogue, status: ProjectStatus | None = None
) -> CanonicalProject:
    """The project without its structure; VendorRejected where its status is neither known nor given."""
    workspace, names = project.workspace, maps.fields.project
    custom = by_field(project)

    def text(name: str) -> str:
        field = catalogue.fields.get((WORKSPACE, name)) if name else None
        return values.from_wire(catalogue, field, custom.get(field.id)) if field else ""

    noun = CanonicalProject(
        id=workspace.id,
        version="",
        updated_at=values.utc(workspace.updated_at),
        name=workspace.title,
        status=status or status_of(workspace, maps),
        customer_id=str(workspace.primary_workspace_group_id or ""),
        contract_id=text(names.contract_number),
        template=values.code_of(text(names.template), maps.picklists.template),
        start=workspace.start_date,
        end=workspace.due_date,
        budget=values.money(workspace.price_in_cents, workspace.currency, workspace.currency_base_unit),
        manager=project.lead.full_name if project.lead else "",
        key=key_of(project, WORKSPACE, names.key, maps, catalogue),
        refs=(Ref(maps.instance, "project", workspace.id, f"{maps.app_url}/workspaces/{workspace.id}"),),
    )
    return msgspec.structs.replace(noun, version=values.version(workspace.updated_at, noun))
