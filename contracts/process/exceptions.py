"""The exceptions queue: business cases that wait for a person, and are replayed after."""

from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.exception import BusinessException, BusinessExceptions, ExceptionStatus
from contracts.canonical.values import Cursor, Id, PageSize
from contracts.operation import Link, api, operation
from contracts.problems import AlreadyDecided, Conflict, NotFound, SegregationOfDuties


class Resolution(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person decides: *replay* after correcting, *undo* what was done, or *skip* with a reason.

    `corrections` overrides canonical fields of the record that was stopped, by name, for the replay.
    One that nothing would read is refused, with what can be corrected.
    """

    action: Literal["replay", "undo", "skip"]
    reason: Annotated[str, Meta(min_length=3, max_length=2000)]
    corrections: dict[
        Annotated[str, Meta(min_length=1, max_length=60)], Annotated[str, Meta(max_length=500)]
    ] = {}


class AlikeResolution(Resolution, frozen=True, omit_defaults=True):
    """The same decision for all that stopped for one reason; `most` of them in one request."""

    most: Annotated[int, Meta(ge=1, le=500)] = 200


class ResolvedAlike(msgspec.Struct, frozen=True):
    """What was resolved, how many are left, and how many the same person may not decide on."""

    resolved: tuple[Id, ...]
    remaining: int
    withheld: int


@api(
    "process",
    "exceptions",
    version=1,
    summary="Business cases that wait for a person",
    data_classes=("commercial", "financial", "personal"),
)
class Exceptions(Protocol):
    """The queue itself; every flow raises into it."""

    @operation("GET", "/exceptions", summary="List exceptions, oldest first")
    async def list_exceptions(
        self,
        status: ExceptionStatus | None = None,
        flow: Annotated[str, Meta(max_length=60)] | None = None,
        cursor: Cursor | None = None,
        limit: PageSize = 50,
    ) -> BusinessExceptions:
        """A page of exceptions."""
        ...

    @operation("GET", "/exceptions/{exception_id}", summary="Read an exception", problems=(NotFound,))
    async def get_exception(self, exception_id: Id) -> BusinessException:
        """The exception; raises NotFound."""
        ...

    @operation(
        "POST",
        "/exceptions/{exception_id}/resolution",
        summary="Resolve an exception: correct and replay, undo, or skip",
        access="approve",
        roles=("finance", "operations"),
        precondition=True,
        problems=(NotFound, AlreadyDecided, Conflict, SegregationOfDuties),
        links=(Link("get_exception", "exception_id", "id"),),
    )
    async def resolve_exception(
        self, exception_id: Id, body: Resolution, if_match: str | None = None
    ) -> BusinessException:
        """The exception as resolved; the person who caused it may not approve it."""
        ...

    @operation(
        "POST",
        "/exceptions/{exception_id}/resolution/alike",
        summary="Resolve all exceptions that stopped for the same reason as this one",
        access="approve",
        roles=("finance", "operations"),
        lane="batch",
        deadline=60.0,
        problems=(NotFound, Conflict, SegregationOfDuties),
    )
    async def resolve_alike(self, exception_id: Id, body: AlikeResolution) -> ResolvedAlike:
        """What was resolved, also where this one was before; raises Conflict where it stands alone."""
        ...
