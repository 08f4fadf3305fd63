"""What of a known customer's account finance is asked about, when the next deal comes."""

from decimal import Decimal

import pytest

from contracts.canonical.values import Money
from process_apis.account_comparison import AccountFacts, changes

CEILINGS = {"GBP": Decimal(100_000)}


def gbp(amount: int) -> Money:
    return Money(Decimal(amount), "GBP")


@pytest.mark.parametrize(
    ("before", "now", "asked"),
    [
        (AccountFacts("GB", gbp(40_000)), AccountFacts("GB", gbp(40_000)), set()),
        (AccountFacts("GB", gbp(40_000)), AccountFacts("GB", gbp(90_000)), set()),
        (AccountFacts("GB", gbp(40_000)), AccountFacts("GB", gbp(100_001)), {"Credit limit"}),
        (AccountFacts("GB", gbp(900_000)), AccountFacts("GB", gbp(200_000)), set()),
        (AccountFacts("GB", gbp(900_000)), AccountFacts("GB"), set()),
        (AccountFacts("GB"), AccountFacts("GB", gbp(200_000)), {"Credit limit"}),
        (AccountFacts("GB", gbp(5)), AccountFacts("GB", Money(Decimal(5), "JPY")), {"Credit limit"}),
        (AccountFacts("GB"), AccountFacts("DE"), {"Billing country"}),
        (AccountFacts(""), AccountFacts("DE"), set()),
        (AccountFacts("GB", gbp(1)), AccountFacts("DE", gbp(100_001)), {"Billing country", "Credit limit"}),
    ],
)
def test_what_finance_is_asked_about(before: AccountFacts, now: AccountFacts, asked: set[str]) -> None:
    """Another country, and a limit raised above the ceiling; any other limit passes."""
    old, new = changes(before, now, CEILINGS)
    assert set(old) == set(new) == asked
