"""Kantata stand-in: create, update and delete, for every collection, with what belongs to each."""

from collections.abc import Callable

from sandbox.kantata import billing, extension, not_imitated, staffing, stories, workspaces
from sandbox.kantata.catalogue import COLLECTIONS
from sandbox.kantata.extension import field_subject
from sandbox.kantata.problems import RefusalError, fault, forbidden, invalid
from sandbox.kantata.shapes import Collection
from sandbox.kantata.store import Record, Unit
from sandbox.kantata.values import keep

CREATE: dict[str, Callable[[Unit, Record], Record]] = {
    "workspaces": workspaces.create,
    "stories": stories.create,
    "workspace_groups": workspaces.create_group,
    "participations": staffing.create_participation,
    "workspace_resources": staffing.create_resource,
    "workspace_allocations": staffing.create_allocation,
    "resource_requests": staffing.create_request,
    "assignments": staffing.create_assignment,
    "custom_fields": extension.create_field,
    "custom_field_values": extension.create_value,
    "external_references": extension.create_reference,
    "time_entries": billing.create_time,
    "billing_milestones": billing.create_milestone,
}
UPDATE: dict[str, Callable[[Unit, Record, Record], None]] = {
    "workspaces": workspaces.update,
    "stories": stories.update,
    "workspace_groups": workspaces.update_group,
    "participations": staffing.update_participation,
    "workspace_resources": staffing.update_resource,
    "workspace_allocations": staffing.update_allocation,
    "resource_requests": staffing.update_request,
    "custom_fields": extension.update_field,
    "custom_field_values": extension.update_value,
    "external_references": extension.update_reference,
    "time_entries": billing.update_time,
}
# A record goes and takes these with it: collection → (child collection, foreign key).
CASCADES = {
    "workspaces": tuple(
        (child, "workspace_id")
        for child in (
            "time_entries",
            "billing_milestones",
            "stories",
            "workspace_resources",
            "participations",
        )
    ),
    "stories": (("assignments", "story_id"),),
    "workspace_resources": (
        ("workspace_allocations", "workspace_resource_id"),
        ("assignments", "resource_id"),
        ("resource_requests", "resource_id"),
    ),
    "custom_fields": (
        ("custom_field_choices", "custom_field_id"),
        ("custom_field_values", "custom_field_id"),
    ),
    "participations": (("workspace_resources", "participation_id"),),
}
INLINE = frozenset({"external_reference", "custom_fields"})


def create(unit: Unit, key: str, fields: Record) -> Record:
    """Unknown and unsettable fields are left unheard, as the vendor does. Raises: RefusalError."""
    collection = COLLECTIONS[key]
    if not collection.create:
        raise forbidden()
    accepted, faults = keep({name: value for name, value in fields.items() if name in collection.create})
    faults += not_imitated.faults_of(key, fields)
    faults += _blanks(collection, accepted, set(collection.required) - {each["field"] for each in faults})
    _check_targets(unit, collection, accepted, faults)
    make = CREATE.get(key)
    return make(unit, accepted) if make else _create_plain(unit, collection, accepted)


def update(unit: Unit, key: str, record: Record, fields: Record) -> Record:
    collection = COLLECTIONS[key]
    if not collection.update:
        raise forbidden()
    accepted, faults = keep({name: value for name, value in fields.items() if name in collection.update})
    faults += not_imitated.faults_of(key, fields)
    faults += _blanks(collection, accepted, set(accepted))
    _check_targets(unit, collection, accepted, faults)
    change = UPDATE.get(key)
    if change:
        change(unit, record, accepted)
    else:
        unit.amend(key, record, {name: value for name, value in accepted.items() if name not in INLINE})
        _write_inline(unit, collection, record, accepted)
    return record


def erase(unit: Unit, key: str, record: Record) -> None:
    if not COLLECTIONS[key].deletable:
        raise forbidden()
    if key == "stories":
        stories.erase(unit, record)
        return
    if key == "time_entries":
        billing.refuse_locked(unit, record)
    _erase_tree(unit, key, record)


def remove(unit: Unit, key: str, record: Record) -> Record:
    """Deletion in the vendor's screens, where a project can go, with all that is in it."""
    if key == "workspaces":
        _erase_tree(unit, key, record)
    else:
        erase(unit, key, record)
    return record


def _erase_tree(unit: Unit, key: str, record: Record) -> None:
    if record["id"] not in unit.rows(key):
        return
    for child, foreign in CASCADES.get(key, ()):
        for row in unit.where(child, **{foreign: record["id"]}):
            _erase_tree(unit, child, row)
    subject, number = COLLECTIONS[key].subject, int(record["id"])
    for row in unit.where("external_references", subject_type=subject, subject_id=number):
        unit.erase("external_references", row)
    for row in unit.where("custom_field_values", subject_type=field_subject(subject), subject_id=number):
        unit.erase("custom_field_values", row)
    if key == "workspace_groups":
        _leave_group(unit, record)
    unit.erase(key, record)


def _leave_group(unit: Unit, group: Record) -> None:
    for workspace in list(unit.rows("workspaces").values()):
        if group["id"] in workspace["workspace_group_ids"]:
            rest = [each for each in workspace["workspace_group_ids"] if each != group["id"]]
            changes: Record = {"workspace_group_ids": rest}
            if workspace["primary_workspace_group_id"] == group["id"]:
                changes["primary_workspace_group_id"] = None
            unit.amend("workspaces", workspace, changes)


def _blanks(collection: Collection, accepted: Record, among: set[str]) -> list[Record]:
    return [
        fault(name, message)
        for name, message in collection.required.items()
        if name in among and accepted.get(name) in (None, "", [])
    ]


def _check_targets(unit: Unit, collection: Collection, fields: Record, faults: list[Record]) -> None:
    """Every named record exists; all faults are reported at once."""
    for foreign, target in collection.belongs.values():
        if fields.get(foreign) is not None and not unit.find(target, fields[foreign]):
            faults.append(fault(foreign, "must exist"))
    if faults:
        raise RefusalError(422, faults)


def _create_plain(unit: Unit, collection: Collection, fields: Record) -> Record:
    if "name" in fields and any(row["name"] == fields["name"] for row in unit.rows(collection.key).values()):
        raise invalid("name", "has already been taken")
    blank: Record = {
        name: None for name in collection.create if name not in INLINE and not name.endswith("_ids")
    }
    lists = {name: [] for name in collection.create if name.endswith("_ids")}
    stored = {name: value for name, value in fields.items() if name not in INLINE}
    record = unit.insert(collection.key, {**blank, **lists, **stored})
    _write_inline(unit, collection, record, fields)
    return record


def _write_inline(unit: Unit, collection: Collection, record: Record, fields: Record) -> None:
    extension.write_values(unit, collection.subject, record, fields.get("custom_fields"))
    extension.write_reference(unit, collection.key, record, fields.get("external_reference"))
