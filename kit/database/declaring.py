"""kit/database: what a table declares beside itself: whose its rows are, how long they stay, who is named."""

import msgspec
from sqlalchemy import ColumnElement, Table

from kit.database.rows import Rows


class Expiry(msgspec.Struct, frozen=True):
    """When rows are deleted: so many days, as `rule` of `retention.toml` says, after the instant in `age`.

    A row stays while a legal hold names it in one of `held_by`, and until `ended` holds.
    """

    rule: str
    age: str
    held_by: tuple[str, ...] = ()
    ended: ColumnElement[bool] | None = None


_declared: list[Table] = []


def declare(
    table: Table, *, rows: Rows | None, retention: Expiry | str, personal: tuple[str, ...] = ()
) -> None:
    """Declare what holds of a table's rows.

    `rows` is None where no caller reads them by business dimension; `retention` is the reason where their age
    alone does not delete them; `personal` are the columns that name a person, or that may in a document.
    """
    table.info.update(rows=rows, retention=retention, personal=personal)
    _declared.append(table)


def declared() -> tuple[Table, ...]:
    """Every table that has been declared by the modules that are loaded, in that order."""
    return tuple(_declared)
