"""kit/database: whose rows the running work may see, by what its caller is bound to.

A list is restricted where it is read, so that its pages are whole and its cursors give nothing away. The
deployment's own work has no caller and sees all. Who is bound sees only what is known to belong to the
caller.
"""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, exists, false, or_, select

from kit import context
from kit.database.tables import events, exceptions, runs

Conditions = tuple[ColumnElement[bool], ...]


class Bounds(msgspec.Struct, frozen=True):
    """What the caller is bound to by its claims: the names that it may see, or None for all."""

    entities: tuple[str, ...] | None = None
    instances: tuple[str, ...] | None = None
    customers: tuple[str, ...] | None = None
    partners: tuple[str, ...] | None = None

    @property
    def free_in_an_instance(self) -> bool:
        """Whether the caller sees every row of the instances that it sees at all."""
        return self.entities is None and self.customers is None and self.partners is None

    @property
    def free(self) -> bool:
        """Whether the caller sees every row."""
        return self == _FREE


_FREE = Bounds()


def bounds() -> Bounds:
    """What the caller of the running work is bound to; nothing for the deployment's own work."""
    caller = context.current().caller
    if caller is None:
        return _FREE
    claims = caller.claims
    return Bounds(
        entities=_names(claims.get("entities")),
        instances=_names(claims.get("instance")),
        customers=_names(claims.get("customer")),
        partners=_names(claims.get("partner")),
    )


def _names(claim: Any) -> tuple[str, ...] | None:
    """A claim names one row or several."""
    if claim is None:
        return None
    return tuple(map(str, claim)) if isinstance(claim, list | tuple) else (str(claim),)


def own_runs() -> Conditions:
    """Which runs the caller may see: those of its legal entities, its instances and its customers."""
    bound = bounds()
    found: list[ColumnElement[bool]] = []
    if bound.entities is not None:
        found.append(runs.c.entity.in_(bound.entities))
    if bound.instances is not None:
        found.append(or_(false(), *(_touches(instance) for instance in bound.instances)))
    if bound.customers is not None:
        found.append(runs.c.customer.in_(bound.customers))
    if bound.partners is not None:
        found.append(false())  # no run is a partner's
    return tuple(found)


def _touches(instance: str) -> ColumnElement[bool]:
    """A run that began in an instance, or has made something there."""
    return runs.c.instances.contains([instance])


def own_exceptions() -> Conditions:
    """Which exceptions the caller may see: those of its runs."""
    return _of_own_runs(exceptions.c.workflow_id)


def own_events() -> Conditions:
    """Which events the caller may see: those that tell of its runs."""
    return _of_own_runs(events.c.run_id)


def _of_own_runs(run_id: ColumnElement[str]) -> Conditions:
    own = own_runs()
    return (exists(select(runs.c.id).where(runs.c.id == run_id, *own)),) if own else ()
