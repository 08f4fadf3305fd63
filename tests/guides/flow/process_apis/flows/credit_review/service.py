"""Credit review's API: start, read."""

import msgspec

from contracts.canonical.values import id_of
from contracts.process.credit_review import CreditRequest, CreditReview
from kit.workflows import Owner
from process_apis.flows.credit_review.state import NAME, ReviewInput, ReviewState
from process_apis.workflow_service import WorkflowService


class CreditReviewService(WorkflowService[CreditReview]):
    """Starts and reads reviews."""

    flow, noun = NAME, "review"
    view, input, state = CreditReview, ReviewInput, ReviewState

    async def start_review(self, body: CreditRequest) -> CreditReview:
        """The review, started once per customer and reference."""
        review_id = id_of("crv", body.customer_id, body.reference)
        mode = self._mode("")  # of no instance: the flow's default
        async with self._database.begin() as connection:
            await self._start(
                connection,
                review_id,
                input=ReviewInput(**msgspec.structs.asdict(body)),
                subject=body.customer_id,
                owner=Owner(customer=body.customer_id),
                mode=mode,
            )
        return await self._read(review_id)

    async def get_review(self, review_id: str) -> CreditReview:
        """The review with its timeline."""
        return await self._read(review_id)
