"""Currencies: the codes of ISO 4217 with their minor units, and amounts in whole ones of them."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from contracts.canonical.values import Money

_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ
GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD
RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ZWL
"""
_OTHERS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_UNITS: dict[str, int] = dict.fromkeys(_TWO.split(), 2) | {
    code: digits for digits, codes in _OTHERS.items() for code in codes.split()
}
"""How many decimals each currency has: yen none, dinars three.

The table that the agency of ISO 4217 publishes (list one, as of 2026-01-01), and withdrawn currencies,
in which old records are: a test compares.
"""

_UNKNOWN = 2


def is_code(text: str) -> bool:
    """Whether a text is a code of ISO 4217 in which one can pay."""
    return text in MINOR_UNITS


def unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 1 yen, 0.01 euro, 0.001 dinar."""
    return Decimal(1).scaleb(-MINOR_UNITS.get(currency, _UNKNOWN))


def is_payable(money: Money) -> bool:
    """Whether the amount is of whole minor units: half a yen cannot be paid."""
    return money.amount % unit(money.currency) == 0


def shown(money: Money) -> Money:
    """The same amount with as many decimals as its currency has; a finer one is returned unchanged."""
    amount = Decimal(format(money.amount, "f"))
    if not is_payable(money):
        return Money(amount.normalize() if amount.as_tuple().exponent else amount, money.currency)
    return Money(amount.quantize(unit(money.currency)), money.currency)


def rounded(money: Money) -> Money:
    """The amount in whole minor units, half to even."""
    return Money(money.amount.quantize(unit(money.currency), ROUND_HALF_EVEN), money.currency)


def shared_out(total: Money, shares: Sequence[Decimal]) -> tuple[Money, ...]:
    """The total by shares, in whole minor units that add up to it; the largest remainders get what is left.

    A part that comes to less than one minor unit may be zero. Of a total that is finer than its currency, the
    last part that is not zero carries the rest.
    """
    smallest, whole = unit(total.currency), sum(shares, Decimal(0))
    exact = [total.amount * share / whole for share in shares]
    parts = [each.quantize(smallest, ROUND_FLOOR) for each in exact]
    left = int((total.amount - sum(parts, Decimal(0))) / smallest)
    by_remainder = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))
    for at in by_remainder[:left]:
        parts[at] += smallest
    parts[-1] += total.amount - sum(parts, Decimal(0))
    return tuple(Money(part, total.currency) for part in parts)
