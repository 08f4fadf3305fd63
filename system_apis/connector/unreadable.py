"""system_apis: one record of a list that is off its vendor's schema, while the others read well. Pure.

What lacks an id or the instant of its last change is no record: then the whole answer is off its schema.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import msgspec

from contracts.canonical.values import LeftOut
from contracts.events.kinds import RECORD_UNREADABLE, RecordChanged
from contracts.problems import ContractViolation
from kit.http import VendorAnswer
from system_apis.connector.change import Change
from system_apis.connector.values import second_of

H = TypeVar("H")
R = TypeVar("R")
T = TypeVar("T")
Stamp = tuple[dt.datetime, str]  # a record's last change, and its id


class Unreadable(NamedTuple):
    """Such a record: its id, its last change, and what is wrong with it, without a value of it."""

    id: str
    at: dt.datetime
    why: str

    def left_out(self) -> LeftOut:
        """As a list names it."""
        return LeftOut(self.id, self.why)

    def change(self, instance: str, noun: str) -> Change:
        """As a poll reports it, once for each state of the record: a person gets a case about it."""
        changed = RecordChanged(instance, noun, self.id, values={"why": self.why}, changed_at=self.at)
        dedupe_id = f"unreadable:{noun}:{self.id}:{second_of(self.at)}"
        return Change(dedupe_id, RECORD_UNREADABLE, changed, self.at)


def why_of(error: Exception) -> str:
    """What is wrong with a record, without a value of it."""
    return str(error) if isinstance(error, msgspec.ValidationError) else type(error).__name__


def record_in(
    answer: VendorAnswer, raw: msgspec.Raw, read: Callable[[], R], head: type[H], stamp: Callable[[H], Stamp]
) -> R | Unreadable:
    """One record of an answer by its `read`, or that it is off its schema.

    `head` is what it must have to be known as one; raises ContractViolation where it has not even that.
    """
    try:
        return read()
    except msgspec.ValidationError as error:
        try:
            at, ident = stamp(answer.part(raw, head))
        except ValueError as worse:
            raise answer.violation(why_of(worse)) from None
        return Unreadable(ident, at, why_of(error))


def converted(
    rows: Iterable[R | Unreadable], convert: Callable[[R], T], stamp: Callable[[R], Stamp]
) -> tuple[list[T], list[Unreadable]]:
    """The rows as nouns, and those that are none: also a row whose values our mapping cannot read."""
    nouns: list[T] = []
    odd: list[Unreadable] = []
    for row in rows:
        if isinstance(row, Unreadable):
            odd.append(row)
            continue
        try:
            nouns.append(convert(row))
        except ContractViolation as problem:
            at, ident = stamp(row)
            odd.append(Unreadable(ident, at, problem.detail))
    return nouns, odd


def listed(
    rows: Iterable[R | Unreadable], convert: Callable[[R], T], stamp: Callable[[R], Stamp]
) -> tuple[tuple[T, ...], tuple[LeftOut, ...]]:
    """The rows of a list as nouns, and what is left out of them."""
    nouns, odd = converted(rows, convert, stamp)
    return tuple(nouns), tuple(each.left_out() for each in odd)
