"""The events feed: what happened to business objects, in order, for other systems of the firm to pull."""

from typing import Annotated, Protocol

from msgspec import Meta

from contracts.canonical.values import Cursor, PageSize
from contracts.events.envelope import Events
from contracts.operation import api, operation


@api(
    "process",
    "events",
    version=1,
    summary="What happened to business objects, in order",
    data_classes=("commercial", "financial", "personal"),
)
class EventFeed(Protocol):
    """CloudEvents in the order they were written; a consumer stores its cursor and misses none."""

    @operation("GET", "/events", summary="Read events after a cursor, oldest first")
    async def list_events(
        self,
        cursor: Cursor | None = None,
        type: Annotated[str, Meta(max_length=120)] | None = None,  # noqa: A002 - CloudEvents' word
        subject: Annotated[str, Meta(max_length=200)] | None = None,
        limit: PageSize = 50,
    ) -> Events:
        """A page of events; `next_cursor` is always given, so that one can come back."""
        ...
