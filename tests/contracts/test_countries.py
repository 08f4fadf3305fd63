"""Countries and currencies: what people type, and what surely means none."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.canonical import countries, currencies
from contracts.canonical.values import Money

MEANT = {
    "GB": (
        "UK",
        "uk",
        "U.K.",
        "U. K.",
        "Great Britain",
        "ENGLAND",
        "united  kingdom",
        "GBR",
        "Northern Ireland",
    ),
    "US": ("USA", "U.S.", "U.S.A.", "united states of america", "The United States", "Vereinigte Staaten"),
    "DE": ("de", " DE ", "Deutschland", "deu", "Federal Republic of Germany"),
    "NL": ("Holland", "The Netherlands", "Nederland"),
    "KR": ("South Korea", "Korea, South", "Republic of Korea", "Korea (Republic of)", "대한민국"),
    "CZ": ("Czech Republic", "Czechia", "Česká republika"),
    "GR": ("EL", "Hellas", "Ελλάδα"),
    "CI": ("Côte d'Ivoire", "Cote d’Ivoire", "Ivory Coast"),
    "AT": ("Österreich", "Oesterreich", "AUSTRIA"),
    "TR": ("Türkiye", "Turkey"),
    "CD": ("Democratic Republic of the Congo", "DR Congo"),
    "JP": ("日本",),
}
MEANT_BY_NOBODY = (
    "",
    " ",
    "XX",
    "EU",
    "AN",
    "Atlantis",
    "Korea",
    "Virgin Islands",
    "Kosovo",
    "Germany/Austria",
    "n/a",
    "N.A.",
    "*",
)


@pytest.mark.parametrize("code", MEANT)
def test_a_country_is_known_by_all_its_usual_names(code: str) -> None:
    """Case, blanks, dots and accents mean nothing."""
    assert {text: countries.code_of(text) for text in MEANT[code]} == dict.fromkeys(MEANT[code], code)


def test_what_surely_means_no_country_has_no_code() -> None:
    """It stays as it was written, and is never another country."""
    assert {text: countries.code_of(text) for text in MEANT_BY_NOBODY} == dict.fromkeys(MEANT_BY_NOBODY, "")
    assert countries.code_or_text(" Atlantis ") == "Atlantis"


def test_no_name_stands_for_two_countries() -> None:
    """Each code of two letters is its own, and so is each name of the table."""
    meant: dict[str, set[str]] = {}
    for alpha2, alpha3, names in countries.rows():
        for text in (alpha2, alpha3, *names):
            meant.setdefault(countries.code_of(text), set()).add(alpha2)
    assert meant == {code: {code} for code in countries.NAMES}
    assert len(countries.NAMES) == 249


@given(st.text(max_size=30))
def test_a_country_is_a_code_of_iso_or_none(text: str) -> None:
    """Whatever is typed."""
    assert countries.code_of(text) in {"", *countries.NAMES}


amounts = st.decimals(min_value=0, max_value=10**9, places=4)
shares = st.lists(st.decimals(min_value=0, max_value=1, places=3), min_size=1, max_size=24).filter(any)


@given(amounts, shares, st.sampled_from(["JPY", "USD", "KWD", "CLF"]))
def test_parts_of_an_amount_add_up_to_it_in_whole_minor_units(
    amount: Decimal, parts: list[Decimal], currency: str
) -> None:
    """Each within one minor unit of its share; yen have no cents, dinars three places."""
    unit = currencies.unit(currency)
    total = Money(amount.quantize(unit), currency)
    found = currencies.shared_out(total, parts)
    assert sum(part.amount for part in found) == total.amount
    assert all(currencies.is_payable(part) and part.amount >= 0 for part in found)
    exact = [total.amount * share / sum(parts) for share in parts]
    assert all(abs(part.amount - share) < unit for part, share in zip(found, exact, strict=True))


def test_the_largest_remainders_get_what_is_left() -> None:
    """So that the parts are as near to their shares as whole minor units allow."""
    third = [Decimal(1)] * 3
    assert [part.amount for part in currencies.shared_out(Money(Decimal(200), "JPY"), third)] == [67, 67, 66]
    assert [str(part.amount) for part in currencies.shared_out(Money(Decimal("0.01"), "USD"), third)] == [
        "0.01",
        "0.00",
        "0.00",
    ]


@pytest.mark.parametrize(
    ("given_", "currency", "expected"),
    [
        ("1000.00", "JPY", "1000"),
        ("1E+3", "JPY", "1000"),
        ("1.5", "KWD", "1.500"),
        ("1.5", "USD", "1.50"),
        ("0.5", "JPY", "0.5"),
    ],
)
def test_an_amount_is_shown_with_the_decimals_of_its_currency(
    given_: str, currency: str, expected: str
) -> None:
    """A finer one keeps its digits, so that somebody sees it."""
    assert str(currencies.shown(Money(Decimal(given_), currency)).amount) == expected
