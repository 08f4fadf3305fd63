"""Credit review: may we work for a customer on account, up to an amount?"""

from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Id, Money
from contracts.canonical.workflow import WorkflowView
from contracts.operation import api, operation
from contracts.problems import Conflict, NotFound


class CreditRequest(msgspec.Struct, frozen=True):
    """What is reviewed: one request per customer and reference."""

    customer_id: Id
    reference: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9\-]+$")]
    amount: Money


class CreditReview(WorkflowView, frozen=True, omit_defaults=True, kw_only=True):
    """A review: the request and, once it is judged, the answer."""

    customer_id: str
    reference: str
    amount: Money
    granted: bool | None = None
    reason: str = ""


@api("process", "credit-review", version=1, summary="Credit for customers", data_classes=("financial",))
class CreditReviews(Protocol):
    """Starts and reads reviews."""

    @operation("POST", "/reviews", summary="Review a request", status=202, problems=(Conflict,))
    async def start_review(self, body: CreditRequest) -> CreditReview:
        """The review; raises Conflict for a reference that was used with another amount."""
        ...

    @operation("GET", "/reviews/{review_id}", summary="Read a review", problems=(NotFound,))
    async def get_review(self, review_id: Id) -> CreditReview:
        """The review with its timeline; raises NotFound."""
        ...
