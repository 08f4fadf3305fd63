"""tests of the connector: what all profiles share: code maps, custom values, secrets, addresses."""

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contracts.canonical.contract import ContractLine
from contracts.canonical.values import Money
from contracts.problems import VendorRejected
from system_apis.connector.checks import fact_step, findings_of
from system_apis.connector.codes import ambiguous, code_of, strays, value_of, written
from system_apis.connector.custom_values import CustomValue, CustomValues, custom_fields
from system_apis.connector.local_time import instant_of, text_before
from system_apis.connector.profile import Connection, Profile, SecretRef
from system_apis.connector.values import versioned

TAXES = {"21": "UK-STD", "22": ("US-SERVICES", "EXPORT")}


def test_a_code_map_leads_both_ways() -> None:
    """From the account's value to our code, and back by the inverse; a value may stand for several codes."""
    assert [code_of(TAXES, value) for value in ("21", "22", "23", "")] == ["UK-STD", "US-SERVICES", "", ""]
    assert [value_of(TAXES, code) for code in ("US-SERVICES", "EXPORT", "DE-STD")] == ["22", "22", ""]
    assert (code_of({}, "Net 30"), value_of({}, "Net 30")) == ("Net 30", "Net 30")
    with pytest.raises(VendorRejected, match="tax_codes") as caught:
        written(TAXES, "DE-STD", "lines/0/tax_code", "tax_codes", "erp-main")
    assert caught.value.errors[0].code == "unmapped"


def test_two_values_for_one_code_cannot_be_written() -> None:
    """Which of them to write is not for us to choose; codes that we do not have are named, too."""
    assert list(ambiguous(TAXES, "tax_codes")) == []
    (fault,) = ambiguous({"1": "GBP", "7": ("USD", "GBP")}, "currencies")
    assert "'GBP'" in fault
    (fault,) = strays({"1": "GBP", "2": "EUX"}, "currencies", ("GBP",))
    assert "'EUX'" in fault


def test_custom_values_have_one_grammar() -> None:
    """A plain value is a constant; a field of the noun may be renamed by a map, and typed by its kind."""
    line = ContractLine("Build", Decimal(3), Money(Decimal("10.50"), "USD"), "DATA", "US")
    wanted: CustomValues = {
        "source": "CRM",
        "checked": True,
        "score": 7,
        "amount": CustomValue(source="amount.amount", kind="number"),
        "class": CustomValue(source="service_line", map={"DATA": "12"}, kind="reference"),
    }
    assert custom_fields(wanted, line, "erp-main") == {
        "source": "CRM",
        "checked": True,
        "score": 7,
        "amount": Decimal("10.50"),
        "class": {"id": "12"},
    }
    with pytest.raises(VendorRejected, match="CLOUD"):
        custom_fields(wanted, msgspec.structs.replace(line, service_line="CLOUD"), "erp-main")


class Login(Connection, frozen=True, kw_only=True):
    address: str
    token: SecretRef


class Toy(Profile, frozen=True, kw_only=True):
    connection: Login


@pytest.mark.parametrize(
    ("environment", "connection", "said"),
    [
        ("production", {"address": "http://toy.example", "token": "env:T"}, "connection.address"),
        ("test", {"address": "https://toy.example", "token": "s3cret"}, "token"),
        ("test", {"address": "https://toy.example", "token": "env:T", "colour": "red"}, "colour"),
    ],
)
def test_a_connection_that_is_not_safe_is_refused(environment, connection, said) -> None:
    """A production address without TLS, a secret in the file, and a name that nobody reads."""
    toy = {"name": "toy-main", "vendor": "toy", "environment": environment, "connection": connection}
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(toy, Toy)


def test_a_stand_in_may_be_reached_without_tls() -> None:
    """Only in a test environment."""
    connection = {"address": "http://127.0.0.1:9", "token": "file:/run/t"}
    toy = {"name": "toy-main", "vendor": "toy", "environment": "test", "connection": connection}
    assert msgspec.convert(toy, Toy).connection.address == "http://127.0.0.1:9"


def test_a_version_changes_with_what_was_read() -> None:
    """Stamps count whole seconds: two readings of one second differ if their content does."""

    class Noun(msgspec.Struct, frozen=True):
        name: str
        version: str = ""

    at = dt.datetime(2026, 5, 1, 7, 25, 37, tzinfo=dt.UTC)
    first, same, other = (versioned(Noun(name), at).version for name in ("a", "a", "b"))
    assert first == same != other
    assert first.startswith("20260501072537")


@pytest.mark.parametrize("hour", [0, 1, 2, 3])
def test_a_text_before_an_instant_skips_nothing_when_the_clock_goes_back(hour: int) -> None:
    """In the night in which summer time ends, later changes have earlier texts."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    zone = ZoneInfo("Europe/London")
    begin = dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC)
    later = [begin + dt.timedelta(minutes=minutes) for minutes in range(0, 180, 20)]
    texts = [at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") for at in later]
    assert min(texts) >= text_before(begin, zone)
    assert all(instant_of(text, zone) <= at for text, at in zip(texts, later, strict=True))


@pytest.mark.parametrize(
    ("fact", "declared", "actual", "ok"),
    [
        ("currency", "GBP", "GBP", True),
        ("currency", "GBP", "USD", False),
        ("currency", "", "USD", True),
        ("currency", "GBP", "", True),
        ("time_zone", "Asia/Kolkata", "Asia/Calcutta", True),
        ("time_zone", "Europe/London", "Europe/Lisbon", True),
        ("time_zone", "Europe/London", "UTC", False),
        ("time_zone", "Europe/London", "(GMT+01:00)", False),
    ],
)
async def test_a_stated_fact_is_compared_with_the_accounts_own(
    fact: Any, declared: str, actual: str, *, ok: bool
) -> None:
    """Only a fact that both state can be wrong; zones are compared by their clocks, not by their names."""

    async def read() -> str:
        return actual

    (finding,) = await findings_of([fact_step(fact, declared, read)])
    assert (finding.kind, finding.name, finding.ok) == ("environment", fact, ok)
    assert finding.fix == ("" if ok else f'set {fact} = "{actual}" in the profile')


@pytest.mark.parametrize(("fact", "wrong"), [("currency", "EUX"), ("time_zone", "Mars/Base")])
def test_a_fact_that_is_none_is_refused(fact: str, wrong: str) -> None:
    """A currency is one of ISO 4217, a zone one of the IANA's; none is UTC."""
    head = {"name": "a", "vendor": "toy", "environment": "test"}
    with pytest.raises(msgspec.ValidationError, match=wrong):
        msgspec.convert({**head, fact: wrong}, Profile)
    assert str(msgspec.convert(head, Profile).zone) == "UTC"
