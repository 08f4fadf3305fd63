"""Who may be the same firm, and when finance is asked."""

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contracts.canonical import matching
from contracts.canonical.customer import Customer, draft_of, faults_of
from contracts.canonical.matching import DuplicateCandidate
from contracts.canonical.project import Client
from contracts.canonical.values import Address, Money, TaxRegistration
from contracts.problems import NotFound
from contracts.process.customer_master import CustomerProposal
from contracts.system.crm import Crm
from deploy.settings import DEMO_CONFIG
from process_apis import reference_files
from process_apis.erp_customers import own_candidates
from process_apis.flows.customer_master import rules
from process_apis.flows.customer_master.service import CustomerMasterService
from process_apis.flows.customer_master.settings import CustomerMasterSettings
from process_apis.module import FlowDependencies
from process_apis.psa_clients import is_surely
from process_apis.systems import Systems

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
ACCOUNT = Customer(
    id="001A",
    version="1",
    updated_at=NOW,
    legal_name="Globex Corporation",
    status="prospect",
    tax_registrations=(TaxRegistration("US", "12-3456789"),),
    website="https://www.globex.example/about",
)
POLICY = rules.ApprovalPolicy(approve_credit_limit_above={"USD": Decimal(100000)})


def other(**changes: object) -> Customer:
    base = Customer(id="7", version="1", updated_at=NOW, legal_name="Hooli Inc", status="approved")
    return msgspec.structs.replace(base, **changes)


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        ({}, 0),
        ({"legal_name": "GLOBEX, Corp."}, matching.SCORES["name"]),
        ({"tax_registrations": (TaxRegistration("US", "12 345 6789"),)}, matching.SCORES["tax_number"]),
        ({"email": "ap@globex.example"}, matching.SCORES["domain"]),
    ],
)
def test_a_candidate_is_scored_by_its_strongest_likeness(changes: dict[str, object], score: int) -> None:
    """Tax number before name before internet domain; nothing alike is no candidate."""
    found = matching.candidates(ACCOUNT, "erp-main", [other(**changes)])
    assert [candidate.score for candidate in found] == ([score] if score else [])


@pytest.mark.parametrize(
    ("bound", "seen"),
    [
        ({}, True),
        ({"entity": ("NB-UK",)}, True),
        ({"entity": ("NB-US",)}, False),
        ({"customer": ("cus_1",)}, False),
        ({"entity": ("NB-UK",), "practice": ("tax",)}, False),
    ],
)
def test_a_candidate_is_another_customer(bound: dict[str, tuple[str, ...]], seen: bool) -> None:
    """Who is bound to an entity sees its own; who is bound by more, of which nothing is known, sees none."""
    candidate = DuplicateCandidate("erp-main", "7", "Hooli Inc", 90, ("same name",), "NB-UK")
    assert bool(own_candidates((candidate,), bound)) == seen
    of_both = msgspec.structs.replace(candidate, selling_entity="NB-DE", other_entities=("NB-UK",))
    assert bool(own_candidates((of_both,), bound)) == seen


@pytest.mark.parametrize(
    ("others", "entity", "is_theirs"),
    [((), "NB-UK", True), ((), "NB-US", False), (("NB-US",), "NB-US", True), (("NB-US",), "NB-DE", False)],
)
def test_a_customer_is_of_each_entity_that_sells_to_it(
    others: tuple[str, ...], entity: str, is_theirs: bool
) -> None:
    """The first one and the others alike; to people of a third one it is nameless."""
    customer = other(legal_name="Globex Corp.", selling_entity="NB-UK", other_entities=others)
    assert customer.is_of(entity) == is_theirs
    (candidate,) = matching.candidates(ACCOUNT, "erp-main", [customer])
    reasons = rules.why_ask_finance(ACCOUNT, (candidate,), rules.ApprovalPolicy(), entity)
    assert (customer.legal_name in reasons[0]) == is_theirs


def test_a_public_mail_providers_domain_makes_nobody_alike() -> None:
    """Two firms with an address at one mail provider are two firms."""
    account = msgspec.structs.replace(ACCOUNT, website="", email="a@gmail.com")
    assert matching.candidates(account, "n", [other(email="b@gmail.com")]) == ()


@pytest.mark.parametrize(
    ("limit", "asked"),
    [
        (None, False),
        (Money(Decimal(100000), "USD"), False),
        (Money(Decimal("100000.01"), "USD"), True),
        (Money(Decimal(1), "CHF"), True),
    ],
)
def test_finance_is_asked_above_the_ceiling_or_without_one(limit: Money | None, asked: bool) -> None:
    """A credit limit above the set amount, or in a currency without one, needs a person."""
    account = msgspec.structs.replace(ACCOUNT, credit_limit=limit)
    assert bool(rules.why_ask_finance(account, (), POLICY, "NB-UK")) is asked


@pytest.mark.parametrize(("country", "told"), [("u.k.", "GB"), ("Deutschland", "DE"), ("FR", "FR")])
def test_the_erp_is_told_a_country_by_its_code(country: str, told: str) -> None:
    """However it was typed in the CRM."""
    account = msgspec.structs.replace(ACCOUNT, billing_address=Address(country=country))
    assert faults_of(account) == ()
    draft = draft_of(account, "NB-US", "USD")
    assert draft.billing_address == Address(country=told)


def test_what_is_no_country_is_a_fault_of_the_account() -> None:
    """Told with what was given, what to put and who does, before the ERP is asked."""
    (fault,) = faults_of(msgspec.structs.replace(ACCOUNT, billing_address=Address(country="Atlantis")))
    assert (fault.code, fault.fixed_by) == ("unknown", "the account's owner in the CRM")
    assert "“Atlantis”" in fault.detail


def test_the_policys_currencies_are_iso_codes() -> None:
    """A ceiling in no currency would be nobody's."""
    with pytest.raises(msgspec.ValidationError, match="POUND is no currency"):
        msgspec.convert({"approve_credit_limit_above": {"POUND": "1"}}, rules.ApprovalPolicy)


def test_a_firm_is_looked_for_by_all_that_it_is_known_by() -> None:
    """One question with one of each; a second name, number or domain is asked for as well."""
    assert matching.questions(ACCOUNT) == [("Globex Corporation", "12-3456789", "globex.example")]
    more = msgspec.structs.replace(ACCOUNT, trading_name="Globex", email="ap@gbx.example; a@gmail.com")
    assert matching.questions(more)[1:] == [("Globex", None, "gbx.example")]


def test_a_credit_limit_in_another_currency_is_not_sent_to_the_erp() -> None:
    """Converting money is finance's to do."""
    account = msgspec.structs.replace(ACCOUNT, credit_limit=Money(Decimal(5), "GBP"))
    assert draft_of(account, "NB-US", "USD").credit_limit is None


async def test_an_entity_that_we_do_not_have_is_served_by_no_route() -> None:
    """The route for every other entity is for those that the firm has: nothing is begun for another."""
    anything: Any = object()
    dependencies = FlowDependencies(
        systems=Systems({("crm-main", Crm): anything}, anything),
        database=anything,
        runtime=anything,
        reference=reference_files.read(DEMO_CONFIG / "reference"),
        ownership=anything,
        current_policy=anything,
        settings={},
    )
    service = CustomerMasterService(dependencies, CustomerMasterSettings())
    with pytest.raises(NotFound) as refused:
        await service.propose_customer(CustomerProposal("crm-main", "001A", "NB-X", "GBP"))
    assert [(fault.pointer, fault.code) for fault in refused.value.errors] == [("/selling_entity", "unknown")]


@pytest.mark.parametrize(
    ("name", "website", "surely"),
    [
        ("GLOBEX Corp.", "", True),
        ("Globex Corporation", "http://globex.example", True),
        ("Globex", "https://globex.test", False),
        ("Globex Services", "https://globex.example", False),
        ("Hooli", "", False),
    ],
)
def test_a_client_is_surely_the_firm_by_its_name_and_no_other_domain(
    name: str, website: str, *, surely: bool
) -> None:
    """A domain alone is a doubt, and another domain, too."""
    client = Client("77", "1", NOW, name, website=website)
    assert is_surely(ACCOUNT, client) == surely
