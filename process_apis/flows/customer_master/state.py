"""What a request of customer master begins with, and what it shows of itself."""

import msgspec

from contracts.canonical.matching import DuplicateCandidate
from contracts.canonical.values import Money, Ref, key_of
from contracts.process.customer_master import CustomerDecision, CustomerProposal
from contracts.routing import SystemAssignment
from process_apis.account_comparison import Proposed
from process_apis.deciding import Case, Question

NAME = "customer-master"
CustomerCase = Case[Proposed, CustomerDecision]


class ProposalInput(CustomerProposal, frozen=True, omit_defaults=True):
    """The input of a proposal's workflow: the proposal, and the systems assigned to its run.

    `ended` says how the request ended after which this one asks anew.
    """

    systems: SystemAssignment = msgspec.field(default_factory=dict)
    ended: str = ""

    @property
    def key(self) -> str:
        """Under which ERP and PSA make the customer of the account for the entity."""
        return key_of("cus", self.instance, self.account_id, self.selling_entity)


class RequestState(Question, frozen=True, kw_only=True):
    """What a request shows of itself, beside the question to finance."""

    legal_name: str = ""
    credit_limit: Money | None = None
    candidates: tuple[DuplicateCandidate, ...] = ()
    customer_id: str = ""
    refs: tuple[Ref, ...] = ()
