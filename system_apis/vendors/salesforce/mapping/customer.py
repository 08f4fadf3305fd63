"""system_apis: a Salesforce Account as our customer, a Contact as our contact. Pure."""

from contracts.canonical.contact import Contact
from contracts.canonical.customer import Customer
from contracts.canonical.values import Address, Ref
from system_apis.connector.crm import country_code, customer_status, customer_terms
from system_apis.connector.values import money, tax_registrations, utc, versioned
from system_apis.platforms.salesforce_org.records import Row
from system_apis.platforms.salesforce_org.values import decimal_or_none, texts
from system_apis.vendors.salesforce.profile import SalesforceProfile
from system_apis.vendors.salesforce.records import AccountRecord, ContactRecord


def customer(row: Row[AccountRecord], profile: SalesforceProfile, instance_url: str = "") -> Customer:
    """The account's engagement context, and the billing data that the CRM proposes."""
    record, read, fields = row.record, texts(row.all), profile.fields.customer
    currency = profile.currency_of(record.currency_iso_code)
    address = billing_address(record, profile)
    url = f"{instance_url}/lightning/r/Account/{record.id}/view" if instance_url else ""
    modified = utc(record.system_modstamp)
    customer = Customer(
        id=record.id,
        version="",
        updated_at=modified,
        legal_name=record.name,
        status=customer_status(read, profile),
        parent_id=record.parent_id or "",
        billing_address=address,
        tax_registrations=tax_registrations(read(fields.tax_number), address),
        currency=currency,
        credit_limit=money(decimal_or_none(row.all.get(fields.credit_limit)), currency),
        industry=record.industry or "",
        account_owner=(record.owner.name or "") if record.owner else "",
        website=record.website or "",
        refs=(Ref(profile.name, "customer", record.id, url),),
        other_entities=(),
        **customer_terms(read, profile),
    )
    return versioned(customer, modified)


def contact(row: Row[ContactRecord], profile: SalesforceProfile) -> Contact:
    """The person; their title is the only role that a Contact itself states."""
    record = row.record
    modified = utc(record.system_modstamp)
    contact = Contact(
        id=record.id,
        version="",
        updated_at=modified,
        name=record.name,
        email=record.email or "",
        phone=record.phone or "",
        roles=(record.title,) if record.title else (),
        refs=(Ref(profile.name, "contact", record.id),),
    )
    return versioned(contact, modified)


def billing_address(record: AccountRecord, profile: SalesforceProfile) -> Address | None:
    """The billing address; the first line of a street of several lines is separate."""
    line1, _, rest = (record.billing_street or "").replace("\r\n", "\n").partition("\n")
    address = Address(
        line1=line1.strip(),
        line2=", ".join(part.strip() for part in rest.split("\n") if part.strip()),
        city=record.billing_city or "",
        state=record.billing_state_code or record.billing_state or "",
        postal_code=record.billing_postal_code or "",
        country=country_code((record.billing_country_code, record.billing_country), profile),
    )
    return None if address == Address() else address
