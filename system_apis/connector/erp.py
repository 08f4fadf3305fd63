"""system_apis: what the profiles and mappings of all ERPs share: codes of records, fields, defaults. Pure."""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import msgspec

from contracts.canonical import currencies
from contracts.canonical.contract import BillingLine, ContractDraft
from contracts.canonical.customer import CustomerDraft
from contracts.canonical.opportunity import PricingModel
from contracts.canonical.values import Money
from system_apis.connector.codes import Codes, ambiguous, code_of, inverse, strays
from system_apis.connector.custom_values import CustomValues
from system_apis.connector.profile import Names, OptionalFieldName, Profile, Table
from system_apis.connector.refusals import unmapped
from system_apis.connector.values import whole_number

E = TypeVar("E", bound="ErpProfile")

TABLES = ("entities", "items", "tax_codes", "currencies", "terms")


class CustomerFields(Names, frozen=True, kw_only=True):
    tax_number: OptionalFieldName = ""
    trading_name: OptionalFieldName = ""


class ContractFields(Names, frozen=True, kw_only=True):
    opportunity_ref: OptionalFieldName = ""
    revision: OptionalFieldName = ""
    rate_card_id: OptionalFieldName = ""
    tax_profile: OptionalFieldName = ""


class ErpFields(Table, frozen=True, kw_only=True):
    customer: CustomerFields = CustomerFields()
    contract: ContractFields = ContractFields()


class ErpRequired(Table, frozen=True, kw_only=True):
    """Fields that the account insists on, by record: the vendor's field name and what it gets."""

    customer: CustomValues = {}
    contract: CustomValues = {}
    contract_line: CustomValues = {}


class ErpDefaults(Table, frozen=True, kw_only=True):
    """What every new record of a kind is given, in the vendor's own words."""

    customer: dict[str, Any] = {}
    contract: dict[str, Any] = {}
    contract_line: dict[str, Any] = {}


class ErpProfile(Profile, frozen=True, kw_only=True):
    """An ERP's profile: each table leads from the vendor's id of a record to our code, or our codes."""

    entities: Codes
    items: Codes
    tax_codes: Codes = {}
    currencies: Codes = {}
    terms: Codes = {}
    fields: ErpFields = ErpFields()
    defaults: ErpDefaults = ErpDefaults()
    required_custom: ErpRequired = ErpRequired()

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        yield from strays(self.currencies, "currencies", currencies.is_code)
        for table in TABLES:
            yield from ambiguous(getattr(self, table), table)


def number_faults(profile: ErpProfile, vendor: str) -> Iterator[str]:
    """A fault for each id in the tables that is no whole number."""
    for table in TABLES:
        for ident in getattr(profile, table):
            if whole_number(ident.removeprefix("-")) is None:
                yield f"[{table}] {ident!r} is no internal id of {vendor}: a whole number"


def id_of(profile: ErpProfile, table: str, code: str, place: str) -> str:
    """The vendor's record for one of our codes; raises VendorRejected where the profile has none."""
    ident = inverse(getattr(profile, table)).get(code)
    if ident is None:
        sentence = f"the profile of {profile.name} does not map {code!r} to a record ([{table}])"
        raise unmapped(sentence, place, profile.name)
    return ident


def coded(codes: Codes, ident: str | None) -> str:
    """Our code for one of the vendor's records; empty where the profile has none."""
    return code_of(codes, ident) if codes else ""


def unworded_line(model: PricingModel | None, due: dt.date, amount: Money, schedule: str) -> BillingLine:
    """A billing line that is stored without words: they follow from the model, or the schedule's name.

    They are those that the flows write, so that a line reads the same before and after.
    """
    match model:
        case "retainer":
            return BillingLine(f"Retainer {due:%B %Y}", due, amount, "retainer")
        case "time_and_materials":
            return BillingLine("Time and materials, up to", due, amount, "time_and_materials_cap")
        case _:
            return BillingLine(schedule, due, amount)


async def completed(profile: E, read: Callable[[str], Awaitable[dict[str, str]]]) -> E:
    """The profile; currencies and terms that it omits are read from the account, by their ids."""
    omitted = [table for table in ("currencies", "terms") if not getattr(profile, table)]
    return msgspec.structs.replace(profile, **{table: await read(table) for table in omitted})


def own_fields(fields: Names, draft: CustomerDraft | ContractDraft) -> dict[str, str]:
    """The account's own fields for what the draft has, by the vendor's names."""
    texts = {
        field: str(getattr(draft, noun)) for noun, field in fields.named().items() if hasattr(draft, noun)
    }
    return {field: text for field, text in texts.items() if text}


def own_values(fields: ContractFields, read: Callable[[str], str]) -> dict[str, Any]:
    """What a contract has in the account's own fields; a revision that is no number is the first."""
    texts = {noun: read(field) for noun, field in fields.named().items()}
    revision = whole_number(texts.get("revision", ""))
    return texts | {"revision": 1 if revision is None else revision}
