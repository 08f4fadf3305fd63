"""system_apis: a customer to and from NetSuite's customer record."""

from collections.abc import Iterable

from contracts.canonical import countries
from contracts.canonical.customer import Customer, CustomerDraft, CustomerStatus
from contracts.canonical.values import Address
from system_apis.connector.erp import coded
from system_apis.connector.refusals import check_lengths, checked_country, payable
from system_apis.connector.values import money, second_of, tax_registrations
from system_apis.vendors.netsuite.mapping.lengths import customer_texts
from system_apis.vendors.netsuite.mapping.values import (
    currency_of,
    custom_fields,
    point,
    refs_of,
    text_of,
    to_code,
    to_id,
)
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from system_apis.vendors.netsuite.records import (
    NetSuiteAddress,
    NetSuiteAddressLine,
    NetSuiteCustomer,
    Raw,
)

_ADDRESS = {"line1": "addr1", "line2": "addr2", "city": "city", "state": "state", "postal_code": "zip"}


def customer_body(profile: NetSuiteProfile, draft: CustomerDraft, known: NetSuiteCustomer | None) -> Raw:
    """A customer as NetSuite's record, `known` being the record that there is; its other addresses stay.

    Raises VendorRejected where the profile does not map a code, a text is too long or an amount too fine.
    """
    check_lengths(customer_texts(draft, profile.fields.customer.tax_number), profile.name)
    body: Raw = {
        "isPerson": False,
        "isInactive": False,
        **profile.defaults.customer,
        "companyName": draft.legal_name,
        "subsidiary": to_id(profile, "entities", draft.selling_entity, "selling_entity"),
        "currency": to_id(profile, "currencies", draft.currency, "currency"),
    }
    if draft.payment_terms:
        body["terms"] = to_id(profile, "terms", draft.payment_terms, "payment_terms")
    if draft.email:
        body["email"] = draft.email
    if draft.credit_limit is not None:
        body["creditLimit"] = payable(draft.credit_limit, "credit_limit", profile.name)
    if draft.parent_id:
        body["parent"] = point(draft.parent_id)
    if draft.billing_address is not None:
        address = _address_body(profile, draft.billing_address, draft.legal_name)
        body["addressBook"] = {"items": [_address_line(known and _billing_line(known), address)]}
    fields = profile.fields.customer
    if draft.tax_registrations and fields.tax_number:
        body[fields.tax_number] = draft.tax_registrations[0].number
    if draft.trading_name and fields.trading_name:
        body[fields.trading_name] = draft.trading_name
    return body | custom_fields(profile.required_custom.customer, draft, draft.custom, profile)


def _address_line(known: NetSuiteAddressLine | None, address: Raw) -> Raw:
    """The line of the default billing address: lines of the address book are distinguished by their ids."""
    if known is not None:
        return {"id": known.id, "addressBookAddress": address}
    address = {name: value for name, value in address.items() if value}
    return {
        "label": "Billing",
        "defaultBilling": True,
        "defaultShipping": True,
        "addressBookAddress": address,
    }


def _address_body(profile: NetSuiteProfile, address: Address, addressee: str) -> Raw:
    """An address whole, null being what empties a field."""
    code = checked_country(address.country, "billing_address/country", profile.name)
    texts = {theirs: getattr(address, ours) or None for ours, theirs in _ADDRESS.items()}
    return {**texts, "addressee": addressee, "country": point(code) if code else None}


def customer(
    profile: NetSuiteProfile, record: NetSuiteCustomer, raw: Raw, subsidiaries: Iterable[str] = ()
) -> Customer:
    """A customer from its whole record; `raw` is the same with the account's own fields.

    `subsidiaries` are those beside the primary one in which it may buy.
    """
    others = (coded(profile.entities, ident) for ident in subsidiaries)
    currency = currency_of(profile, record.currency)
    billing = _billing_line(record)
    address = _address(billing.address_book_address) if billing and billing.address_book_address else None
    return Customer(
        id=record.id,
        version=second_of(record.last_modified_date),
        updated_at=record.last_modified_date,
        legal_name=record.company_name
        or f"{record.first_name} {record.last_name}".strip()
        or record.entity_id,
        status=_status(profile, record),
        trading_name=text_of(raw, profile.fields.customer.trading_name),
        parent_id=record.parent.id if record.parent else "",
        selling_entity=to_code(profile.entities, record.subsidiary),
        billing_address=address,
        tax_registrations=tax_registrations(text_of(raw, profile.fields.customer.tax_number), address),
        currency=currency,
        payment_terms=to_code(profile.terms, record.terms),
        credit_limit=money(record.credit_limit, currency),
        email=record.email,
        website=record.url,
        refs=refs_of(profile, "customer", record.id, record.external_id),
        other_entities=tuple(filter(None, others)),
    )


def _status(profile: NetSuiteProfile, record: NetSuiteCustomer) -> CustomerStatus:
    if record.is_inactive or (record.credit_hold_override and record.credit_hold_override.id == "ON"):
        return "blocked"
    # An entity status that the profile does not list must not approve a customer.
    approved = record.entity_status and record.entity_status.id in profile.statuses.customer
    return "approved" if approved else "prospect"


def _billing_line(record: NetSuiteCustomer) -> NetSuiteAddressLine | None:
    lines = record.address_book.items if record.address_book else ()
    return next((line for line in lines if line.default_billing), None)


def _address(address: NetSuiteAddress) -> Address:
    lines = {ours: getattr(address, theirs) for ours, theirs in _ADDRESS.items()}
    at = address.country
    # What stands for no country of ISO's stays as NetSuite names it.
    country = at and (countries.code_of(at.id) or countries.code_or_text(at.ref_name or at.id))
    return Address(**lines, country=country or "")
