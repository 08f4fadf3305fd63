"""system_apis: what the profiles and mappings of all PSAs share: fields, order of tasks, marks. Pure.

A vendor without unique keys recognises our demands by the first words of a booking's notes.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, NamedTuple

from msgspec import Meta

from contracts.canonical.project import ClientDraft, ProjectDraft, StaffingDemand, TaskPlan
from system_apis.connector.codes import Codes, ambiguous, value_of
from system_apis.connector.custom_values import CustomValues, custom_texts, named_texts
from system_apis.connector.profile import Names, Profile, Table
from system_apis.connector.refusals import missing

FieldLabel = Annotated[str, Meta(min_length=1, max_length=255)]

CODED = ("service_line", "region", "template", "pricing_model", "selling_entity")

_MINUTES = 60
_CENT = Decimal("0.01")
_NOTES = re.compile(
    r"Enfilade (?P<key>[A-Za-z0-9_\-]+)/(?P<number>[0-9]{1,9})"
    r"(?:; region (?P<region>[^;]*))?(?:; skills (?P<skills>[^;]*))?"
)


class ProjectFields(Names, frozen=True, kw_only=True):
    """Which field of the account's projects holds what, by name; empty: it is not stored there.

    `key` must have the unique constraint: it prevents a second project of a key. `custom` are the fields that
    a draft may name.
    """

    key: FieldLabel = "Enfilade key"
    contract_number: str = ""
    service_line: str = ""
    region: str = ""
    template: str = ""
    pricing_model: str = ""
    selling_entity: str = ""
    custom: dict[str, str] = {}


class TaskFields(Names, frozen=True, kw_only=True):
    """`key` must have the unique constraint; without such a field tasks are distinguished by their titles."""

    key: str = ""


class ClientFields(Names, frozen=True, kw_only=True):
    """`key` must have the unique constraint: it prevents a second client of a key."""

    key: FieldLabel = "Enfilade key"
    custom: dict[str, str] = {}


class PsaFields(Table, frozen=True, kw_only=True):
    project: ProjectFields = ProjectFields()
    task: TaskFields = TaskFields()
    client: ClientFields = ClientFields()


class Picklists(Table, frozen=True, kw_only=True):
    """By canonical field: the account's label → our code."""

    service_line: Codes = {}
    region: Codes = {}
    template: Codes = {}
    pricing_model: Codes = {}
    selling_entity: Codes = {}
    role: Codes = {}


class PsaRequired(Table, frozen=True, kw_only=True):
    """Custom fields that the firm demands: what to put there, by field name."""

    project: CustomValues = {}
    client: CustomValues = {}


class PsaProfile(Profile, frozen=True, kw_only=True):
    """A PSA's profile."""

    fields: PsaFields = PsaFields()
    picklists: Picklists = Picklists()
    required_custom: PsaRequired = PsaRequired()

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        for table in self.picklists.__struct_fields__:
            yield from ambiguous(getattr(self.picklists, table), f"picklists.{table}")


def project_texts(draft: ProjectDraft, key: str, profile: PsaProfile) -> dict[str, str]:
    """What the account's own fields of a project are given, by their names; raises VendorRejected."""
    names = profile.fields.project
    texts = custom_texts(profile.required_custom.project, draft, profile.name) | {names.key: key}
    if names.contract_number:
        texts[names.contract_number] = draft.contract_number
    for noun in CODED:
        name, code = getattr(names, noun), getattr(draft, noun)
        if name and code:
            texts[name] = label_of(profile, noun, code, noun)
    return texts | named_texts(draft.custom, names.custom, profile.name)


def client_texts(draft: ClientDraft, key: str, profile: PsaProfile) -> dict[str, str]:
    """The same of a client."""
    names = profile.fields.client
    texts = custom_texts(profile.required_custom.client, draft, profile.name) | {names.key: key}
    return texts | named_texts(draft.custom, names.custom, profile.name)


def label_of(profile: PsaProfile, table: str, code: str, place: str) -> str:
    """The account's label of our code; raises VendorRejected where the profile has none."""
    label = value_of(getattr(profile.picklists, table), code)
    if not label:
        sentence = f"[picklists.{table}] of the profile has no label for {code!r}"
        raise missing(profile.name, sentence, place)
    return label


class Demand(NamedTuple):
    """A staffing demand with its number in the draft and the role's id in the account."""

    number: int
    role_id: str
    wanted: StaffingDemand


class Mark(NamedTuple):
    """What our notes on a booking state."""

    key: str
    number: int
    region: str
    skills: tuple[str, ...]


def notes_of(key: str, demand: Demand) -> str:
    """The notes by which a booking for a demand of a project is recognised."""
    notes, wanted = f"Enfilade {key}/{demand.number}", demand.wanted
    if wanted.region:
        notes += f"; region {wanted.region}"
    if wanted.skills:
        notes += f"; skills {', '.join(wanted.skills)}"
    return notes


def mark_of(notes: str | None) -> Mark | None:
    """What the notes state; None for a booking that is not ours."""
    match = _NOTES.match(notes or "")
    if match is None:
        return None
    skills = tuple(match["skills"].split(", ")) if match["skills"] else ()
    return Mark(match["key"], int(match["number"]), match["region"] or "", skills)


def missing_demands(wanted: Sequence[Demand], key: str, notes: Iterable[str | None]) -> list[Demand]:
    """The demands for which there is no booking of ours."""
    marks = [mark for mark in map(mark_of, notes) if mark and mark.key == key]
    there = {mark.number for mark in marks}
    return [demand for demand in wanted if demand.number not in there]


def task_key(key: str, plan: TaskPlan) -> str:
    """A task's own key: the project's, and the task's place in the template."""
    return f"{key}.{plan.code}"


class Existing(NamedTuple):
    """A task as the account has it; `key` is ours where it has one."""

    id: str
    key: str
    title: str
    is_milestone: bool


def known_tasks(tasks: Sequence[TaskPlan], key: str, existing: Iterable[Existing]) -> dict[str, str]:
    """The ids of the tasks that are there already, by the plan's code: by our keys, else by their titles."""
    by_key: dict[str, str] = {}
    by_title: dict[tuple[str, bool], list[str]] = {}
    for task in existing:
        if task.key:
            by_key[task.key] = task.id
        else:
            by_title.setdefault((task.title, task.is_milestone), []).append(task.id)
    ids: dict[str, str] = {}
    for plan in tasks:
        same = by_title.get((plan.title, plan.kind == "milestone"), [])
        if known := by_key.get(task_key(key, plan)):
            ids[plan.code] = known
        elif same:
            ids[plan.code] = same.pop(0)
    return ids


def next_level(tasks: Sequence[TaskPlan], known: Mapping[str, str]) -> list[TaskPlan]:
    """The missing tasks whose parents exist: those that can be created in one call."""
    codes = {plan.code for plan in tasks}
    return [
        plan
        for plan in tasks
        if plan.code not in known and (plan.parent in known or plan.parent not in codes)
    ]


def not_saved(
    sent: Iterable[Mapping[str, Any]], saved: Iterable[object], names: Sequence[str]
) -> list[tuple[Any, ...]]:
    """The values by name of what was sent and did not come back so; an answer has no defined order.

    A value that was not sent may have a default of the vendor.
    """
    expected = Counter(tuple(body.get(name) for name in names) for body in sent)
    actual = Counter(_sent_values(tuple(getattr(each, name) for name in names), expected) for each in saved)
    return list((expected - actual).elements())


def _sent_values(exact: tuple[Any, ...], expected: Counter[tuple[Any, ...]]) -> tuple[Any, ...]:
    for each in expected:
        if all(mine is None or mine == theirs for mine, theirs in zip(each, exact, strict=True)):
            return each
    return exact


def minutes(hours: Decimal) -> int:
    return int((hours * _MINUTES).quantize(Decimal(1), ROUND_HALF_UP))


def hours(in_minutes: int | None) -> Decimal | None:
    return None if in_minutes is None else (Decimal(in_minutes) / _MINUTES).quantize(_CENT)
