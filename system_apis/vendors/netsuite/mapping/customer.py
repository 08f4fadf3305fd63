"""system_apis: a customer to and from NetSuite's customer record."""

from decimal import Decimal

from contracts.canonical import countries, currencies, matching
from contracts.canonical.customer import Customer, CustomerDraft, CustomerStatus
from contracts.canonical.values import Address, Money, TaxRegistration
from system_apis.vendors.netsuite.mapping.values import (
    custom_fields,
    instant_of,
    point,
    refs_of,
    text_of,
    to_code,
    to_id,
    unmapped,
)
from system_apis.vendors.netsuite.records import (
    NetSuiteAddress,
    NetSuiteCustomer,
    NetSuiteReference,
    Raw,
    Row,
    version_of,
)
from system_apis.vendors.netsuite.settings.maps import Maps


def customer_body(maps: Maps, draft: CustomerDraft) -> Raw:
    """A customer as NetSuite's record; raises VendorRejected where the profile does not map a code."""
    body: Raw = {
        "isPerson": False,
        "isInactive": False,
        **maps.defaults.customer,
        "companyName": draft.legal_name,
        "subsidiary": to_id(maps.entities, draft.selling_entity, field="selling_entity", maps=maps),
        "currency": to_id(maps.currencies, draft.currency, field="currency", maps=maps),
    }
    if draft.payment_terms:
        body["terms"] = to_id(maps.terms, draft.payment_terms, field="payment_terms", maps=maps)
    if draft.email:
        body["email"] = draft.email
    if draft.credit_limit is not None:
        body["creditLimit"] = draft.credit_limit.amount
    if draft.parent_id:
        body["parent"] = point(draft.parent_id)
    if draft.billing_address is not None:
        body["addressBook"] = {"items": [_address_line(maps, draft.billing_address, draft.legal_name)]}
    fields = maps.fields.customer
    if draft.tax_registrations and fields.tax_number:
        body[fields.tax_number] = draft.tax_registrations[0].number
    if draft.trading_name and fields.trading_name:
        body[fields.trading_name] = draft.trading_name
    return body | custom_fields(maps.required_custom.customer, draft, draft.custom, maps)


def _address_line(maps: Maps, address: Address, addressee: str) -> Raw:
    texts = {
        "addressee": addressee,
        "addr1": address.line1,
        "addr2": address.line2,
        "city": address.city,
        "state": address.state,
        "zip": address.postal_code,
    }
    lines: Raw = {name: value for name, value in texts.items() if value}
    if address.country:
        if not countries.is_code(address.country):
            sentence = f"{address.country!r} is no country code of ISO 3166-1"
            raise unmapped(sentence, "/billing_address/country", "country", maps, fixed_by="caller")
        lines["country"] = point(address.country)
    return {"label": "Billing", "defaultBilling": True, "defaultShipping": True, "addressBookAddress": lines}


def customer(maps: Maps, record: NetSuiteCustomer, raw: Raw) -> Customer:
    """A customer from its whole record; `raw` is the same with the account's own fields."""
    currency = to_code(maps.currencies, record.currency)
    address = _billing_address(record)
    return Customer(
        id=record.id,
        version=version_of(record.last_modified_date),
        updated_at=record.last_modified_date,
        legal_name=record.company_name or f"{record.first_name} {record.last_name}".strip(),
        status=_status(
            maps,
            inactive=record.is_inactive,
            on_hold=record.credit_hold_override is not None and record.credit_hold_override.id == "ON",
            entity_status=record.entity_status.id if record.entity_status else "",
        ),
        trading_name=text_of(raw, maps.fields.customer.trading_name),
        parent_id=record.parent.id if record.parent else "",
        selling_entity=to_code(maps.entities, record.subsidiary),
        billing_address=address,
        tax_registrations=_tax(text_of(raw, maps.fields.customer.tax_number), address),
        currency=currency,
        payment_terms=to_code(maps.terms, record.terms),
        credit_limit=_credit_limit(record.credit_limit, currency),
        email=record.email,
        website=record.url,
        refs=refs_of(maps, "customer", record.id, record.external_id),
    )


def customer_of_row(maps: Maps, row: Row) -> Customer:
    """A customer from a SuiteQL row: its address is not in that table."""
    currency = to_code(maps.currencies, row.get("currency"))
    changed = instant_of(row["changed"], maps.zone)
    limit = row.get("creditlimit")
    return Customer(
        id=row["id"],
        version=version_of(changed),
        updated_at=changed,
        legal_name=row.get("companyname") or row.get("entityid", ""),
        status=_status(
            maps,
            inactive=row.get("isinactive") == "T",
            on_hold=row.get("creditholdoverride") == "ON",
            entity_status=row.get("entitystatus", ""),
        ),
        trading_name=text_of(row, maps.fields.customer.trading_name.lower()),
        parent_id=row.get("parent", ""),
        selling_entity=to_code(maps.entities, row.get("subsidiary")),
        tax_registrations=_tax(text_of(row, maps.fields.customer.tax_number.lower()), None),
        currency=currency,
        payment_terms=to_code(maps.terms, row.get("terms")),
        credit_limit=_credit_limit(Decimal(limit) if limit else None, currency),
        email=row.get("email", ""),
        website=row.get("url", ""),
        refs=refs_of(maps, "customer", row["id"], row.get("externalid", "")),
    )


def _status(maps: Maps, *, inactive: bool, on_hold: bool, entity_status: str) -> CustomerStatus:
    if inactive or on_hold:
        return "blocked"
    # An entity status that the profile does not list must not approve a customer.
    return "approved" if entity_status in maps.statuses.customer else "prospect"


def _credit_limit(amount: Decimal | None, currency: str) -> Money | None:
    # An amount in a currency that the profile does not map is left out.
    return currencies.shown(Money(amount, currency)) if amount is not None and currency else None


def _tax(number: str, address: Address | None) -> tuple[TaxRegistration, ...]:
    """NetSuite stores one number without its country: a VAT id starts with it, else the address has it."""
    country, _ = matching.tax_number(number)
    return (TaxRegistration(country or (address.country if address else ""), number),) if number else ()


def _billing_address(record: NetSuiteCustomer) -> Address | None:
    lines = record.address_book.items if record.address_book else ()
    billing = next((line.address_book_address for line in lines if line.default_billing), None)
    return _address(billing) if billing is not None else None


def _country(reference: NetSuiteReference) -> str:
    """The ISO code; what means none stays as NetSuite names it."""
    return countries.code_of(reference.id) or countries.code_or_text(reference.ref_name or reference.id)


def _address(address: NetSuiteAddress) -> Address:
    return Address(
        line1=address.addr1,
        line2=address.addr2,
        city=address.city,
        state=address.state,
        postal_code=address.zip,
        country=_country(address.country) if address.country else "",
    )
