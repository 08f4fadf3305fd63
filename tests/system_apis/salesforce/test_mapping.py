"""tests: the pure parts of the Salesforce room: ids, money, instants, bitmaps, profile."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from contracts.canonical.values import Money
from contracts.problems import NotFound
from system_apis.vendors.salesforce.client import soql
from system_apis.vendors.salesforce.mapping import ids, values
from system_apis.vendors.salesforce.mapping.changes import canonical_names, changed_names
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
    """An amount keeps its digits, loses an exponent and shows at least two decimals."""
    money = values.money(Decimal(number), "EUR")
    assert money == Money(Decimal(shown), "EUR")
    assert money
    assert str(money.amount) == shown


def test_instants():
    """Both of the vendor's spellings of an instant are read as UTC."""
    expected = dt.datetime(2026, 5, 1, 7, 25, 37, tzinfo=dt.UTC)
    assert values.instant("2026-05-01T07:25:37.000+0000") == expected
    assert values.instant("2026-05-01T07:25:37.000Z") == expected


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


def test_bitmaps():
    """Bitmaps name fields by their place in the schema, parts of compound fields included."""
    assert changed_names(["0x0a"], SCHEMA) == ["Name", "Tax_Number__c"]
    assert changed_names(["0x02", "2-0x02"], SCHEMA) == ["Name", "BillingAddress.City"]
    assert changed_names([], SCHEMA) == []
    with pytest.raises((LookupError, ValueError)):
        changed_names(["1-0x01"], SCHEMA)


def test_names_of_changed_fields():
    """The org's names become ours; what we do not read has no name."""
    found = ["BillingAddress.City", "BillingAddress.Street", "Tax_Number__c", "Fax"]
    assert canonical_names("Account", found, profile().maps) == ("billing_address", "tax_registrations")


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
    ],
)
def test_wrong_profiles(changes, said):
    """A profile that cannot work is refused, and the fault is named."""
    with pytest.raises(msgspec.ValidationError, match=said):
        profile(**changes)
