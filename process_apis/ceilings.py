"""Ceilings: amounts, one per currency, above which a person must approve."""

from collections.abc import Mapping
from decimal import Decimal

from contracts.canonical import currencies
from contracts.canonical.values import Money

Ceilings = Mapping[str, Decimal]


def require_currencies(name: str, ceilings: Ceilings) -> None:
    """That a setting's ceilings are in currencies; raises ValueError."""
    for code in ceilings:
        if not currencies.is_code(code):
            raise ValueError(f"{name}.{code}: {code} is no currency of ISO 4217")


def why_above(what: str, amount: Money, ceilings: Ceilings) -> str:
    """Why an amount must be approved, in a sentence; empty where it need not be."""
    ceiling = ceilings.get(amount.currency)
    if ceiling is None:
        return f"No ceiling is set for {what}s in {amount.currency}."
    if amount.amount > ceiling:
        return f"The {what} of {amount.amount:,} {amount.currency} is above {ceiling:,} {amount.currency}."
    return ""
