"""kit/postings: a batch's checkpoint: count and sum by currency, of what was sent and acknowledged."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from contracts.canonical.values import Money
from kit.texts import counted


class Side(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many records, and their sum in each currency."""

    count: int = 0
    sums: dict[str, Decimal] = {}

    @classmethod
    def of(cls, amounts: Iterable[Money | None]) -> "Side":
        """So many records, of these amounts; None is of a record that has none."""
        count, sums = 0, defaultdict[str, Decimal](Decimal)
        for amount in amounts:
            count += 1
            if amount is not None:
                sums[amount.currency] += amount.amount
        return cls(count, dict(sorted(sums.items())))

    def __add__(self, other: "Side") -> "Side":
        sums: dict[str, Decimal] = {
            currency: self.sums.get(currency, Decimal(0)) + other.sums.get(currency, Decimal(0))
            for currency in sorted({*self.sums, *other.sums})
        }
        return Side(self.count + other.count, sums)

    def __str__(self) -> str:
        sums = "".join(f", {currency} {amount:,}" for currency, amount in self.sums.items())
        return f"{counted(self.count, 'record')}{sums}"


class Totals(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has been settled of a batch.

    `sent` is what we sent and was not refused, `acknowledged` what the target says it made, both over the
    same records. `unexpected` counts keys of answers that were not sent, or came twice.
    """

    sent: Side = Side()
    acknowledged: Side = Side()
    refused: Side = Side()
    unexpected: dict[str, int] = {}

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.sent + other.sent,
            self.acknowledged + other.acknowledged,
            self.refused + other.refused,
            dict(Counter(self.unexpected) + Counter(other.unexpected)),
        )

    def faults(self, records: int) -> tuple[str, ...]:
        """Why a batch of so many records does not balance; nothing when it does."""
        faults: list[str] = []
        if self.sent.count + self.refused.count != records:
            faults.append(f"{records} records were claimed, {self.sent.count + self.refused.count} settled.")
        if self.sent != self.acknowledged:
            faults.append(f"Sent: {self.sent}; acknowledged: {self.acknowledged}.")
        if self.unexpected:
            faults.append(f"Answered for without being sent once: {', '.join(sorted(self.unexpected))}.")
        return tuple(faults)
