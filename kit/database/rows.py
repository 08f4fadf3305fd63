"""kit/database: whose rows the running work may see, by what its caller is bound to.

A list is restricted where it is read, so that its pages are whole and its cursors give nothing away. The
deployment's own work has no caller and sees all. Who is bound sees only what is known to belong to the
caller: a dimension that a table does not declare hides all of its rows.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, exists, false, or_, select

from contracts.rows import DIMENSIONS, names_of
from kit import context

Conditions = tuple[ColumnElement[bool], ...]
Bounds = dict[str, tuple[str, ...]]
"""The names that a caller may see, by each dimension that binds it; empty for one that sees all."""


class Rows:
    """The owners of a table's rows: by dimension a column, a function from names to a condition, or None."""

    def __init__(
        self, **dimensions: ColumnElement[Any] | Callable[[tuple[str, ...]], ColumnElement[bool]] | None
    ) -> None:
        self.dimensions = dimensions

    def of(self, bound: Bounds) -> Conditions:
        """What holds of the rows that who is bound may see."""
        return tuple(self._condition(dimension, names) for dimension, names in bound.items())

    def _condition(self, dimension: str, names: tuple[str, ...]) -> ColumnElement[bool]:
        declared = self.dimensions.get(dimension)
        if declared is None:
            return false()
        return declared.in_(names) if isinstance(declared, ColumnElement) else declared(names)


class RowsOf(Rows):
    """Rows that belong to a row of another table, and are whosever that one is."""

    def __init__(self, key: Column[str], parent: Table) -> None:
        self._key = key
        self._parent = parent

    def of(self, bound: Bounds) -> Conditions:
        """What holds of the rows that who is bound may see."""
        if not bound:
            return ()
        identity = next(iter(self._parent.primary_key))
        whose = select(identity).where(identity == self._key, *own(self._parent, bound))
        return (exists(whose.correlate(self._key.table)),)


def any_in(column: ColumnElement[Any]) -> Callable[[tuple[str, ...]], ColumnElement[bool]]:
    """The condition that a column's JSON list has one of the names."""
    return lambda names: or_(false(), *(column.contains([name]) for name in names))


def bounds() -> Bounds:
    """What the caller of the running work is bound to; nothing for the deployment's own work."""
    caller = context.current().caller
    if caller is None:
        return {}
    claimed = {dimension: names_of(caller.claims, claim) for dimension, claim in DIMENSIONS.items()}
    return {dimension: names for dimension, names in claimed.items() if names is not None}


def own(table: Table, bound: Bounds | None = None) -> Conditions:
    """Which rows of a table the caller may see, or who is `bound`; every read of business rows applies it."""
    rows: Rows = table.info["rows"]
    return rows.of(bounds() if bound is None else bound)
