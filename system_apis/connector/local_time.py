"""system_apis: texts of a local clock as instants, and back. Pure."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

Row = Mapping[str, Any]
"""A row of a query, whose last change has the name `changed` and whose id, a number, the name `id`."""

_LONGEST_SHIFT = dt.timedelta(hours=2)  # a clock is put back by one hour, at one place by half of one


def instant_of(text: str, zone: dt.tzinfo) -> dt.datetime:
    """An instant from a text as `2026-05-01 07:25:37`, by the clock of a zone; raises ValueError.

    In the hour that comes twice when summer time ends it is the first of the two.
    """
    return dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).astimezone(dt.UTC)


def text_before(instant: dt.datetime, zone: dt.tzinfo) -> str:
    """A text no later than those of all instants from this one on.

    When summer time ends the clock goes back: a later change may have an earlier local time.
    """
    later = instant + _LONGEST_SHIFT
    now = instant.astimezone(zone).replace(tzinfo=None)
    put_back = later.astimezone(zone).replace(tzinfo=None) - _LONGEST_SHIFT
    return min(now, put_back).isoformat(" ", "seconds")


class Place(NamedTuple):
    """How far a list has been read: the last row's change, as the vendor wrote it, and its id."""

    changed: str
    id: int = 0

    @classmethod
    def of(cls, row: Row) -> "Place":
        return cls(row["changed"], int(row["id"]))

    @classmethod
    def at(cls, instant: dt.datetime, zone: dt.tzinfo) -> "Place":
        """Just before all changes at an instant or after it."""
        return cls(text_before(instant, zone))
