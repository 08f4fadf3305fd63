"""Duties: which duties one person may not combine, by the firm's `duties.toml`, and how a case is judged."""

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import SegregationOfDuties

DutyName = Annotated[str, Meta(pattern=r"^[a-z][a-z\-]{1,62}$")]


class Duty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a person does, or is entitled to.

    `title` completes the sentence “one person may …”. A caller that may call one of the `operations`
    (``process/customer-master@1.decide_request``), was granted one of the `scopes` or has one of the `roles`
    holds the duty. A duty without any of these cannot be held, only exercised on a case.
    """

    title: Annotated[str, Meta(min_length=3)]
    operations: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class ConflictingDuties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two duties that one person may not exercise on the same case, nor hold together unless `held`."""

    duties: tuple[DutyName, DutyName]
    why: Annotated[str, Meta(min_length=10)]
    held: bool = False


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A holder who may hold these duties together for a time; on one case they stay apart even so."""

    holder: str
    duties: Annotated[tuple[DutyName, ...], Meta(min_length=2)]
    reason: Annotated[str, Meta(min_length=10)]
    until: dt.date


class Duties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The matrix: all duties by name, the pairs that conflict, and who may hold a pair for a time."""

    duties: dict[DutyName, Duty]
    conflicts: tuple[ConflictingDuties, ...]
    waivers: tuple[Waiver, ...] = ()

    def __post_init__(self) -> None:
        if any(first == second for first, second in (pair.duties for pair in self.conflicts)):
            raise ValueError("a duty cannot conflict with itself")

    def between(self, first: str, second: str) -> ConflictingDuties | None:
        """The pair of two conflicting duties, in either order; None where they do not conflict."""
        return next((pair for pair in self.conflicts if set(pair.duties) == {first, second}), None)

    def held_together(self, held: Iterable[str]) -> list[ConflictingDuties]:
        """The pairs among some duties that one person may not hold together."""
        pairs = (self.between(*two) for two in combinations(held, 2))
        return [pair for pair in pairs if pair is not None and not pair.held]

    def waiver(self, holder: str, pair: ConflictingDuties) -> Waiver | None:
        """The waiver of a pair for a holder that holds out longest."""
        matching = [
            one for one in self.waivers if one.holder == holder and set(pair.duties) <= set(one.duties)
        ]
        return max(matching, key=lambda one: one.until, default=None)

    def require_different_person(
        self, doing: str, person: Iterable[str], done: Mapping[str, Iterable[str]]
    ) -> None:
        """Require that one person does not exercise two conflicting duties on a case.

        `person` are the names under which the doer may be stored; `done` names the persons by the duty which
        they exercised on the case. Raises SegregationOfDuties.
        """
        names = {name for name in person if name}
        for duty, persons in done.items():
            pair = self.between(doing, duty)
            if pair is not None and not names.isdisjoint(persons):
                both = f"{self.duties[duty].title} and {self.duties[doing].title}"
                raise SegregationOfDuties(f"One person may not both {both}: {pair.why}")
