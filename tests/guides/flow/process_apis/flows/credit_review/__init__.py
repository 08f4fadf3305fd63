"""Credit review: judges what a customer may owe."""

from contracts.process.credit_review import CreditReviews
from process_apis.flows.credit_review.service import CreditReviewService
from process_apis.flows.credit_review.settings import CreditReviewSettings
from process_apis.flows.credit_review.steps import CreditReviewFlow
from process_apis.module import FlowDependencies, FlowModule

INTERFACE = CreditReviews
NEEDS: tuple[type, ...] = ()
SETTINGS = CreditReviewSettings


def build(dependencies: FlowDependencies) -> FlowModule:
    """The flow's module, built with its dependencies."""
    settings = dependencies.settings_of("credit_review", SETTINGS)
    return FlowModule(CreditReviewService(dependencies, settings), CreditReviewFlow(dependencies, settings))
