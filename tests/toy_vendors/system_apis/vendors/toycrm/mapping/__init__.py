"""system_apis: Toy CRM's documents as canonical nouns and events. Pure."""

import re
from collections.abc import Iterator

from system_apis.vendors.toycrm.records import Account, Contact, Deal

from contracts.canonical.contact import Contact as CanonicalContact
from contracts.canonical.customer import Customer
from contracts.canonical.opportunity import Opportunity
from contracts.canonical.values import Address, Money, TaxRegistration
from contracts.events.kinds import CUSTOMER_CHANGED, OPPORTUNITY_CHANGED, OPPORTUNITY_WON, RecordChanged
from contracts.problems import NotFound
from system_apis.connector.change import Change


def canonical_id(kind: str, given: str) -> str:
    """The id itself; raises NotFound for what can be none."""
    if not re.fullmatch(r"[0-9]{1,12}", given):
        raise NotFound(f"“{given}” is not the id of any {kind}")
    return given


def to_opportunity(deal: Deal) -> Opportunity:
    money = deal.amount is not None and deal.currency
    return Opportunity(
        id=deal.id,
        version=str(deal.version),
        updated_at=deal.changed_at,
        name=deal.title,
        stage=deal.state,
        stage_label=deal.state,
        customer_id=deal.account,
        amount=Money(deal.amount, deal.currency) if money and deal.amount is not None else None,
        close_date=deal.close_date,
        service_line=deal.service_line,
        region=deal.region,
        pricing_model=deal.pricing_model or None,
        delivery_template=deal.delivery_template,
        rate_card=deal.rate_card,
        payment_terms=deal.payment_terms,
        expected_start=deal.expected_start,
        expected_end=deal.expected_end,
        project_ref=deal.project_id,
    )


def to_customer(account: Account) -> Customer:
    limit = account.credit_limit
    address = Address(
        line1=account.street, city=account.city, postal_code=account.postal_code, country=account.country
    )
    return Customer(
        id=account.id,
        version=str(account.version),
        updated_at=account.changed_at,
        legal_name=account.legal_name,
        status="prospect",
        billing_address=None if address == Address() else address,
        tax_registrations=(TaxRegistration(account.country, account.tax_number),)
        if account.tax_number
        else (),
        currency=account.currency,
        credit_limit=Money(limit, account.currency) if limit is not None and account.currency else None,
        industry=account.industry,
    )


def to_contact(contact: Contact) -> CanonicalContact:
    return CanonicalContact(contact.id, str(contact.version), contact.changed_at, contact.name, contact.email)


def changes_of(row: Deal | Account, instance: str) -> Iterator[Change]:
    """The last change of a document, and a deal's win even when it was edited since."""
    noun = "opportunity" if isinstance(row, Deal) else "customer"
    kind = OPPORTUNITY_CHANGED if isinstance(row, Deal) else CUSTOMER_CHANGED
    changed = RecordChanged(
        instance=instance, object=noun, id=row.id, version=str(row.version), changed_at=row.changed_at
    )
    yield Change(f"{noun}:{row.id}:{row.version}", kind, changed, row.changed_at)
    if isinstance(row, Deal) and row.state == "won":
        won = RecordChanged(instance=instance, object="opportunity", id=row.id, changed_at=row.state_since)
        since = row.state_since.isoformat()
        yield Change(f"won:{row.id}:{since}", OPPORTUNITY_WON, won, row.state_since)
