"""Sums of the NetSuite stand-in: lines, tax, totals, and what customers owe; Decimal throughout."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.core import Account
from sandbox.netsuite.problems import invalid_value
from sandbox.netsuite.schema import TYPES
from sandbox.netsuite.store import Record, table

ZERO = Decimal(0)


def dec(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))


def round_to(account: Account, amount: Decimal, currency_id: str) -> Decimal:
    currency = table(account, TYPES["currency"]).get(currency_id, {})
    places = int((currency.get("currencyPrecision") or {"id": "2"})["id"])
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def check_payable(account: Account, amount: Any, currency_id: str, path: str) -> None:
    """Raises: Refusal, for an amount with more decimals than its currency has, as half a yen."""
    if amount is not None and dec(amount) != round_to(account, dec(amount), currency_id):
        raise invalid_value(path)


def exchange_rate(account: Account, currency_id: str, subsidiary_id: str) -> Decimal:
    """Units of the subsidiary's currency per unit of this one; the table has all rates against one base."""
    currencies = table(account, TYPES["currency"])
    own = table(account, TYPES["subsidiary"])[subsidiary_id]["currency"]["id"]
    rate = dec(currencies[currency_id]["exchangeRate"]) / dec(currencies[own]["exchangeRate"])
    return rate.quantize(Decimal("0.000001")).normalize() + ZERO


def line_amounts(account: Account, line: Record, currency_id: str, sent: set[str]) -> None:
    """Quantity, rate and amount of a line; what was sent last wins, an amount over a rate."""
    line.setdefault("quantity", 1)
    quantity = dec(line["quantity"])
    if "amount" in sent and line.get("amount") is not None:
        line["amount"] = round_to(account, dec(line["amount"]), currency_id)
        if "rate" not in sent and quantity:
            line["rate"] = (line["amount"] / quantity).quantize(Decimal("0.00000001")).normalize() + ZERO
    elif line.get("rate") is not None:
        line["amount"] = round_to(account, quantity * dec(line["rate"]), currency_id)
    else:
        line["amount"] = round_to(account, ZERO, currency_id)


def totals(account: Account, record: Record) -> None:
    """Subtotal, tax and total from the lines."""
    currency_id = record["currency"]["id"]
    lines = (record.get("item") or {}).get("items", [])
    record["subtotal"] = round_to(account, sum((dec(line["amount"]) for line in lines), ZERO), currency_id)
    tax = sum((dec(line["amount"]) * tax_rate(account, line) / 100 for line in lines), ZERO)
    record["taxTotal"] = round_to(account, tax, currency_id)
    record["discountTotal"] = round_to(account, ZERO, currency_id)
    record["total"] = record["subtotal"] + record["taxTotal"]


def tax_rate(account: Account, line: Record) -> Decimal:
    code = (line.get("taxCode") or {}).get("id")
    return dec(table(account, TYPES["salesTaxItem"]).get(code, {}).get("rate")) if code else ZERO


def derived(account: Account, record: Record) -> Record:
    """A customer with its balances, worked out from its open transactions."""
    ident = record["id"]
    invoices = [r for r in table(account, TYPES["invoice"]).values() if r["entity"]["id"] == ident]
    orders = [r for r in table(account, TYPES["salesOrder"]).values() if r["entity"]["id"] == ident]
    today = account.clock.now().date().isoformat()
    return {
        **record,
        "balance": sum((dec(r["amountRemaining"]) for r in invoices), ZERO),
        "overdueBalance": sum(
            (dec(r["amountRemaining"]) for r in invoices if r.get("dueDate", today) < today), ZERO
        ),
        "unbilledOrders": sum((_unbilled(line) for r in orders for line in r["item"]["items"]), ZERO),
    }


def _unbilled(line: Record) -> Decimal:
    if line.get("isClosed"):
        return ZERO
    quantity = dec(line["quantity"])
    open_share = (quantity - dec(line.get("quantityBilled"))) / quantity if quantity else ZERO
    return (dec(line["amount"]) * open_share).quantize(Decimal("0.01"))
