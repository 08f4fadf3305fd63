"""Kantata stand-in: which records a list holds: filters, flags, defaults, search, order and paging."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sandbox.kantata.problems import RefusalError, invalid, system
from sandbox.kantata.reader import Reader
from sandbox.kantata.shapes import Collection
from sandbox.kantata.staffing import overlap
from sandbox.kantata.store import Record, alive
from sandbox.kantata.values import as_date, read_instant, words

DEFAULT_PAGE, LARGEST_PAGE = 20, 200
MOST_REFERENCES = 200
ORDERED = words(
    "id created_at updated_at title name start_date due_date end_date position date_performed "
    "subject_changed_at full_name date_to_invoice"
)
Query = Mapping[str, str]
Test = Callable[[Reader, Record], bool]


def _archived_project(reader: Reader, row: Record) -> bool:
    return reader.rows("workspaces")[row["workspace_id"]]["archived"]


# What a list leaves out unless one of the flags is present: collection → (flags, test).
HIDDEN: dict[str, tuple[tuple[tuple[str, ...], Test], ...]] = {
    "workspaces": ((("include_archived", "archived"), lambda _r, row: row["archived"]),),
    "stories": (
        (("show_archived", "include_archived"), lambda _r, row: row["archived"]),
        (("show_from_archived_workspaces",), _archived_project),
    ),
    "users": ((("show_disabled",), lambda _r, row: row["disabled"]),),
    "time_entries": ((("from_archived_workspaces", "include_archived"), _archived_project),),
    "billing_milestones": ((("include_archived",), _archived_project),),
}
# True whenever present, whatever their value: collection → flag → test.
FLAGS: dict[str, dict[str, Test]] = {
    "workspaces": {
        "archived": lambda _r, row: row["archived"],
        "budgeted": lambda _r, row: row["budgeted"],
        "not_budgeted": lambda _r, row: not row["budgeted"],
    },
    "stories": {
        "parents_only": lambda _r, row: not row["parent_id"],
        "top_level": lambda _r, row: not row["parent_id"],
        "uncompleted": lambda _r, row: row["state"] != "completed",
        "billable": lambda _r, row: row["billable"],
    },
    "workspace_groups": {"company": lambda _r, row: row["company"]},
    "workspace_resources": {
        "named": lambda _r, row: bool(row["user_id"]),
        "unnamed": lambda _r, row: not row["user_id"],
    },
    "assignments": {"current": lambda _r, row: row["current"]},
    "billing_milestones": {
        "invoiced": lambda _r, row: bool(row["invoice_id"]),
        "uninvoiced": lambda _r, row: not row["invoice_id"],
    },
    "time_entries": {
        "approved": lambda _r, row: row["approved"],
        "unapproved": lambda _r, row: not row["approved"],
        "invoiced": lambda _r, row: row["is_invoiced"],
        "uninvoiced": lambda _r, row: not row["is_invoiced"],
        "billable": lambda _r, row: row["billable"],
    },
}
# Filters on a field of another name, or on plain words.
EQUAL: dict[str, dict[str, str]] = {
    "workspaces": {"status_key": "status_key", "stage": "stage"},
    "stories": {"story_type": "story_type", "state": "state", "status": "state"},
    "users": {"by_email_address": "email_address", "email_address": "email_address"},
    "resource_requests": {"status": "status"},
    "custom_fields": {"value_type": "value_type", "subject_type": "subject_type"},
    "custom_field_values": {
        "subject_type": "subject_type",
        "subject_id": "subject_id",
        "subject_ids": "subject_id",
    },
    "external_references": {
        "subject_type": "subject_type",
        "subject_id": "subject_id",
        "subject_ids": "subject_id",
        "service_name": "service_name",
        "service_model": "service_model",
        "service_model_ref": "service_model_ref",
        "service_model_refs": "service_model_ref",
        "status": "status",
    },
    "subscribed_events": {
        "event_types": "event_type",
        "subject_type": "subject_type",
        "subject_id": "subject_id",
        "user_ids": "user_id",
    },
}


@dataclass(frozen=True)
class Page:
    rows: list[Record]
    total: int
    number: int
    size: int

    @property
    def count(self) -> int:
        return -(-self.total // self.size)


def choose(reader: Reader, collection: Collection, query: Query) -> list[Record]:
    """All matching records in order. Raises: RefusalError."""
    _refuse(reader, collection, query)
    rows = [
        row for row in reader.rows(collection.key).values() if is_shown(reader, collection.key, row, query)
    ]
    for test in _tests(reader, collection, query):
        rows = [row for row in rows if test(reader, row)]
    return _sorted(collection, rows, query)


def cut(rows: list[Record], query: Query) -> Page:
    """One page of them; `limit`/`offset` win over `page`/`per_page`."""
    if "limit" in query or "offset" in query:
        size = _number(query.get("limit"), DEFAULT_PAGE, LARGEST_PAGE)
        offset = _number(query.get("offset"), 0)
        return Page(rows[offset : offset + size], len(rows), offset // size + 1, size)
    size = _number(query.get("per_page"), DEFAULT_PAGE, LARGEST_PAGE)
    number = _number(query.get("page"), 1) or 1
    return Page(rows[(number - 1) * size : number * size], len(rows), number, size)


def is_shown(reader: Reader, key: str, row: Record, query: Query) -> bool:
    """Whether permission and the default filters let this record through; they bind `show` as well."""
    if not reader.may_read(key, row) or not alive(reader.now, row):
        return False
    if "only_deleted" in query and not row.get("deleted_at"):
        return False
    if row.get("deleted_at") and not {"show_deleted", "only_deleted"} & set(query):
        return False
    return not any(hides(reader, row) and not set(flags) & set(query) for flags, hides in HIDDEN.get(key, ()))


def _refuse(reader: Reader, collection: Collection, query: Query) -> None:
    if "only" in query and "search" in query:
        raise system(400, "The search and only parameters cannot be combined.")
    if collection.key == "external_references" and not query.get("subject_type"):
        raise invalid("subject_type", "can't be blank")
    strict = reader.account.settings.get("participations_need_workspace", True)
    if collection.key == "participations" and strict and not {"workspace_id", "workspace_ids"} & set(query):
        raise invalid("workspace_id", "can't be blank")
    for name in ("external_reference_service_model_refs", "service_model_refs"):
        if len(csv(query.get(name, ""))) > MOST_REFERENCES:
            raise RefusalError(
                422, [{"type": "validation", "field": name, "message": "is too long (maximum is 200)"}]
            )


def _tests(reader: Reader, collection: Collection, query: Query) -> list[Test]:
    tests = [test for flag, test in FLAGS.get(collection.key, {}).items() if flag in query]
    for name, text in query.items():
        if name == "only":
            tests.append(_one_of("id", text))
        elif name in EQUAL.get(collection.key, {}):
            tests.append(_one_of(EQUAL[collection.key][name], text))
        elif name in MOMENTS:
            tests.append(_moment(name, text))
        elif _foreign(collection, name):
            tests.append(_one_of(_foreign(collection, name), text))
        elif name in SPECIAL.get(collection.key, {}):
            tests.append(SPECIAL[collection.key][name](text))
    if query.get("search"):
        tests.append(_contains(collection.searched, query["search"]))
    if query.get("matching"):
        tests.append(_contains(("title", "name"), query["matching"]))
    if query.get("external_reference_service_name"):
        tests.append(_referenced(reader, collection, query))
    return tests


def csv(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


def _one_of(field: str, text: str) -> Test:
    wanted = {part.lower() for part in csv(text)}
    return lambda _reader, row: str(row.get(field)).lower() in wanted


def _foreign(collection: Collection, name: str) -> str:
    """`workspace_id` and `workspace_ids` both filter by the foreign key."""
    field = name[:-1] if name.endswith("_ids") else name
    held = {foreign for foreign, _ in collection.belongs.values()}
    return field if field in held else ""


MOMENTS = {
    "created_after": ("created_at", True),
    "created_before": ("created_at", False),
    "updated_after": ("updated_at", True),
    "updated_before": ("updated_at", False),
    "subject_changed_after": ("subject_changed_at", True),
    "subject_changed_before": ("subject_changed_at", False),
}


def _moment(name: str, text: str) -> Test:
    field, after = MOMENTS[name]
    mark = read_instant(text)
    return lambda _reader, row: field not in row or (row[field] >= mark if after else row[field] <= mark)


def _contains(fields: tuple[str, ...], text: str) -> Test:
    """Fuzzy as the vendor's search is: every word somewhere, whatever the case."""
    parts = text.lower().split()
    return lambda _reader, row: all(
        any(part in str(row.get(field) or "").lower() for field in fields) for part in parts
    )


def _referenced(reader: Reader, collection: Collection, query: Query) -> Test:
    """The look-up by external reference on the subject's own collection."""
    service = query["external_reference_service_name"]
    model = query.get("external_reference_service_model")
    listed = query.get(
        "external_reference_service_model_refs", query.get("external_reference_service_model_ref")
    )
    refs = None if listed is None else csv(listed)
    found = {
        str(row["subject_id"])
        for row in reader.group("external_references", "service_name").get(service, [])
        if row["subject_type"] == collection.subject
        and (model is None or row["service_model"] == model)
        and (refs is None or row["service_model_ref"] in refs)
    }
    return lambda _reader, row: row["id"] in found


def _span(text: str) -> tuple[date, date]:
    try:
        first, last = (date.fromisoformat(as_date(part)) for part in text.split(":"))
    except ValueError:
        raise system(400, f"Invalid date range: {text}") from None
    return first, last


def _overlaps(text: str) -> Test:
    span = _span(text)
    return lambda _reader, row: overlap(row, *span)


def _performed(text: str) -> Test:
    first, last = (day.isoformat() for day in _span(text))
    return lambda _reader, row: first <= row["date_performed"] <= last


def _hardness(text: str) -> Test:
    return lambda _reader, row: row["hard"] == (text == "hard")


def _booked_users(text: str) -> Test:
    wanted = csv(text)
    return lambda reader, row: (
        reader.rows("workspace_resources")[row["workspace_resource_id"]]["user_id"] in wanted
    )


def _in_groups(text: str) -> Test:
    wanted = csv(text)
    return lambda _reader, row: bool(wanted & set(row["workspace_group_ids"]))


def _participates(text: str) -> Test:
    wanted = csv(text)

    def test(reader: Reader, row: Record) -> bool:
        return any(
            each["workspace_id"] in wanted
            for each in reader.group("participations", "user_id").get(row["id"], [])
        )

    return test


def _active(text: str) -> Test:
    """Unlike the flags, these three have a value."""
    return lambda reader, row: text != "true" or not reader.rows("users")[row["user_id"]]["disabled"]


def _in_open(key: str) -> Callable[[str], Test]:
    def of(reader: Reader, row: Record) -> Record:
        story = reader.rows("stories")[row["story_id"]]
        return story if key == "stories" else reader.rows("workspaces")[story["workspace_id"]]

    return lambda text: lambda reader, row: text != "true" or not of(reader, row)["archived"]


def _by_custom_text(subject: str) -> Callable[[str], Test]:
    """`field id:value`, the whole value. Raises: RefusalError."""

    def test_of(text: str) -> Test:
        field_id, colon, value = text.partition(":")
        if not field_id.isdigit() or not colon:
            raise system(400, f"Invalid custom field filter: {text}")

        def test(reader: Reader, row: Record) -> bool:
            held = reader.subject_rows("custom_field_values", subject, row["id"])
            return any((each["custom_field_id"], each["value"]) == (field_id, value) for each in held)

        return test

    return test_of


BY_CUSTOM_TEXT = "by_custom_text_value"
SPECIAL: dict[str, dict[str, Callable[[str], Test]]] = {
    "workspaces": {
        "workspace_group_ids": _in_groups,
        "workspace_group_id": _in_groups,
        BY_CUSTOM_TEXT: _by_custom_text("Workspace"),
    },
    "workspace_groups": {BY_CUSTOM_TEXT: _by_custom_text("WorkspaceGroup")},
    "stories": {BY_CUSTOM_TEXT: _by_custom_text("Story")},
    "workspace_allocations": {
        "overlaps_with_date_range": _overlaps,
        "type": _hardness,
        "user_ids": _booked_users,
        "resource_id": lambda text: _one_of("workspace_resource_id", text),
    },
    "time_entries": {"date_performed_between": _performed},
    "users": {"participant_in": _participates, BY_CUSTOM_TEXT: _by_custom_text("User")},
    "account_memberships": {"only_active": _active},
    "assignments": {
        "in_unarchived_workspaces": _in_open("workspaces"),
        "in_unarchived_stories": _in_open("stories"),
    },
    "resource_requests": {
        "workspace_id": lambda text: _one_of("workspace_id", text),
        "workspace_ids": lambda text: _one_of("workspace_id", text),
    },
}


def _sorted(collection: Collection, rows: list[Record], query: Query) -> list[Record]:
    """By one field; ties by id, so equal seconds keep one order. `search` makes `order` unheard."""
    wanted = collection.order if query.get("search") else query.get("order", collection.order)
    field, _, direction = wanted.partition(":")
    backwards = direction.lower() == "desc"
    key = (
        (lambda row: int(row["id"]))
        if field == "id"
        else (lambda row: (_rank(row.get(field)), int(row["id"])))
    )
    return sorted(rows, key=key, reverse=backwards)


def _rank(value: object) -> tuple[bool, int, str]:
    """Numbers by size, the rest as text, nothing last."""
    if isinstance(value, int):
        return (False, value, "")
    return (value is None, 0, str(value or ""))


def _number(text: str | None, default: int, largest: int | None = None) -> int:
    value = int(text) if text and re.fullmatch(r"[0-9]{1,9}", text) else default
    if largest is None:
        return value
    return min(value or default, largest)
