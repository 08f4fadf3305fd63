"""tests: the pure parts of the Salesforce room: ids, money, instants, bitown, profile."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from contracts.canonical.opportunity import ProjectLink
from contracts.canonical.values import Money
from contracts.problems import NotFound, VendorRejected
from system_apis.connector import values
from system_apis.platforms.salesforce_org import ids, soql
from system_apis.platforms.salesforce_org.change_events import changed_names
from system_apis.platforms.salesforce_org.records import Row
from system_apis.vendors.salesforce.mapping import customer as customers
from system_apis.vendors.salesforce.mapping import opportunity as deals
from system_apis.vendors.salesforce.mapping.changes import changed_fields
from system_apis.vendors.salesforce.records import AccountRecord
from tests.system_apis.salesforce.conftest import profile


@pytest.mark.parametrize(
    ("short", "long"),
    [("001dM00003kRs59", "001dM00003kRs59QAC"), ("006000000000001", "006000000000001AAA")],
)
def test_ids_have_two_spellings(short, long):
    """Fifteen characters become the vendor's own eighteen."""
    assert ids.normalise(short, short[:3]) == long
    assert ids.normalise(long, short[:3]) == long


@pytest.mark.parametrize(
    "wrong", ["001dM00003kRs59QAA", "001dM00003kRs5", "", "0" * 18, "001dM00003kRs5'", "é"]
)
def test_wrong_ids(wrong):
    """A wrong checksum, length, prefix or letter is no record's id."""
    with pytest.raises(NotFound):
        ids.normalise(wrong, "001")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("15000", "15000.00"),
        ("1.8E7", "18000000.00"),
        ("0.1", "0.10"),
        ("1.005", "1.005"),
        ("12.50", "12.50"),
    ],
)
def test_money(number, shown):
    """An amount keeps its digits, loses an exponent and shows its currency's decimals."""
    money = values.money(Decimal(number), "EUR")
    assert money == Money(Decimal(shown), "EUR")
    assert money
    assert str(money.amount) == shown


def account(**columns):
    """An account's row with what the query brings, and the org's own columns."""
    stamps = {"SystemModstamp": "2026-05-01T07:25:37Z", "LastModifiedDate": "2026-05-01T07:25:37Z"}
    columns = {"Id": "001A", "Name": "Globex", **stamps, **columns}
    return Row(msgspec.convert(columns, AccountRecord), columns)


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"BillingCountry": "uk"}, "GB"),
        ({"BillingCountry": "U.S."}, "US"),
        ({"BillingCountry": "Deutschland"}, "DE"),
        ({"BillingCountry": "Our Island"}, "JE"),
        ({"BillingCountryCode": "de", "BillingCountry": "Allemagne"}, "DE"),
        ({"BillingCountryCode": "X9", "BillingCountry": "South Korea"}, "KR"),
        ({"BillingCountry": "zz"}, "zz"),
        ({"BillingCountry": "Atlantis"}, "Atlantis"),
        ({}, "FR"),
    ],
)
def test_a_billing_country_is_a_code_or_what_was_typed(columns, code):
    """Not every two letters are a country; the profile's default is for what is empty."""
    own = profile(picklists={"country": {"Our Island": "JE"}}, defaults={"customer": {"country": "FR"}})
    found = customers.customer(account(**columns), own)
    assert found.billing_address.country == code


def test_a_tax_number_is_its_letters_countrys_and_else_the_addresss():
    """Two letters that no country has do not make one."""
    numbers = {"DE123456789": "DE", "EL123456789": "GR", "CHE-123.456.789 MWST": "CH", "KX123456789": "AT"}
    read = {
        number: customers.customer(account(BillingCountry="Austria", Tax_Number__c=number), profile())
        for number in numbers
    }
    assert {number: found.tax_registrations[0].country for number, found in read.items()} == numbers


def test_a_default_does_not_take_the_place_of_an_unknown_value():
    """An account's terms and seller without a code stay as they were typed; empty ones have the default."""
    own = profile(
        fields={
            "opportunity": {"project_id": "Project_Id__c"},
            "customer": {"payment_terms": "Terms__c", "selling_entity": "Seller__c"},
        },
        picklists={"payment_terms": {"30 days": "Net 30"}, "selling_entity": {"UK": "NB-UK"}},
        defaults={"customer": {"payment_terms": "Net 30", "selling_entity": "NB-UK"}},
    )
    typed = customers.customer(account(Terms__c="90 days", Seller__c="Moon Ltd"), own)
    empty = customers.customer(account(), own)
    assert (typed.payment_terms, typed.selling_entity) == ("90 days", "Moon Ltd")
    assert (empty.payment_terms, empty.selling_entity) == ("Net 30", "NB-UK")


def test_a_link_status_without_a_value_is_refused():
    """Where the org has values of its own, ours is not written in their place."""
    fields = {"opportunity": {"project_id": "Project_Id__c", "project_status": "Status__c"}}
    own = profile(fields=fields, picklists={"project_status": {"Aktiv": "Activated"}})
    row = Row(None, {})
    assert deals.link_changes(row, ProjectLink("prj_1", "Activated"), own)["Status__c"] == "Aktiv"
    with pytest.raises(VendorRejected, match="Undone"):
        deals.link_changes(row, ProjectLink("", "Undone"), own)


def test_instants():
    """Both of the vendor's spellings of an instant are read as UTC."""
    expected = dt.datetime(2026, 5, 1, 7, 25, 37, tzinfo=dt.UTC)
    assert values.utc("2026-05-01T07:25:37.000+0000") == expected
    assert values.utc("2026-05-01T07:25:37.000Z") == expected


SCHEMA = {
    "fields": [
        {"name": "ChangeEventHeader", "type": "x"},
        {"name": "Name", "type": ["null", "string"]},
        {
            "name": "BillingAddress",
            "type": ["null", {"type": "record", "fields": [{"name": "Street"}, {"name": "City"}]}],
        },
        {"name": "Tax_Number__c", "type": ["null", "string"]},
    ]
}


def test_bitown():
    """Bitown name fields by their place in the schema, parts of compound fields included."""
    assert changed_names(["0x0a"], SCHEMA) == ["Name", "Tax_Number__c"]
    assert changed_names(["0x02", "2-0x02"], SCHEMA) == ["Name", "BillingAddress.City"]
    assert changed_names([], SCHEMA) == []
    with pytest.raises((LookupError, ValueError)):
        changed_names(["1-0x01"], SCHEMA)


def test_names_of_changed_fields():
    """The org's names become ours; what we do not read has no name."""
    found = ["BillingAddress.City", "BillingAddress.Street", "Tax_Number__c", "Fax"]
    assert changed_fields("Account", found, profile()) == ("billing_address", "tax_registrations")


def test_queries_quote():
    """A text cannot leave its quotes in a query."""
    assert soql.quoted("a' OR Name != 'b\\") == "'a\\' OR Name != \\'b\\\\'"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"connection": {"username": ""}}, "username"),
        ({"connection": {"flow": "client_credentials"}}, "client_secret"),
        ({"environment": "production"}, "events_plaintext"),
        ({"picklists": {"pricing_model": {"Fixed": "fixed"}}}, "fixed"),
        ({"fields": {"opportunity": {"project_id": "Id FROM User"}}}, "project_id"),
        ({"fields": {"opportunity": {}}}, "project_id"),
        ({"connection": {"colour": "red"}}, "colour"),
        ({"picklists": {"country": {"England": "UK"}}}, "UK"),
        ({"defaults": {"customer": {"country": "Germany"}}}, "Germany"),
        ({"defaults": {"opportunity": {"pricing_model": "barter"}}}, "barter"),
        ({"currency": "EUX"}, "EUX"),
        ({"time_zone": "Mars/Base"}, "Mars/Base"),
        ({"multiple_currencies": False, "currency": ""}, "currency: an org without"),
    ],
)
def test_wrong_profiles(changes, said):
    """A profile that cannot work is refused, and the fault is named."""
    with pytest.raises(msgspec.ValidationError, match=said):
        profile(**changes)


@pytest.mark.parametrize(
    ("columns", "several", "currency"),
    [
        ({"CurrencyIsoCode": "USD"}, True, "USD"),
        ({}, True, ""),
        ({}, False, "GBP"),
    ],
)
def test_an_amount_is_in_the_orgs_currency_where_no_record_names_one(columns, several, currency):
    """Only in an org with a single one: a field that is hidden from our user is not the org's currency."""
    one = profile(currency="GBP", multiple_currencies=several)
    row = account(Credit_Limit__c=Decimal(5), **columns)
    read = customers.customer(row, one)
    assert read.currency == currency
    assert read.credit_limit == (Money(Decimal("5.00"), currency) if currency else None)
