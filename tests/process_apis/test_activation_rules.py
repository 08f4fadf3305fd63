"""What a won opportunity must bring, and what follows from it."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.canonical.customer import Customer
from contracts.canonical.opportunity import Opportunity, OpportunityLine
from contracts.canonical.values import Address, Money, TaxRegistration
from deploy.settings import STORY
from process_apis import reference_files
from process_apis.flows.opportunity_to_project import rules
from process_apis.reference import inconsistencies

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
REFERENCE = reference_files.read(Path(STORY) / "reference")

CUSTOMER = Customer(
    id="001A",
    version="1",
    updated_at=NOW,
    legal_name="Globex Corporation",
    status="prospect",
    billing_address=Address(line1="1 Main St", city="Springfield", country="US"),
    tax_registrations=(TaxRegistration("US", "12-3456789"),),
)
OPPORTUNITY = Opportunity(
    id="006A",
    version="1",
    updated_at=NOW,
    name="Globex data platform",
    stage="won",
    customer_id="001A",
    amount=Money(Decimal("180000.00"), "USD"),
    service_line="DATA",
    region="NA",
    pricing_model="fixed_price",
    delivery_template="DT-DATA-PLATFORM",
    rate_card="RC-US-2026",
    payment_terms="Net 30",
    expected_start=dt.date(2027, 1, 11),
    expected_end=dt.date(2027, 6, 30),
)


def judge(customer: Customer | None = CUSTOMER, **changes: object) -> rules.Verdict:
    opportunity = msgspec.structs.replace(OPPORTUNITY, **changes)
    return rules.judge("salesforce-main", opportunity, customer, REFERENCE, 1)


def codes(verdict: rules.Verdict) -> set[tuple[str, str]]:
    return {(fault.pointer, fault.code) for fault in verdict.faults}


def terms(**changes: object) -> rules.Terms:
    found = judge(**changes).terms
    assert found is not None
    return found


def test_a_complete_won_opportunity_has_terms_and_no_fault() -> None:
    """Everything known: the seller, the tax profile and the terms are worked out."""
    verdict = judge()
    assert verdict.faults == ()
    assert verdict.terms is not None
    assert (verdict.terms.selling_entity, verdict.terms.tax_profile) == ("NB-US", "US-SERVICES")


def test_every_fault_is_told_at_once_with_who_can_fix_it() -> None:
    """An empty opportunity lists all that is missing, each with a sentence and a person."""
    verdict = judge(
        stage="open",
        stage_label="Proposal",
        amount=None,
        region="",
        service_line="",
        pricing_model=None,
        delivery_template="",
        rate_card="",
        payment_terms="",
        expected_start=None,
        expected_end=None,
    )
    assert {pointer for pointer, _ in codes(verdict)} == {
        f"/{name}" for name in rules.LABELS if name != "customer_id"
    }
    assert all(fault.detail and fault.field and fault.fixed_by for fault in verdict.faults)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stage": "open"}, ("/stage", "not_won")),
        ({"amount": Money(Decimal(0), "USD")}, ("/amount", "not_positive")),
        ({"amount": Money(Decimal(5), "GBP")}, ("/amount", "currency_mismatch")),
        ({"rate_card": "RC-UK-2026"}, ("/rate_card", "currency_mismatch")),
        ({"rate_card": "RC-NONE"}, ("/rate_card", "unknown")),
        ({"expected_start": dt.date(2025, 1, 1)}, ("/rate_card", "no_rate")),
        ({"expected_end": dt.date(2026, 1, 1)}, ("/expected_end", "before_start")),
        ({"expected_end": dt.date(2040, 1, 1)}, ("/expected_end", "too_long")),
        ({"region": "MARS"}, ("/region", "unknown")),
        ({"region": "", "unmapped": {"region": "Mars"}}, ("/region", "unmapped")),
        ({"service_line": "CLOUD"}, ("/delivery_template", "wrong_service_line")),
        ({"payment_terms": "Net 7"}, ("/payment_terms", "unknown")),
    ],
)
def test_each_fault_has_its_own_code(changes: dict[str, object], expected: tuple[str, str]) -> None:
    """A single thing wrong is named by its field and a stable code."""
    assert expected in codes(judge(**changes))


def test_a_customer_without_country_or_needed_tax_number_is_a_fault_of_the_account() -> None:
    """Tax needs a billing country, and a foreign business customer needs a tax number."""
    nowhere = msgspec.structs.replace(CUSTOMER, billing_address=None, tax_registrations=())
    abroad = msgspec.structs.replace(CUSTOMER, billing_address=Address(country="FR"), tax_registrations=())
    assert ("/customer/billing_address/country", "missing") in codes(judge(nowhere))
    assert ("/customer/tax_registrations", "missing") in codes(judge(abroad))


def test_a_persons_corrections_take_the_place_of_the_crms_values() -> None:
    """Corrected fields are used by the replay; the deal's value and stage are not for us to correct."""
    broken = msgspec.structs.replace(OPPORTUNITY, payment_terms="", unmapped={"payment_terms": "30d"})
    corrected = rules.correct(broken, {"payment_terms": "Net 45", "stage": "lost", "amount": "1"})
    assert (corrected.payment_terms, corrected.unmapped, corrected.stage) == ("Net 45", {}, "won")


money = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99999999.99"), places=2)
models = st.sampled_from(["fixed_price", "time_and_materials", "retainer"])
lengths = st.integers(min_value=0, max_value=1800)


@given(money, models, lengths)
def test_a_billing_schedule_adds_up_to_the_value_within_the_dates(
    value: Decimal, model: str, days: int
) -> None:
    """Whatever value, model and length: whole cents that sum to the contract, each due inside the term."""
    end = dt.date(2027, 1, 11) + dt.timedelta(days=days)
    found = terms(amount=Money(value, "USD"), pricing_model=model, expected_end=end)
    schedule = rules.billing_schedule(found, REFERENCE.templates[found.template])
    assert sum(line.amount.amount for line in schedule) == value
    assert all(line.amount.amount == line.amount.amount.quantize(rules.CENT) for line in schedule)
    assert all(found.start <= line.due <= found.end for line in schedule)


@given(money, lengths)
def test_a_project_draft_carries_the_whole_commercial_meaning(value: Decimal, days: int) -> None:
    """Every task lies within the dates, milestones carry the money, each role its share of the hours."""
    end = dt.date(2027, 1, 11) + dt.timedelta(days=days)
    found = terms(amount=Money(value, "USD"), expected_end=end)
    template = REFERENCE.templates[found.template]
    draft = rules.project_draft(found, "SO-1", "77", template, REFERENCE.rate_cards[found.rate_card])
    assert [task.code for task in draft.tasks] == [task.code for task in template.tasks]
    assert all(found.start <= (task.due or end) <= found.end for task in draft.tasks)
    assert sum(task.amount.amount for task in draft.tasks if task.amount) == value
    assert {demand.role for demand in draft.staffing} == {role.role for role in template.roles}


def test_contract_lines_are_the_products_when_they_add_up_and_one_line_when_not() -> None:
    """Lines that do not sum to the value would bill something else, so the value wins."""
    half = Money(Decimal("90000.00"), "USD")
    lines = tuple(OpportunityLine(str(n), f"Part {n}", Decimal(1), half, half) for n in (1, 2))
    template = REFERENCE.templates["DT-DATA-PLATFORM"]
    both = rules.contract_draft(terms(lines=lines), "647", template)
    one = rules.contract_draft(terms(lines=lines[:1]), "647", template)
    assert [line.amount for line in both.lines] == [half, half]
    assert [line.amount.amount for line in one.lines] == [Decimal("180000.00")]


def test_keys_are_equal_for_the_same_deal_and_differ_otherwise() -> None:
    """The vendor's unique key is derived from the deal, so that a retry never mints a new one."""
    keys = {
        rules.key_of(what, instance, opportunity, revision)
        for what in ("con", "prj")
        for instance in ("a", "b")
        for opportunity in ("1", "2")
        for revision in (1, 2)
    }
    assert len(keys) == 16
    assert rules.key_of("con", "a", "1", 1) in keys


def test_reference_files_that_contradict_each_other_are_refused_together() -> None:
    """Every contradiction is told, not the first."""
    data = REFERENCE.data
    broken = msgspec.structs.replace(
        data,
        regions=data.regions[1:],
        delivery_templates=(msgspec.structs.replace(data.delivery_templates[0], roles=()),),
    )
    faults = inconsistencies(type(REFERENCE)(broken))
    assert len(faults) == 2
