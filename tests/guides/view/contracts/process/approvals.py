"""The view of approvals: which firm became a customer of which legal entity, and when."""

from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Cursor, Id, Instant, PageSize
from contracts.operation import api, operation
from contracts.problems import NotFound

_Entity = Annotated[str, Meta(min_length=1, max_length=60)]


class Approval(msgspec.Struct, frozen=True):
    customer_id: Id
    legal_name: str
    entity: str
    approved_at: Instant


class Approvals(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of approvals."""

    items: tuple[Approval, ...]
    next_cursor: str | None = None


@api("process", "approvals", version=1, summary="When customers were approved", data_classes=("commercial",))
class ApprovalView(Protocol):
    """Read only, and a moment behind the events that it follows."""

    @operation("GET", "/approvals", summary="List approvals, in the order of the customers' ids")
    async def list_approvals(
        self, entity: _Entity | None = None, cursor: Cursor | None = None, limit: PageSize = 50
    ) -> Approvals:
        """A page of approvals, of an entity or of all."""
        ...

    @operation("GET", "/approvals/{customer_id}", summary="Read an approval", problems=(NotFound,))
    async def get_approval(self, customer_id: Id) -> Approval:
        """The approval of a customer; raises NotFound."""
        ...
