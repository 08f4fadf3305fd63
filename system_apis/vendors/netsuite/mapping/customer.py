"""system_apis: a customer to and from NetSuite's customer record."""

from contracts.canonical import countries
from contracts.canonical.customer import Customer, CustomerDraft, CustomerStatus
from contracts.canonical.values import Address
from system_apis.connector.refusals import unmapped
from system_apis.connector.values import money, second_of, tax_registrations
from system_apis.vendors.netsuite.mapping.values import (
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
    NetSuiteCustomer,
    NetSuiteReference,
    Raw,
)

_ADDRESS = {"line1": "addr1", "line2": "addr2", "city": "city", "state": "state", "postal_code": "zip"}


def customer_body(profile: NetSuiteProfile, draft: CustomerDraft) -> Raw:
    """A customer as NetSuite's record; raises VendorRejected where the profile does not map a code."""
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
        body["creditLimit"] = draft.credit_limit.amount
    if draft.parent_id:
        body["parent"] = point(draft.parent_id)
    if draft.billing_address is not None:
        body["addressBook"] = {"items": [_address_line(profile, draft.billing_address, draft.legal_name)]}
    fields = profile.fields.customer
    if draft.tax_registrations and fields.tax_number:
        body[fields.tax_number] = draft.tax_registrations[0].number
    if draft.trading_name and fields.trading_name:
        body[fields.trading_name] = draft.trading_name
    return body | custom_fields(profile.required_custom.customer, draft, draft.custom, profile)


def _address_line(profile: NetSuiteProfile, address: Address, addressee: str) -> Raw:
    texts = {theirs: getattr(address, ours) for ours, theirs in _ADDRESS.items()}
    texts["addressee"] = addressee
    lines: Raw = {name: value for name, value in texts.items() if value}
    if address.country:
        if not countries.is_code(address.country):
            sentence = f"{address.country!r} is no country code of ISO 3166-1"
            raise unmapped(sentence, "billing_address/country", profile.name, fixed_by="caller")
        lines["country"] = point(address.country)
    return {"label": "Billing", "defaultBilling": True, "defaultShipping": True, "addressBookAddress": lines}


def customer(profile: NetSuiteProfile, record: NetSuiteCustomer, raw: Raw) -> Customer:
    """A customer from its whole record; `raw` is the same with the account's own fields."""
    currency = to_code(profile.currencies, record.currency)
    address = _billing_address(record)
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
    )


def _status(profile: NetSuiteProfile, record: NetSuiteCustomer) -> CustomerStatus:
    if record.is_inactive or (record.credit_hold_override and record.credit_hold_override.id == "ON"):
        return "blocked"
    # An entity status that the profile does not list must not approve a customer.
    approved = record.entity_status and record.entity_status.id in profile.statuses.customer
    return "approved" if approved else "prospect"


def _billing_address(record: NetSuiteCustomer) -> Address | None:
    lines = record.address_book.items if record.address_book else ()
    billing = next((line.address_book_address for line in lines if line.default_billing), None)
    return _address(billing) if billing is not None else None


def _country(reference: NetSuiteReference) -> str:
    """The ISO code; what means none stays as NetSuite names it."""
    return countries.code_of(reference.id) or countries.code_or_text(reference.ref_name or reference.id)


def _address(address: NetSuiteAddress) -> Address:
    lines = {ours: getattr(address, theirs) for ours, theirs in _ADDRESS.items()}
    return Address(**lines, country=_country(address.country) if address.country else "")
