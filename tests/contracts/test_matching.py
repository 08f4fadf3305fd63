"""Whether two records are one firm, by a table of real forms and by what holds for every text."""

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.canonical import legal_forms, matching
from contracts.canonical.customer import Customer
from contracts.canonical.folding import fold, words_of
from contracts.canonical.values import TaxRegistration

FIRMS: dict[str, list[dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parent / "firms.toml").read_text(encoding="utf-8")
)
JUDGES = {
    "names": matching.same_name,
    "tax_numbers": matching.same_tax_number,
    "domains": lambda one, other: bool(
        set(matching.domains(firm(website=one))) & set(matching.domains(firm(website=other)))
    ),
}


def firm(**known: Any) -> Customer:
    known = {"legal_name": "", **known}
    return Customer(id="1", version="1", updated_at=dt.datetime.now(dt.UTC), status="approved", **known)


def shown(pair: dict[str, Any]) -> str:
    return f"{pair['one']} / {pair['other']}: {pair['why']}"


@pytest.mark.parametrize("kind", JUDGES)
def test_every_form_of_the_table_is_judged_as_it_says(kind: str) -> None:
    """Both ways round."""
    judge = JUDGES[kind]
    judged = [(shown(pair), judge(pair["one"], pair["other"])) for pair in FIRMS[kind]]
    assert judged == [(shown(pair), pair["same"]) for pair in FIRMS[kind]]
    assert [judge(pair["other"], pair["one"]) for pair in FIRMS[kind]] == [same for _, same in judged]


def test_two_records_are_alike_by_what_they_share_the_strongest_first() -> None:
    """Number before name before domain; of several registrations, names and addresses any will do."""
    one = firm(
        legal_name="Globex Corp.",
        website="www.globex.example",
        tax_registrations=(TaxRegistration("US", "99-9999999"), TaxRegistration("DE", "DE111222333")),
    )
    other = firm(
        legal_name="Other",
        trading_name="GLOBEX",
        email="x@other.example; ap@globex.example",
        tax_registrations=(TaxRegistration("", "111222333"),),
    )
    assert matching.likeness(one, other) == ("tax_number", "name", "domain")
    assert matching.likeness(firm(legal_name="GmbH"), firm(legal_name="GmbH")) == ()


words = "AB S.p.A. & Müller GmbH a b 株式会社 The Co ООО ß - Ä and 3 M"
parts = st.sampled_from(words.split())
texts = st.text(max_size=40) | st.lists(parts, max_size=6).map(" ".join)


@given(texts)
def test_normal_forms_are_final(text: str) -> None:
    """What is normal stays as it is."""
    assert fold(fold(text)) == fold(text)
    assert matching.normal_name(matching.normal_name(text)) == matching.normal_name(text)
    country, bare = matching.tax_number(text)
    assert matching.tax_number(country + bare)[1] == bare
    assert matching.domain(matching.domain(text)) == matching.domain(text)


joining = {"the", "and", "und", "et", "og", "och"}


@given(texts)
def test_only_a_legal_form_has_no_normal_name(text: str) -> None:
    """Every other name keeps something, and so is the same as itself."""
    if matching.normal_name(text):
        assert matching.same_name(text, text)
    else:
        assert not matching.same_name(text, text)
        found = words_of(text.replace("&", " and ").replace("+", " and "))
        assert legal_forms.without_forms([word for word in found if word not in joining]) == []


@given(texts, texts)
def test_likeness_is_symmetric(one: str, other: str) -> None:
    """It does not matter who asks."""
    assert matching.same_name(one, other) == matching.same_name(other, one)
    assert matching.same_tax_number(one, other) == matching.same_tax_number(other, one)
