"""Who may be the same firm, when finance must be asked, and what the ERP is told of a new customer."""

from decimal import Decimal
from itertools import zip_longest

import msgspec

from contracts.canonical import countries, currencies, matching
from contracts.canonical.customer import Customer, CustomerDraft
from contracts.canonical.project import ClientDraft
from contracts.canonical.values import Address, Money
from contracts.problems import Fault
from contracts.process.customer_master import CustomerProposal, DuplicateCandidate

SCORES: dict[matching.Likeness, int] = {"tax_number": 100, "name": 80, "domain": 60}
_REASONS: dict[matching.Likeness, str] = {
    "tax_number": "same tax number",
    "name": "same name",
    "domain": "same internet domain",
}
_DUPLICATES = "Possible duplicates"


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When finance is asked before a customer is created; the limit is per currency."""

    approve_credit_limit_above: dict[str, Decimal] = {}
    duplicate_score: int = 60
    approve_within_hours: float = 24

    def __post_init__(self) -> None:
        for code in self.approve_credit_limit_above:
            if not currencies.is_code(code):
                raise ValueError(f"approve_credit_limit_above.{code}: {code} is no currency of ISO 4217")


def questions(account: Customer) -> list[tuple[str | None, str | None, str | None]]:
    """What to look for in the ERP (name, tax number, domain): one question, or more where it has several."""
    known = (
        list(dict.fromkeys(name for name in (account.legal_name, account.trading_name) if name)),
        [each.number for each in account.tax_registrations],
        list(matching.domains(account)),
    )
    return list(zip_longest(*known))


def candidates(account: Customer, found: list[tuple[str, Customer]]) -> tuple[DuplicateCandidate, ...]:
    """ERP customers (instance, customer) that may be the same firm, the likeliest first."""
    scored = [_candidate(account, instance, customer) for instance, customer in found]
    return tuple(sorted((c for c in scored if c.score), key=lambda c: (-c.score, c.customer_id)))


def _candidate(account: Customer, instance: str, other: Customer) -> DuplicateCandidate:
    alike = matching.likeness(account, other)
    return DuplicateCandidate(
        instance=instance,
        customer_id=other.id,
        legal_name=other.legal_name,
        score=max((SCORES[each] for each in alike), default=0),
        reasons=tuple(_REASONS[each] for each in alike),
        selling_entity=other.selling_entity,
    )


def _described(candidate: DuplicateCandidate, entity: str) -> str:
    """A candidate as all who see the request may know it: by name if it is of the same legal entity."""
    if candidate.selling_entity in (entity, ""):
        return f"the ERP customer {candidate.legal_name} ({candidate.customer_id})"
    return "a customer of another legal entity"


def why_ask_finance(
    account: Customer, found: tuple[DuplicateCandidate, ...], policy: Policy, entity: str
) -> tuple[str, ...]:
    """The reasons for which a person must approve, in sentences; empty when nobody need be asked."""
    reasons = [
        f"It may be {_described(c, entity)}: {', '.join(c.reasons)}."
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


def account_faults(account: Customer) -> tuple[Fault, ...]:
    """What the ERP cannot be told of the account, a sentence each."""
    given = account.billing_address.country if account.billing_address else ""
    if not given or countries.code_of(given):
        return ()
    detail = (
        f"The billing country of {account.legal_name} is “{given}”, which is no country that we know. "
        "Put the country's English name or its code of two letters (ISO 3166) on the account."
    )
    owner = "the account's owner in the CRM"
    return (Fault("/billing_address/country", detail, "unknown", field="Billing country", fixed_by=owner),)


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
        _DUPLICATES: "; ".join(_described(one, entity) for one in found) or "none",
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
        billing_address=_with_country_code(account.billing_address),
        tax_registrations=account.tax_registrations,
        credit_limit=_in_currency(account.credit_limit, proposal.currency),
        email=account.email,
    )


def _with_country_code(address: Address | None) -> Address | None:
    if address is None:
        return None
    return msgspec.structs.replace(address, country=countries.code_or_text(address.country))


def _in_currency(limit: Money | None, currency: str) -> Money | None:
    # A limit in another currency is finance's to convert, never ours.
    return limit if limit is not None and limit.currency == currency else None


def key_of(instance: str, account_id: str, selling_entity: str) -> str:
    """The key under which the ERP creates the customer of an account for an entity."""
    return f"enf-cus-{instance}-{account_id}-{selling_entity}"
