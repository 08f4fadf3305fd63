"""When credit is granted: pure."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from contracts.canonical.values import Money


class CreditAnswer(msgspec.Struct, frozen=True):
    """Whether credit is granted, and why."""

    granted: bool
    reason: str


def judge(amount: Money, grant_up_to: Mapping[str, Decimal]) -> CreditAnswer:
    """The answer to a request."""
    most = grant_up_to.get(amount.currency)
    if most is None:
        return CreditAnswer(granted=False, reason=f"No credit is granted in {amount.currency}.")
    if amount.amount > most:
        return CreditAnswer(granted=False, reason=f"The amount is above {most:,} {amount.currency}.")
    return CreditAnswer(granted=True, reason=f"The amount is within {most:,} {amount.currency}.")
