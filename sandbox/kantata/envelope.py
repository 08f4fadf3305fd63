"""Kantata stand-in: the answer's envelope: results in order, records by key and id, side-loads, meta."""

from collections.abc import Sequence
from typing import Any

from sandbox.kantata.catalogue import COLLECTIONS, SUBJECTS
from sandbox.kantata.listing import Page, Query
from sandbox.kantata.parameters import check_shown
from sandbox.kantata.reader import Reader
from sandbox.kantata.rendering import render
from sandbox.kantata.shapes import Collection, Many
from sandbox.kantata.store import Record


def names(query: Query, parameter: str) -> list[str]:
    return [part.strip() for part in query.get(parameter, "").split(",") if part.strip()]


def envelope(
    reader: Reader, collection: Collection, page: Page, query: Query, *, key: str | None = None
) -> Record:
    """One page under the name it was asked by."""
    shown_as = key or collection.key
    body: dict[str, Any] = {
        "count": page.total,
        "results": [{"key": shown_as, "id": row["id"]} for row in page.rows],
        shown_as: {},
    }
    check_shown(collection, query)
    optional = frozenset(names(query, "optional_fields"))
    included = names(query, "include")
    for row in page.rows:
        body[shown_as][row["id"]] = _with_links(reader, collection, row, included, optional)
    for name in included:
        _side_load(reader, collection, page.rows, name, body)
    meta = {"count": page.total, "page_count": page.count, "page_number": page.number, "page_size": page.size}
    return body | {"meta": meta}


def single(
    reader: Reader, collection: Collection, rows: list[Record], query: Query, key: str | None = None
) -> Record:
    """The same envelope for what was just shown, made or changed; side-loads are honoured there too."""
    return envelope(reader, collection, Page(rows, len(rows), 1, max(len(rows), 20)), query, key=key)


def _with_links(
    reader: Reader, collection: Collection, row: Record, included: list[str], optional: frozenset[str]
) -> Record:
    """To-many ids are there when their association is included, and some always."""
    shown = render(reader, collection.key, row, optional)
    for name, many in collection.many.items():
        if many.mine and name in included:
            own = linked(reader, collection, row, many)
            shown[f"{name}_id"] = own[0]["id"] if own else None
        elif many.always or name in included:
            shown[_ids_name(name)] = [each["id"] for each in linked(reader, collection, row, many)]
    if collection.key == "subscribed_events" and "subject" in included:
        target, subject = _event_subject(reader, row)
        shown["subject_ref"] = {"key": target, "id": subject["id"]} if subject else None
    return shown


def _ids_name(association: str) -> str:
    if association == "workspace_resources_with_unnamed":
        return "workspace_resources_with_unnamed_ids"
    return (
        f"{association[:-3]}y_ids" if association.endswith("ies") else f"{association.removesuffix('s')}_ids"
    )


def _side_load(
    reader: Reader, collection: Collection, rows: list[Record], name: str, body: dict[str, Any]
) -> None:
    if name in collection.belongs:
        foreign, target = collection.belongs[name]
        found = [reader.rows(target).get(row.get(foreign) or "") for row in rows]
    elif name in collection.many:
        target = collection.many[name].collection
        found = [each for row in rows for each in linked(reader, collection, row, collection.many[name])]
    else:  # the subject of an event
        for row in rows:
            target, subject = _event_subject(reader, row)
            _put(reader, target, [subject], body)
        return
    _put(reader, target, found, body)


def _put(reader: Reader, target: str, found: Sequence[Record | None], body: dict[str, Any]) -> None:
    held = body.setdefault(target, {})
    for row in found:
        if row and row["id"] not in held:
            held[row["id"]] = _with_links(reader, COLLECTIONS[target], row, [], frozenset())


def _event_subject(reader: Reader, row: Record) -> tuple[str, Record | None]:
    target = SUBJECTS[row["subject_type"].lower()].key
    subject = reader.rows(target).get(str(row["subject_id"]))
    return target, subject if subject and reader.sees(target, subject) else None


def linked(reader: Reader, collection: Collection, row: Record, many: Many) -> list[Record]:
    """The records on the far side of a to-many association that this user may see."""
    if many.subject:
        subject = (
            "Resource" if (collection.subject, many.collection) == _RESOURCE_VALUES else collection.subject
        )
        found = reader.subject_rows(many.collection, subject, row["id"])
    elif many.foreign:
        found = reader.group(many.collection, many.foreign).get(row["id"], [])
    elif many.stored:
        found = _stored(reader, collection, row, many)
    else:
        between, near, far = many.through
        ids = dict.fromkeys(
            each[far] for each in reader.group(between, near).get(row["id"], []) if each.get(far)
        )
        found = [reader.rows(many.collection)[each] for each in ids]
    seen = [each for each in found if reader.sees(many.collection, each)]
    return [each for each in seen if each["user_id"] == reader.user_id] if many.mine else seen


_RESOURCE_VALUES = ("WorkspaceResource", "custom_field_values")


def _stored(reader: Reader, collection: Collection, row: Record, many: Many) -> list[Record]:
    if collection.key == "workspace_groups":
        return [
            each for each in reader.rows("workspaces").values() if row["id"] in each["workspace_group_ids"]
        ]
    held = reader.rows(many.collection)
    return [held[each] for each in row.get(many.stored, []) if each in held]
