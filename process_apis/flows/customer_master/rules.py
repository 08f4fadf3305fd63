"""When finance must be asked about a customer."""

from decimal import Decimal

import msgspec

from contracts.canonical.customer import Customer
from contracts.canonical.matching import DuplicateCandidate
from process_apis.account_comparison import described
from process_apis.ceilings import require_currencies, why_above


class ApprovalPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When finance is asked before a customer is created; the limit is per currency."""

    approve_credit_limit_above: dict[str, Decimal] = {}
    duplicate_score: int = 60
    approve_within_hours: float = 24

    def __post_init__(self) -> None:
        require_currencies("approve_credit_limit_above", self.approve_credit_limit_above)


def why_ask_finance(
    account: Customer, matches: tuple[DuplicateCandidate, ...], policy: ApprovalPolicy, entity: str
) -> tuple[str, ...]:
    """The reasons for which a person must approve, in sentences; empty when no approval is needed."""
    alike = [one for one in matches if one.score >= policy.duplicate_score]
    reasons = [f"It may be {described(one, entity)}: {', '.join(one.reasons)}." for one in alike]
    if account.credit_limit is not None:
        reasons.append(why_above("credit limit", account.credit_limit, policy.approve_credit_limit_above))
    return tuple(filter(None, reasons))
