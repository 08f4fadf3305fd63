"""The dimensions by which a caller is bound to rows, and the claim of its token that binds it to each."""

from collections.abc import Mapping
from typing import Any

DIMENSIONS = {"entity": "entities", "instance": "instance", "customer": "customer", "partner": "partner"}
"""A dimension that a table does not declare shows none of its rows to who is bound by it."""


_MOST = 10**18  # Python writes out no number of thousands of digits


def names_of(claims: Mapping[str, Any], claim: str) -> tuple[str, ...] | None:
    """The names to which a claim binds its caller: one, or several of a list; None without the claim.

    One that is there without a name, such as null or true, binds to nothing: its caller sees no row.
    """
    if claim not in claims:
        return None
    value = claims[claim]
    names = value if isinstance(value, list | tuple) else (value,)
    return tuple(name for name in map(name_of, names) if name)


def name_of(value: Any) -> str:
    """The name that a value states, a whole number by its digits; empty where it is none.

    Claims and requests are read alike: 42 and "42" name one row.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < _MOST else ""
    return value if isinstance(value, str) else ""
