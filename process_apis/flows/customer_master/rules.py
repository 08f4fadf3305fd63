"""Who may be the same firm, when finance must be asked, and what the ERP is told of a new customer."""

import re
import unicodedata
from decimal import Decimal

import msgspec

from contracts.canonical.customer import Customer, CustomerDraft
from contracts.canonical.project import ClientDraft
from contracts.canonical.values import Money
from contracts.process.customer_master import CustomerProposal, DuplicateCandidate

# Words that say what kind of company it is and not which one.
_FORMS = re.compile(
    r"\b(incorporated|inc|corporation|corp|company|co|limited|ltd|llc|llp|plc|gmbh|ag|se|kg|sarl|sas|sa|bv|nv|group|holding)\b"
)
_NO_WORD = re.compile(r"[^a-z0-9]+")
TAX_NUMBER_SCORE = 100
NAME_SCORE = 80
DOMAIN_SCORE = 60
_DUPLICATES = "Possible duplicates"
PUBLIC_DOMAINS = frozenset({"gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com"})


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When finance is asked before a customer is created; the limit is per currency."""

    approve_credit_limit_above: dict[str, Decimal] = {}
    duplicate_score: int = 60
    approve_within_hours: float = 24


def normal_name(name: str) -> str:
    """A firm's name without case, accents, punctuation and legal form."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NO_WORD.sub(" ", _FORMS.sub(" ", _NO_WORD.sub(" ", plain))).strip()


def normal_tax_number(number: str) -> str:
    """A tax number without blanks and punctuation."""
    return re.sub(r"[^A-Z0-9]", "", number.upper())


def domain_of(customer: Customer) -> str:
    """The firm's own internet domain; nothing for a public mail provider's."""
    site = re.sub(r"^https?://(www\.)?", "", customer.website.lower()).split("/")[0]
    domain = site or customer.email.lower().rpartition("@")[2]
    return "" if domain in PUBLIC_DOMAINS else domain


def candidates(account: Customer, found: list[tuple[str, Customer]]) -> tuple[DuplicateCandidate, ...]:
    """ERP customers (instance, customer) that may be the same firm, the likeliest first."""
    scored = [_candidate(account, instance, customer) for instance, customer in found]
    return tuple(sorted((c for c in scored if c.score), key=lambda c: (-c.score, c.customer_id)))


def _candidate(account: Customer, instance: str, other: Customer) -> DuplicateCandidate:
    reasons: list[tuple[int, str]] = []
    ours = {normal_tax_number(t.number) for t in account.tax_registrations}
    theirs = {normal_tax_number(t.number) for t in other.tax_registrations}
    if ours & theirs:
        reasons.append((TAX_NUMBER_SCORE, "same tax number"))
    if normal_name(account.legal_name) == normal_name(other.legal_name):
        reasons.append((NAME_SCORE, "same name"))
    if domain_of(account) and domain_of(account) == domain_of(other):
        reasons.append((DOMAIN_SCORE, "same internet domain"))
    return DuplicateCandidate(
        instance=instance,
        customer_id=other.id,
        legal_name=other.legal_name,
        score=max((score for score, _ in reasons), default=0),
        reasons=tuple(reason for _, reason in reasons),
        selling_entity=other.selling_entity,
    )


def _told(candidate: DuplicateCandidate, entity: str) -> str:
    """A candidate as all who see the request may know it: by name if it is of the same legal entity."""
    if candidate.selling_entity in (entity, ""):
        return f"the ERP customer {candidate.legal_name} ({candidate.customer_id})"
    return "a customer of another legal entity"


def why_ask_finance(
    account: Customer, found: tuple[DuplicateCandidate, ...], policy: Policy, entity: str
) -> tuple[str, ...]:
    """The reasons for which a person must approve, in sentences; empty when nobody need be asked."""
    reasons = [
        f"It may be {_told(c, entity)}: {', '.join(c.reasons)}."
        for c in found
        if c.score >= policy.duplicate_score
    ]
    limit = account.credit_limit
    if limit is not None:
        ceiling = policy.approve_credit_limit_above.get(limit.currency)
        if ceiling is None:
            reasons.append(f"No ceiling is set for credit limits in {limit.currency}.")
        elif limit.amount > ceiling:
            amount = f"{limit.amount:,} {limit.currency}"
            reasons.append(f"The credit limit of {amount} is above {ceiling:,} {limit.currency}.")
    return tuple(reasons)


Facts = tuple[Customer, tuple[DuplicateCandidate, ...]]


def changes(before: Facts, after: Facts, entity: str) -> tuple[dict[str, str], dict[str, str]]:
    """What finance decides on and is another by now, by its name: as it was, and as it is."""
    old, new = _decided_on(*before, entity), _decided_on(*after, entity)
    names = [name for name in old if old[name] != new[name]]
    # Two customers of another legal entity are told alike.
    if before[1] != after[1] and _DUPLICATES not in names:
        names.append(_DUPLICATES)
    return {name: old[name] for name in names}, {name: new[name] for name in names}


def _decided_on(account: Customer, found: tuple[DuplicateCandidate, ...], entity: str) -> dict[str, str]:
    limit, address = account.credit_limit, account.billing_address
    numbers = (f"{tax.number} ({tax.country or 'no country'})" for tax in account.tax_registrations)
    return {
        "Legal name": account.legal_name,
        "Tax number": ", ".join(numbers) or "none",
        "Credit limit": f"{limit.amount:,} {limit.currency}" if limit else "none",
        "Billing address": ", ".join(filter(None, msgspec.structs.astuple(address))) if address else "none",
        "Payment terms": account.payment_terms or "none",
        _DUPLICATES: "; ".join(_told(one, entity) for one in found) or "none",
    }


def why_again(before: dict[str, str], after: dict[str, str]) -> tuple[str, ...]:
    """The sentences for which finance is asked once more."""
    return tuple(
        f"{name} was {before[name]} when finance decided, and is now {after[name]}." for name in before
    )


def client_draft(account: Customer) -> ClientDraft:
    """What the PSA is told of a new client."""
    return ClientDraft(name=account.trading_name or account.legal_name, website=account.website)


def customer_draft(account: Customer, proposal: CustomerProposal) -> CustomerDraft:
    """What the ERP is told: legal and billing data that the CRM proposes and finance has approved."""
    return CustomerDraft(
        legal_name=account.legal_name,
        selling_entity=proposal.selling_entity,
        currency=proposal.currency,
        payment_terms=proposal.payment_terms or account.payment_terms,
        trading_name=account.trading_name,
        billing_address=account.billing_address,
        tax_registrations=account.tax_registrations,
        credit_limit=_in_currency(account.credit_limit, proposal.currency),
        email=account.email,
    )


def _in_currency(limit: Money | None, currency: str) -> Money | None:
    # A limit in another currency is finance's to convert, never ours.
    return limit if limit is not None and limit.currency == currency else None


def key_of(instance: str, account_id: str, selling_entity: str) -> str:
    """The key under which the ERP creates the customer of an account for an entity."""
    return f"enf-cus-{instance}-{account_id}-{selling_entity}"
