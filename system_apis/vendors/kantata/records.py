"""system_apis: Kantata OX's records as they come, as far as we read them; what is absent stays absent."""

import datetime as dt
from typing import Annotated, Any

import msgspec
from msgspec import Meta

# Numbers in some places, texts in others; the vendor advises to treat all as texts.
WireId = int | str
Instant = Annotated[dt.datetime, Meta(tz=True)]


class ErrorItem(msgspec.Struct, frozen=True):
    """One fault of a refusal."""

    type: str = ""
    message: str = ""
    field: str | None = None


class Errors(msgspec.Struct, frozen=True):
    errors: tuple[ErrorItem, ...]


class Result(msgspec.Struct, frozen=True):
    """A place in an answer's order: which collection, which record."""

    key: str
    id: str


class Meta_(msgspec.Struct, frozen=True):  # noqa: N801 - msgspec's own Meta is used here, too
    page_count: int | None = None
    page_number: int | None = None


class Status(msgspec.Struct, frozen=True):
    key: int
    message: str = ""


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A project. Money is absent for a user without financial permission."""

    id: str
    title: str
    updated_at: Instant
    archived: bool = False
    status: Status | None = None
    start_date: dt.date | None = None
    due_date: dt.date | None = None
    budgeted: bool = False
    price_in_cents: int | None = None
    currency: str | None = None
    currency_base_unit: int = 100
    primary_workspace_group_id: WireId | None = None
    primary_maven_id: WireId | None = None


class WorkspaceGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A client company."""

    id: str
    name: str
    company: bool = False
    email: str | None = None
    website: str | None = None
    updated_at: Instant | None = None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A task, milestone, deliverable or issue."""

    id: str
    title: str
    story_type: str
    workspace_id: WireId
    start_date: dt.date | None = None
    due_date: dt.date | None = None
    time_estimate_in_minutes: int | None = None
    budget_estimate_in_cents: int | None = None
    state: str = ""
    position: int | None = None
    parent_id: WireId | None = None
    archived: bool = False
    deleted_at: str | None = None


class WorkspaceResource(msgspec.Struct, frozen=True, kw_only=True):
    """A seat in a project: a person, or a role that is still to be filled."""

    id: str
    workspace_id: WireId
    user_id: WireId | None = None
    role_id: WireId | None = None
    role_name: str | None = None


class WorkspaceAllocation(msgspec.Struct, frozen=True, kw_only=True):
    """A booking of a seat; a soft one is demand."""

    id: str
    start_date: dt.date
    end_date: dt.date
    minutes: int
    workspace_resource_id: WireId | None = None
    hard: bool = False
    notes: str | None = None


class CustomField(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    value_type: str
    subject_type: str
    unique_constraint: bool = False


class CustomFieldChoice(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    label: str
    custom_field_id: WireId


class CustomFieldValue(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    subject_type: str
    subject_id: WireId
    custom_field_id: WireId
    value: Any = None
    updated_at: Instant | None = None


class ExternalReference(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    subject_type: str
    subject_id: WireId
    service_name: str
    service_model_ref: WireId
    updated_at: Instant | None = None


class KantataRole(msgspec.Struct, frozen=True):
    id: str
    name: str


class User(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    full_name: str = ""
    account_id: WireId | None = None
    account_permission: str | None = None


class AccountMembership(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    user_id: WireId | None = None
    is_administrator: bool = False


class SubscribedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One action of a user; `subject_changed_at` is its time, `created_at` when the feed showed it."""

    id: str
    event_type: str
    subject_type: str
    subject_id: WireId
    created_at: Instant
    subject_changed_at: Instant | None = None
    user_id: WireId | None = None


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Every answer: `results` gives the order; all records, side-loaded ones too, are in tables by id."""

    results: tuple[Result, ...]
    meta: Meta_ | None = None
    workspaces: dict[str, Workspace] = {}
    workspace_groups: dict[str, WorkspaceGroup] = {}
    stories: dict[str, Story] = {}
    workspace_resources: dict[str, WorkspaceResource] = {}
    workspace_allocations: dict[str, WorkspaceAllocation] = {}
    custom_fields: dict[str, CustomField] = {}
    custom_field_choices: dict[str, CustomFieldChoice] = {}
    custom_field_values: dict[str, CustomFieldValue] = {}
    external_references: dict[str, ExternalReference] = {}
    roles: dict[str, KantataRole] = {}
    users: dict[str, User] = {}
    account_memberships: dict[str, AccountMembership] = {}
    subscribed_events: dict[str, SubscribedEvent] = {}


class LooseEnvelope(Envelope, frozen=True, kw_only=True):
    """An answer whose projects are left as they came."""

    workspaces: dict[str, msgspec.Raw] = {}  # pyright: ignore[reportIncompatibleVariableOverride] - on purpose


class WorkspaceHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a record must have to be known as one."""

    id: str
    updated_at: Instant


class Held(msgspec.Struct, frozen=True):
    """A project or client with what hangs on it."""

    custom: tuple[CustomFieldValue, ...] = ()
    references: tuple[ExternalReference, ...] = ()


class Project(Held, frozen=True, kw_only=True):
    """A workspace with its custom values, references, seats and lead, as one call brings them."""

    workspace: Workspace
    seats: tuple[WorkspaceResource, ...] = ()
    lead: User | None = None


class ClientGroup(Held, frozen=True, kw_only=True):
    """A workspace group with its custom values and references."""

    group: WorkspaceGroup


class Structure(msgspec.Struct, frozen=True):
    """What a project consists of beside its facts; `keys` are our keys of the tasks, by task id."""

    stories: tuple[Story, ...] = ()
    allocations: tuple[WorkspaceAllocation, ...] = ()
    seats: tuple[WorkspaceResource, ...] = ()
    keys: dict[str, str] = {}
