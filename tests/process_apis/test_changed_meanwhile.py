"""What was decided on and is another by now: what counts as a change, and how people read it."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from contracts.canonical.customer import Customer
from contracts.canonical.matching import DuplicateCandidate
from contracts.canonical.opportunity import OpportunityLine
from contracts.canonical.values import Address, Money, TaxRegistration
from process_apis.account_comparison import Proposed
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.failures import other_terms
from tests.process_apis.test_activation_rules import terms
from tests.process_apis.test_customer_rules import ACCOUNT

POUNDS = Money(Decimal("12000.00"), "USD")
ELSEWHERE = DuplicateCandidate("erp-main", "7", "Globex Inc", 80, ("same name",), "NB-US")


def test_the_same_terms_differ_in_nothing() -> None:
    """When they were read, in which systems they are made and what the deal is called are no terms."""
    again = msgspec.structs.replace(
        terms(),
        read_at=dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
        systems={"erp": "a", "psa": "b"},
        name="Globex 2",
    )
    assert rules.differences(terms(), again) == ({}, {})


@pytest.mark.parametrize(
    ("changes", "name", "before", "after"),
    [
        ({"value": POUNDS}, "Amount", "180,000.00 USD", "12,000.00 USD"),
        ({"end": dt.date(2027, 7, 1)}, "Expected end", "2027-06-30", "2027-07-01"),
        ({"payment_terms": "Net 45"}, "Payment terms", "Net 30", "Net 45"),
        ({"pricing_model": "retainer"}, "Pricing model", "fixed price", "retainer"),
        ({"tax_profile": "US-NONE"}, "Tax profile", "US-SERVICES", "US-NONE"),
        (
            {"account_id": "001B", "account_name": "Hooli"},
            "Account",
            "Globex Corporation (001A)",
            "Hooli (001B)",
        ),
        (
            {"lines": (OpportunityLine("1", "Discovery", Decimal("2.00"), POUNDS, POUNDS),)},
            "Products",
            "none",
            "2 × Discovery, 12,000.00 USD",
        ),
    ],
)
def test_each_changed_term_is_told_before_and_after(
    changes: dict[str, object], name: str, before: str, after: str
) -> None:
    """By the name that people know, with values as they write them."""
    now = msgspec.structs.replace(terms(), **changes)
    assert rules.differences(terms(), now) == ({name: before}, {name: after})


def test_every_term_is_compared_unless_it_is_known_to_be_none() -> None:
    """A field that is added to the terms is compared, or somebody has said that it need not be."""
    compared = {"account_id", "value", "lines", "selling_entity", "pricing_model", "service_line", "region"}
    compared |= {"template", "rate_card", "payment_terms", "tax_profile", "start", "end"}
    no_terms = {"instance", "opportunity_id", "revision", "name", "account_name", "systems", "read_at"}
    of_customer = {"country", "credit_limit"}  # compared with what finance approved, see `known_customer`
    assert set(rules.Terms.__struct_fields__) == compared | no_terms | of_customer
    assert set(rules.COMPARED) == compared


def test_what_a_person_corrected_is_not_told_back_as_a_change() -> None:
    """Nor what follows from it; what somebody else changed at the same time is."""
    now = msgspec.structs.replace(terms(), region="UK", selling_entity="NB-UK", value=POUNDS)
    before, _ = rules.differences(terms(), now, {"region": "UK"})
    assert list(before) == ["Amount"]


@pytest.mark.parametrize(
    ("before", "kind", "owner"),
    [
        ({"Amount": "1", "Region": "UK"}, "amount_mismatch", "finance"),
        ({"Expected end": "1"}, "retroactive_change", "sales operations"),
    ],
)
def test_the_case_of_other_terms_says_what_changed_and_what_may_be_done(
    before: dict[str, str], kind: str, owner: str
) -> None:
    """Money is finance's, the rest sales operations'; replay and undo are named with what they do."""
    case = other_terms(terms(), before, dict.fromkeys(before, "2"))
    assert (case.kind, case.owner, case.before) == (kind, owner, before)
    assert all(f"{name} was {before[name]} and is now 2" in case.why for name in before)
    assert "Replay to go on with the new terms" in case.what_next
    assert "Or undo." in case.what_next


def proposed(account: Customer, *candidates: DuplicateCandidate, entity: str = "NB-US") -> Proposed:
    """An account as it is found, with who may be the same firm."""
    return Proposed(account, candidates, (), entity=entity)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"legal_name": "Globex Ltd"}, "Legal name"),
        ({"tax_registrations": (TaxRegistration("US", "99-9999999"),)}, "Tax number"),
        ({"credit_limit": POUNDS}, "Credit limit"),
        ({"billing_address": Address(line1="2 Side St", country="US")}, "Billing address"),
    ],
)
def test_what_finance_decided_on_is_compared(changes: dict[str, object], name: str) -> None:
    """Name, tax numbers, credit limit and address; and both values are told in one sentence."""
    now = msgspec.structs.replace(ACCOUNT, **changes)
    before, after = proposed(ACCOUNT).difference(proposed(now))
    assert list(before) == list(after) == [name]
    assert before[name] != after[name]


def test_another_candidate_is_a_change_and_is_told_to_its_own_entity_only() -> None:
    """Finance decided on who may be the same firm, too; another legal entity's customer has no name here."""
    ours = proposed(ACCOUNT).difference(proposed(ACCOUNT, ELSEWHERE, entity="NB-US"))
    theirs = proposed(ACCOUNT).difference(proposed(ACCOUNT, ELSEWHERE, entity="NB-UK"))
    assert ours[1] == {"Possible duplicates": "the ERP customer Globex Inc (7)"}
    assert theirs[1] == {"Possible duplicates": "a customer of another legal entity"}
    other = msgspec.structs.replace(ELSEWHERE, customer_id="8")
    assert proposed(ACCOUNT, ELSEWHERE).difference(proposed(ACCOUNT, other, entity="NB-UK"))[0]


def test_what_finance_does_not_decide_on_may_change() -> None:
    """The website and the account's owner are not asked about."""
    now = msgspec.structs.replace(ACCOUNT, website="https://new.example", account_owner="Sam")
    assert proposed(ACCOUNT).difference(proposed(now)) == ({}, {})
