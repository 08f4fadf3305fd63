"""Compares an account with what finance approved: while it decides, and when the next deal comes. Pure."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from contracts.canonical import countries
from contracts.canonical.customer import Customer, amount_in_words, in_words
from contracts.canonical.matching import DuplicateCandidate
from contracts.canonical.values import Money
from process_apis.ceilings import why_above

_DUPLICATES = "Possible duplicates"


class Proposed(msgspec.Struct, frozen=True):
    """The account as it was proposed, and which ERP customers may be the same firm.

    In runs of an earlier version the time and the legal entity are missing.
    """

    account: Customer
    candidates: tuple[DuplicateCandidate, ...]
    reasons: tuple[str, ...]
    looked_at: dt.datetime | None = None
    entity: str = ""

    def difference(self, now: "Proposed") -> tuple[dict[str, str], dict[str, str]]:
        """What finance decides on and is another now, by its name: as it was, and as it is."""
        old, new = (in_words(one.account) | {_DUPLICATES: one.duplicates(now.entity)} for one in (self, now))
        names = [name for name in old if old[name] != new[name]]
        # Two customers of another legal entity are described alike.
        if self.candidates != now.candidates and _DUPLICATES not in names:
            names.append(_DUPLICATES)
        return {name: old[name] for name in names}, {name: new[name] for name in names}

    def duplicates(self, entity: str) -> str:
        """The candidates as all who see the request may know them."""
        return "; ".join(described(one, entity) for one in self.candidates) or "none"


def described(candidate: DuplicateCandidate, entity: str) -> str:
    """A candidate as all who see the request may know it: by name if it is of the same legal entity."""
    if candidate.is_of(entity):
        return f"the ERP customer {candidate.legal_name} ({candidate.customer_id})"
    return "a customer of another legal entity"


class AccountFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of an account decides on whether, and how, its firm is sold to."""

    country: str = ""
    credit_limit: Money | None = None

    @classmethod
    def of(cls, account: Customer) -> "AccountFacts":
        """Those of an account as it is."""
        address = account.billing_address
        country = countries.code_or_text(address.country) if address is not None else ""
        return cls(country, account.credit_limit)


def changes(
    before: AccountFacts, now: AccountFacts, ceilings: Mapping[str, Decimal]
) -> tuple[dict[str, str], dict[str, str]]:
    """What finance would decide otherwise, by its name: as it was accepted, and as it is now.

    That is another country, and a credit limit that was raised above the ceiling of its currency.
    """
    names: dict[str, tuple[str, str]] = {}
    if before.country and now.country and before.country != now.country:
        names["Billing country"] = (before.country, now.country)
    limit = now.credit_limit
    raised = limit is not None and _is_raised(before.credit_limit, limit)
    if limit is not None and raised and why_above("credit limit", limit, ceilings):
        names["Credit limit"] = (amount_in_words(before.credit_limit), amount_in_words(limit))
    return {name: old for name, (old, _) in names.items()}, {name: new for name, (_, new) in names.items()}


def _is_raised(before: Money | None, now: Money) -> bool:
    return before is None or before.currency != now.currency or now.amount > before.amount
