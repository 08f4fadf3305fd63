"""system_apis: Toy PSA's documents: it keeps clients and projects by our own names."""

import datetime as dt
from typing import Generic, Literal, TypeVar

import msgspec

from contracts.canonical.project import ClientDraft, ProjectDraft

D = TypeVar("D")


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What every document has."""

    id: str
    version: int
    changed_at: dt.datetime
    key: str = ""


class Client(Document, frozen=True, kw_only=True):
    card: ClientDraft


class Project(Document, frozen=True, kw_only=True):
    plan: ProjectDraft
    status: Literal["planned", "active", "closed", "cancelled"] = "planned"


class Submitted(msgspec.Struct, frozen=True):
    """The answer to what is done later: the job's id."""

    job: str


class JobState(msgspec.Struct, frozen=True):
    state: Literal["accepted", "running", "done", "refused"]
    reason: str = ""


class Rows(msgspec.Struct, Generic[D], frozen=True):
    """A page of documents."""

    items: tuple[D, ...]
    more: bool
