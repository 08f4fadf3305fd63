"""How long data is retained, what has expired, and what a legal hold exempts."""

from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Id, Instant
from contracts.operation import api, operation
from contracts.problems import NotFound


class RetentionClass(msgspec.Struct, frozen=True):
    """One class of data: its retention in days, before when rows expire, and how many have."""

    name: str
    days: int
    before: Instant
    rows: int


class RetentionReport(msgspec.Struct, frozen=True):
    """Every class; `deleted` says whether the rows went, or would go."""

    deleted: bool
    classes: tuple[RetentionClass, ...]


class HoldWanted(msgspec.Struct, frozen=True):
    """Why something may not be deleted."""

    reason: Annotated[str, Meta(min_length=3, max_length=2000)]


class Hold(msgspec.Struct, frozen=True):
    """A legal hold on all that an id names: a correlation id, a business object, a person's pseudonym."""

    subject: str
    reason: str
    held_by: str
    held_at: Instant


class Holds(msgspec.Struct, frozen=True):
    items: tuple[Hold, ...]


@api(
    "gateway",
    "retention",
    version=1,
    summary="How long data is retained",
    data_classes=("commercial", "personal"),
)
class Retention(Protocol):
    """The schedule runs by itself, once a day."""

    @operation("GET", "/report", summary="Read what has expired", lane="batch", deadline=60.0)
    async def get_report(self) -> RetentionReport:
        """What a run would delete."""
        ...

    @operation("POST", "/runs", summary="Delete what has expired", lane="batch", deadline=300.0)
    async def run(self) -> RetentionReport:
        """What was deleted."""
        ...

    @operation("GET", "/holds", summary="List the legal holds")
    async def list_holds(self) -> Holds:
        """All of them, oldest first."""
        ...

    @operation("PUT", "/holds/{subject}", summary="Put something under a legal hold")
    async def put_hold(self, subject: Id, body: HoldWanted) -> Hold:
        """The hold."""
        ...

    @operation("DELETE", "/holds/{subject}", summary="Lift a legal hold", status=200, problems=(NotFound,))
    async def delete_hold(self, subject: Id) -> Hold:
        """The hold that was; raises NotFound."""
        ...
