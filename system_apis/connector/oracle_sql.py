"""system_apis: queries in Oracle's SQL for rows by last change, by a local clock. Pure.

Not every account accepts bound parameters, so values are in the text: numbers are converted first, texts are
quoted by `literal`, and column names are checked when the profile is read.
"""
# ruff: noqa: S608 - see above

from collections.abc import Iterable
from typing import Literal, NamedTuple

from system_apis.connector.firm_search import literal
from system_apis.connector.local_time import Place
from system_apis.connector.profile import Names

Order = Literal["ASC", "DESC"]
_FORMAT = "'YYYY-MM-DD HH24:MI:SS'"
_TEXT = f"TO_CHAR(lastmodifieddate, {_FORMAT})"
_CHANGED = f"{_TEXT} AS changed"


class RowSource(NamedTuple):
    """The rows of a table that meet the `conditions`; each has an `id`, a number, and its last change."""

    table: str
    columns: tuple[str, ...] = ("id",)
    conditions: tuple[str, ...] = ()

    def after(self, place: Place | None, limit: int) -> str:
        """The next rows by last change, from the beginning or strictly after a place."""
        where = _where(" AND ".join([*self.conditions, *_after(place)]))
        return f"{self._select(self.columns)}{where} ORDER BY {_TEXT}, id{_first(limit)}"

    def outermost(self, order: Order = "DESC") -> str:
        """The row that changed last, or first."""
        where = _where(" AND ".join(self.conditions))
        return f"{self._select(('id',))}{where} ORDER BY lastmodifieddate {order}, id {order}{_first(1)}"

    def any_of(self, conditions: Iterable[str], limit: int) -> str:
        """The rows that meet one of some conditions."""
        return f"{self._select(self.columns)}{_where(' OR '.join(conditions))} ORDER BY id{_first(limit)}"

    def _select(self, columns: Iterable[str]) -> str:
        return f"SELECT {', '.join([*columns, _CHANGED])} FROM {self.table}"


def columns(names: str, fields: Names) -> tuple[str, ...]:
    """Some columns with the account's own ones, each once."""
    return tuple(dict.fromkeys([*names.split(), *(field.lower() for field in fields.named().values())]))


def numbers(ids: Iterable[str]) -> str:
    """A list of ids that are whole numbers; raises ValueError for another."""
    return ", ".join(sorted({str(int(ident)) for ident in ids}))


def whole_table(table: str, column: str) -> str:
    return f"SELECT id, {column} FROM {table}{_first(1000)}"


def count(table: str) -> str:
    return f"SELECT COUNT(*) AS n FROM {table}"


def by_ids(table: str, column: str, ids: Iterable[str]) -> str:
    """The names of some records."""
    return f"SELECT id, {column} AS name FROM {table} WHERE id IN ({numbers(ids)})"


def _first(limit: int) -> str:
    return f" FETCH FIRST {limit} ROWS ONLY"


def _where(condition: str) -> str:
    return f" WHERE {condition}" if condition else ""


def _after(place: Place | None) -> list[str]:
    """Strictly after a place. The text is compared, because the column may be finer than seconds."""
    if place is None:
        return []
    at = literal(place.changed)
    return [
        f"lastmodifieddate >= TO_TIMESTAMP({at}, {_FORMAT})",
        f"({_TEXT} > {at} OR ({_TEXT} = {at} AND id > {place.id}))",
    ]
