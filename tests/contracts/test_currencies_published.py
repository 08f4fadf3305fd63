"""tests/contracts: the minor units of currencies, against the table that ISO 4217's agency publishes."""

from iso4217 import Currency

from contracts.canonical.currencies import MINOR_UNITS

WITHDRAWN = {"ANG", "BGN", "CUC", "HRK", "SLL", "ZWL"}


def test_each_published_currency_has_its_minor_units() -> None:
    """And no others are known but those that were withdrawn, in which old records are."""
    published = {one.code: one.exponent for one in Currency if one.exponent is not None}
    assert {code: MINOR_UNITS[code] for code in published} == published
    assert MINOR_UNITS.keys() - published.keys() == WITHDRAWN
