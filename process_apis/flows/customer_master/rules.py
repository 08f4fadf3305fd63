"""When finance must be asked about a customer, and what it then decides on."""

import datetime as dt
from decimal import Decimal

import msgspec

from contracts.canonical.customer import Customer, in_words
from contracts.canonical.matching import DuplicateCandidate
from process_apis.ceilings import require_currencies, why_above

_DUPLICATES = "Possible duplicates"


class ApprovalPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When finance is asked before a customer is created; the limit is per currency."""

    approve_credit_limit_above: dict[str, Decimal] = {}
    duplicate_score: int = 60
    approve_within_hours: float = 24

    def __post_init__(self) -> None:
        require_currencies("approve_credit_limit_above", self.approve_credit_limit_above)


class Proposed(msgspec.Struct, frozen=True):
    """The account as it was proposed, and which ERP customers may be the same firm.

    In runs of an earlier version the time and the legal entity are missing.
    """

    account: Customer
    candidates: tuple[DuplicateCandidate, ...]
    reasons: tuple[str, ...]
    looked_at: dt.datetime | None = None
    entity: str = ""

    def difference(self, now: "Proposed") -> tuple[dict[str, str], dict[str, str]]:
        """What finance decides on and is another now, by its name: as it was, and as it is."""
        old, new = (_decided_on(one, now.entity) for one in (self, now))
        names = [name for name in old if old[name] != new[name]]
        # Two customers of another legal entity are described alike.
        if self.candidates != now.candidates and _DUPLICATES not in names:
            names.append(_DUPLICATES)
        return {name: old[name] for name in names}, {name: new[name] for name in names}


def _decided_on(proposed: Proposed, entity: str) -> dict[str, str]:
    alike = "; ".join(_described(one, entity) for one in proposed.candidates)
    return in_words(proposed.account) | {_DUPLICATES: alike or "none"}


def _described(candidate: DuplicateCandidate, entity: str) -> str:
    """A candidate as all who see the request may know it: by name if it is of the same legal entity."""
    if candidate.is_of(entity):
        return f"the ERP customer {candidate.legal_name} ({candidate.customer_id})"
    return "a customer of another legal entity"


def why_ask_finance(
    account: Customer, matches: tuple[DuplicateCandidate, ...], policy: ApprovalPolicy, entity: str
) -> tuple[str, ...]:
    """The reasons for which a person must approve, in sentences; empty when no approval is needed."""
    alike = [one for one in matches if one.score >= policy.duplicate_score]
    reasons = [f"It may be {_described(one, entity)}: {', '.join(one.reasons)}." for one in alike]
    if account.credit_limit is not None:
        reasons.append(why_above("credit limit", account.credit_limit, policy.approve_credit_limit_above))
    return tuple(filter(None, reasons))
