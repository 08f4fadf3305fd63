"""The view of exceptions: which cases wait for whom, with filters."""

from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.exception import ExceptionKind, ExceptionStatus
from contracts.canonical.values import Cursor, Id, Instance, Instant, PageSize
from contracts.operation import api, operation
from contracts.problems import NotFound

_Name = Annotated[str, Meta(min_length=1, max_length=60)]


class ExceptionCase(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An exception with whose it is. To decide on it, read it at ``process/exceptions@1``."""

    exception_id: Id
    kind: ExceptionKind
    status: ExceptionStatus
    flow: str
    subject: str
    owner: str
    stopped: str
    why: str
    what_next: str
    raised_at: Instant
    due_at: Instant
    resolved_at: Instant | None = None
    workflow_id: str = ""
    step: str = ""
    entity: str = ""
    customer_id: str = ""
    instances: tuple[str, ...] = ()


class ExceptionCases(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[ExceptionCase, ...]
    next_cursor: str | None = None


@api(
    "process",
    "exception-cases",
    version=1,
    summary="Which exceptions wait for whom",
    data_classes=("commercial", "financial", "personal"),
)
class ExceptionCaseView(Protocol):
    """Read only, and a moment behind the queue, whose events it follows."""

    @operation("GET", "/cases", summary="List exceptions, oldest first")
    async def list_cases(
        self,
        status: ExceptionStatus | None = None,
        owner: _Name | None = None,
        kind: ExceptionKind | None = None,
        flow: _Name | None = None,
        entity: _Name | None = None,
        instance: Instance | None = None,
        workflow_id: Id | None = None,
        due_before: Instant | None = None,
        cursor: Cursor | None = None,
        limit: PageSize = 50,
    ) -> ExceptionCases:
        """A page of exceptions."""
        ...

    @operation(
        "GET", "/cases/{exception_id}", summary="Read an exception as it is listed", problems=(NotFound,)
    )
    async def get_case(self, exception_id: Id) -> ExceptionCase:
        """The exception; raises NotFound."""
        ...
