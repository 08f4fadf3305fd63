"""system_apis: a Salesforce Account as our customer, a Contact as our contact. Pure."""

from typing import Any, cast, get_args

import msgspec

from contracts.canonical import countries, matching
from contracts.canonical.contact import Contact
from contracts.canonical.customer import Customer, CustomerStatus
from contracts.canonical.values import Address, Ref, TaxRegistration
from system_apis.vendors.salesforce.mapping.values import decimal_or_none, instant, money, text, version
from system_apis.vendors.salesforce.records import AccountRecord, ContactRecord, Row
from system_apis.vendors.salesforce.settings.maps import Maps


def customer(row: Row[AccountRecord], maps: Maps, instance_url: str = "") -> Customer:
    """The account's engagement context, and the billing data that the CRM proposes."""
    record, fields, defaults = row.record, maps.fields.customer, maps.defaults.customer
    currency = record.currency_iso_code or maps.currency
    address = billing_address(record, maps)
    url = f"{instance_url}/lightning/r/Account/{record.id}/view" if instance_url else ""
    customer = Customer(
        id=record.id,
        version="",
        updated_at=instant(record.system_modstamp),
        legal_name=record.name,
        status=_status(row.all, maps),
        trading_name=_text(row.all, fields.trading_name),
        parent_id=record.parent_id or "",
        selling_entity=_code_or_text(row.all, fields.selling_entity, maps.picklists.selling_entity)
        or defaults.selling_entity,
        billing_address=address,
        tax_registrations=_tax(_text(row.all, fields.tax_number), address),
        currency=currency,
        payment_terms=_code_or_text(row.all, fields.payment_terms, maps.picklists.payment_terms)
        or defaults.payment_terms,
        credit_limit=money(decimal_or_none(row.all.get(fields.credit_limit)), currency),
        industry=record.industry or "",
        segment=_text(row.all, fields.segment) or defaults.segment,
        account_owner=(record.owner.name or "") if record.owner else "",
        email=_text(row.all, fields.email),
        website=record.website or "",
        refs=(Ref(maps.instance, "customer", record.id, url),),
    )
    return msgspec.structs.replace(customer, version=version(record, customer))


def contact(row: Row[ContactRecord], maps: Maps) -> Contact:
    """The person; their title is the only role that a Contact itself states."""
    record = row.record
    contact = Contact(
        id=record.id,
        version="",
        updated_at=instant(record.system_modstamp),
        name=record.name,
        email=record.email or "",
        phone=record.phone or "",
        roles=(record.title,) if record.title else (),
        refs=(Ref(maps.instance, "contact", record.id),),
    )
    return msgspec.structs.replace(contact, version=version(record, contact))


def billing_address(record: AccountRecord, maps: Maps) -> Address | None:
    """The billing address; the first line of a street of several lines is separate."""
    line1, _, rest = (record.billing_street or "").replace("\r\n", "\n").partition("\n")
    address = Address(
        line1=line1.strip(),
        line2=", ".join(part.strip() for part in rest.split("\n") if part.strip()),
        city=record.billing_city or "",
        state=record.billing_state_code or record.billing_state or "",
        postal_code=record.billing_postal_code or "",
        country=_country(record, maps) or maps.defaults.customer.country,
    )
    return None if address == Address() else address


def _country(record: AccountRecord, maps: Maps) -> str:
    """The country's ISO code; an unknown text remains as it was typed, so that a person can correct it."""
    typed = [text for text in (record.billing_country_code, record.billing_country) if text]
    codes = (maps.picklists.country.get(text) or countries.code_of(text) for text in typed)
    return next(filter(None, codes), typed[-1] if typed else "")


def _tax(number: str, address: Address | None) -> tuple[TaxRegistration, ...]:
    """The number under the country that its letters name, else under that of the billing address."""
    country, _ = matching.tax_number(number)
    return (TaxRegistration(country or (address.country if address else ""), number),) if number else ()


def _status(values: dict[str, Any], maps: Maps) -> CustomerStatus:
    # An account without a known status is a prospect: only the ERP approves.
    status = _code(values, maps.fields.customer.status, maps.picklists.customer_status)
    return cast("CustomerStatus", status) if status in get_args(CustomerStatus) else "prospect"


def _code(values: dict[str, Any], field: str, codes: dict[str, str]) -> str:
    value = _text(values, field)
    return codes.get(value, "") if codes else value


def _code_or_text(values: dict[str, Any], field: str, codes: dict[str, str]) -> str:
    """The code; a value without one as it was typed: a default is for what is empty, not what is unknown."""
    return _code(values, field, codes) or _text(values, field)


def _text(values: dict[str, Any], field: str) -> str:
    return text(values.get(field)) if field else ""
