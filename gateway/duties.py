"""Duties: which duties a consumer's grants and roles amount to, and which of them conflict."""

import datetime as dt
from collections.abc import Iterable, Mapping

from contracts.duties import ConflictingDuties, Duties, Duty, Waiver
from gateway.plans import Consumer, grants
from kit import clock
from kit.operations import Bound, bind
from kit.settings import SettingsError


def operation_name(bound: Bound) -> str:
    """An operation as `duties.toml` names it, for instance ``process/exceptions@1.get_exception``."""
    return f"{bound.api.slug}.{bound.name}"


def refuse_conflicts(matrix: "Matrix", consumers: Mapping[str, Consumer]) -> None:
    """Raise SettingsError when a consumer holds conflicting duties."""
    if faults := [fault for name, one in consumers.items() for fault in matrix.refusals(name, one)]:
        raise SettingsError(faults)


def matrix_of(duties: Duties, interfaces: Iterable[type]) -> "Matrix":
    """The duties over the operations of some interfaces."""
    return Matrix(duties, (bound for interface in interfaces for bound in bind(interface)))


class Matrix:
    """The duties over all known operations; `today` decides which waivers are valid."""

    def __init__(self, duties: Duties, operations: Iterable[Bound], today: dt.date | None = None) -> None:
        self.duties = duties
        self._operations = {operation_name(bound): bound for bound in operations}
        self._today = today or clock.now().date()

    def held_by(self, consumer: Consumer) -> tuple[str, ...]:
        """The duties that a consumer holds."""
        return tuple(name for name, duty in self.duties.duties.items() if self._holds(consumer, duty))

    def _holds(self, consumer: Consumer, duty: Duty) -> bool:
        called = (self._operations.get(name) for name in duty.operations)
        return (
            any(bound is not None and may_call(consumer, bound) for bound in called)
            or any(_granted(consumer, scope) for scope in duty.scopes)
            or not set(duty.roles).isdisjoint(consumer.roles)
        )

    def pairs_of(self, name: str, consumer: Consumer) -> list[tuple[ConflictingDuties, Waiver | None]]:
        """The conflicting pairs that a consumer holds, each with its waiver, if there is one."""
        pairs = self.duties.held_together(self.held_by(consumer))
        return [(pair, self.duties.waiver(name, pair)) for pair in pairs]

    def holds_still(self, waiver: Waiver | None) -> bool:
        """Whether there is a waiver that has not expired."""
        return waiver is not None and self._today <= waiver.until

    def refusals(self, name: str, consumer: Consumer) -> list[str]:
        """Why a consumer is refused, a sentence for each pair; empty when it is not."""
        return [
            _refusal(name, pair, waiver)
            for pair, waiver in self.pairs_of(name, consumer)
            if not self.holds_still(waiver)
        ]


def may_call(consumer: Consumer, bound: Bound) -> bool:
    """Whether a consumer's grants and roles let it call an operation, whatever its rows."""
    roles = bound.operation.roles
    outside_may = bound.api.tier == "experience" and "outside" in bound.api.audiences
    return (
        grants(consumer.scopes, bound.scope)
        and (not roles or not set(roles).isdisjoint(consumer.roles))
        and (outside_may or not consumer.outside)
    )


def _granted(consumer: Consumer, scope: str) -> bool:
    """Whether any scope matches both a grant and a duty's pattern, of which any part may be ``*``."""
    parts = scope.split(".")
    if consumer.outside and parts[0] != "experience":
        return False
    return any(
        all(
            "*" in (mine, theirs) or mine == theirs
            for mine, theirs in zip(one.split("."), parts, strict=True)
        )
        for one in consumer.scopes
    )


def _refusal(name: str, pair: ConflictingDuties, waiver: Waiver | None) -> str:
    both = " and ".join(pair.duties)
    expired = f"; its waiver expired on {waiver.until}" if waiver is not None else ""
    return f"consumers.{name}: holds {both}, which no consumer may hold together ({pair.why}){expired}"
