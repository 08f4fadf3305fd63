"""Credit review, step by step: judge, publish the answer."""

from kit.workflows import Run
from process_apis.durable_flow import DurableFlow
from process_apis.flows.credit_review import rules
from process_apis.flows.credit_review.rules import CreditAnswer
from process_apis.flows.credit_review.settings import CreditReviewSettings
from process_apis.flows.credit_review.state import NAME, ReviewInput, ReviewState


class CreditReviewFlow(DurableFlow[CreditReviewSettings]):
    """The durable workflow of one review."""

    name, input, state = NAME, ReviewInput, ReviewState

    async def run(self, run: Run) -> None:
        """From the request to the answer."""
        answer = await run.step(
            "judge",
            "Judge the request",
            lambda: self._judge(run.input),
            returns=CreditAnswer,
            detail=lambda answer: answer.reason,
        )
        if run.observing:
            await run.observed(f"The credit of {run.input.customer_id}", answer.reason)
            return
        state = ReviewState(granted=answer.granted, reason=answer.reason)
        await run.update_status("done", answer.reason, state)

    async def _judge(self, request: ReviewInput) -> CreditAnswer:
        return rules.judge(request.amount, self._settings.grant_up_to)
