"""What differs between the terms of a deal as they were decided on and as they are now, in people's words."""

from collections.abc import Collection
from decimal import Decimal

from contracts.canonical.customer import amount_in_words
from contracts.canonical.opportunity import OpportunityLine
from contracts.canonical.values import Money
from process_apis.flows.opportunity_to_project.rules.terms import Terms

AMOUNT = "Amount"
# The terms on which contract and project rest, as people call them. A deal's mere name is none.
COMPARED = {
    "account_id": "Account",
    "value": AMOUNT,
    "lines": "Products",
    "selling_entity": "Selling entity",
    "pricing_model": "Pricing model",
    "service_line": "Service line",
    "region": "Delivery region",
    "template": "Delivery template",
    "rate_card": "Rate card",
    "payment_terms": "Payment terms",
    "tax_profile": "Tax profile",
    "start": "Expected start",
    "end": "Expected end",
}
# What a term is called in a person's corrections, and what follows from a corrected one.
_CORRECTED = {
    "customer_id": ("account_id", "tax_profile"),
    "region": ("region", "selling_entity", "tax_profile"),
    "service_line": ("service_line", "selling_entity", "tax_profile"),
    "delivery_template": ("template",),
    "expected_start": ("start",),
    "expected_end": ("end",),
}


def differences(
    before: Terms, after: Terms, corrected: Collection[str] = ()
) -> tuple[dict[str, str], dict[str, str]]:
    """Every term that differs, by its name: as it was, and as it is; both empty where none does.

    A term that a person `corrected` differs on purpose, and is left out.
    """
    wanted = {term for name in corrected for term in _CORRECTED.get(name, (name,))}
    names = [
        name for name in COMPARED if name not in wanted and getattr(before, name) != getattr(after, name)
    ]
    return {COMPARED[name]: _shown(before, name) for name in names}, {
        COMPARED[name]: _shown(after, name) for name in names
    }


def _shown(terms: Terms, name: str) -> str:
    value = getattr(terms, name)
    if name == "account_id":
        return f"{terms.account_name} ({value})"
    if name == "lines":
        return "; ".join(_line(line) for line in value) or "none"
    if isinstance(value, Money):
        return amount_in_words(value)
    return str(value).replace("_", " ") if name == "pricing_model" else str(value)


def _line(line: OpportunityLine) -> str:
    what = line.description or line.product or line.id
    return f"{_plain(line.quantity)} × {what}, {amount_in_words(line.total)}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
