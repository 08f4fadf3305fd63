"""What a won opportunity must bring, and what follows from it."""

import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.canonical import currencies
from contracts.canonical.customer import Customer
from contracts.canonical.opportunity import Opportunity, OpportunityLine
from contracts.canonical.reference import SellingRule
from contracts.canonical.values import Address, Money, TaxRegistration
from deploy.settings import DEMO_CONFIG
from kit.settings import SettingsError
from process_apis import reference_files
from process_apis.flows.opportunity_to_project import rules
from process_apis.reference import inconsistencies

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
REFERENCE = reference_files.read(Path(DEMO_CONFIG) / "reference")

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


def judge(customer: Customer | None = CUSTOMER, **changes: object) -> rules.TermsVerdict:
    opportunity = msgspec.structs.replace(OPPORTUNITY, **changes)
    return rules.judge("crm-main", opportunity, customer, REFERENCE, 1)


def codes(verdict: rules.TermsVerdict) -> set[tuple[str, str]]:
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
        ({"amount": Money(Decimal("5.005"), "USD")}, ("/amount", "not_payable")),
        ({"amount": Money(Decimal(5), "ABC")}, ("/amount", "unknown_currency")),
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


BRITISH = {
    "amount": Money(Decimal("96000.00"), "GBP"),
    "region": "UKI",
    "rate_card": "RC-UK-2026",
}


@pytest.mark.parametrize(
    "country", ["GB", "UK", "u.k.", "Great Britain", "England", "United  Kingdom", "GBR"]
)
def test_a_country_by_another_name_is_taxed_as_that_country(country: str) -> None:
    """What people type for Britain never meets the rule for every other country."""
    account = msgspec.structs.replace(CUSTOMER, billing_address=Address(country=country))
    found = judge(account, **BRITISH).terms
    assert found is not None
    assert found.tax_profile == "UK-STD"


@pytest.mark.parametrize("country", ["Atlantis", "XX", "EU", "*", "n/a", "Korea"])
def test_what_is_no_country_is_told_and_taxed_by_no_rule(country: str) -> None:
    """The fault says what was given, what to put and who does; no tax number's country takes its place."""
    account = msgspec.structs.replace(CUSTOMER, billing_address=Address(country=country))
    (fault,) = judge(account, **BRITISH).faults
    assert (fault.pointer, fault.code) == ("/customer/billing_address/country", "unknown")
    assert f"“{country}”" in fault.detail
    assert "ISO 3166" in fault.detail
    assert fault.fixed_by


def test_a_tax_registration_says_nothing_of_where_the_customer_is_billed() -> None:
    """Without a billing country the deal waits for it, though the account has a tax number with a country."""
    assert CUSTOMER.tax_registrations
    for address in (None, Address(country="")):
        account = msgspec.structs.replace(CUSTOMER, billing_address=address)
        (fault,) = judge(account, **BRITISH).faults
        assert (fault.pointer, fault.code) == ("/customer/billing_address/country", "missing")


def test_a_country_of_the_world_without_a_rule_of_its_own_takes_the_rule_for_every_other() -> None:
    """France by whatever name is no mistake."""
    account = msgspec.structs.replace(CUSTOMER, billing_address=Address(country="Frankreich"))
    found = judge(account, **BRITISH).terms
    assert found is not None
    assert found.tax_profile == "EXPORT"


def test_the_rule_for_every_service_line_does_not_take_one_that_nobody_knows() -> None:
    """Only where all rules of the region name one entity is it known, whatever the line turns out to be."""
    data = REFERENCE.data
    cloud = SellingRule(region="UKI", service_line="CLOUD", selling_entity="NB-DE")
    two = type(REFERENCE)(msgspec.structs.replace(data, selling_rules=(cloud, *data.selling_rules)))
    sells = [
        (each.selling_entity("UKI", "MAGIC"), each.selling_entity("UKI", "")) for each in (REFERENCE, two)
    ]
    assert sells == [(REFERENCE.entities["NB-UK"],) * 2, (None, None)]
    known = {line: two.selling_entity("UKI", line) for line in ("CLOUD", "DATA")}
    assert known == {"CLOUD": two.entities["NB-DE"], "DATA": two.entities["NB-UK"]}


def test_a_persons_corrections_take_the_place_of_the_crms_values() -> None:
    """Corrected fields are used by the replay; the deal's value and stage are not for us to correct."""
    broken = msgspec.structs.replace(OPPORTUNITY, payment_terms="", unmapped={"payment_terms": "30d"})
    corrected = rules.correct(broken, {"payment_terms": "Net 45", "stage": "lost", "amount": "1"})
    assert (corrected.payment_terms, corrected.unmapped, corrected.stage) == ("Net 45", {}, "won")


money = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99999999.99"), places=2)
models = st.sampled_from(["fixed_price", "time_and_materials", "retainer"])
lengths = st.integers(min_value=0, max_value=1800)


@given(st.integers(1, 10**10), st.sampled_from(["USD", "JPY", "KWD"]), models, lengths)
def test_a_billing_schedule_adds_up_to_the_value_within_the_dates(
    units: int, currency: str, model: str, days: int
) -> None:
    """Whatever value, currency, model and length: whole minor units that sum to it, some on every date."""
    value = Money(units * currencies.unit(currency), currency)
    end = dt.date(2027, 1, 11) + dt.timedelta(days=days)
    found = msgspec.structs.replace(terms(pricing_model=model, expected_end=end), value=value)
    template = REFERENCE.templates[found.template]
    schedule = rules.billing_schedule(found, template)
    assert sum(line.amount.amount for line in schedule) == value.amount
    assert all(line.amount.amount > 0 and currencies.is_payable(line.amount) for line in schedule)
    assert all(found.start <= line.due <= found.end for line in schedule)
    if model == "fixed_price":
        card = REFERENCE.rate_cards[found.rate_card]
        milestones = rules.project_draft(found, "SO-1", "77", template, card).tasks
        assert [line.amount for line in schedule] == [task.amount for task in milestones if task.amount]


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


def test_reference_files_name_countries_and_currencies_by_iso_codes(tmp_path: Path) -> None:
    """What is none is refused at start, each with its file and line, and with the code that was meant."""
    shutil.copytree(Path(DEMO_CONFIG) / "reference", tmp_path, dirs_exist_ok=True)
    firm = tmp_path / "firm.toml"
    text = firm.read_text(encoding="utf-8").replace('customer_country = "GB"', 'customer_country = "UK"')
    firm.write_text(text.replace('currency = "EUR"', 'currency = "EUX"'), encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        reference_files.read(tmp_path)
    lines = firm.read_text(encoding="utf-8").splitlines()
    british = "UK is no country code of ISO 3166-1 (two letters); United Kingdom is GB"
    at = [lines.index(each) + 1 for each in ('currency = "EUX"', 'customer_country = "UK"')]
    assert refused.value.faults == [
        f"{firm}:{at[0]}: legal_entities[2].currency: EUX is no currency of ISO 4217",
        f"{firm}:{at[1]}: tax_profiles[0].customer_country: {british}",
    ]
