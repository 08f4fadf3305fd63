"""The dimensions by which a caller is bound to rows, and the claim of its token that binds it to each."""

from collections.abc import Mapping
from typing import Any

DIMENSIONS = {"entity": "entities", "instance": "instance", "customer": "customer", "partner": "partner"}
"""A dimension that a table does not declare shows none of its rows to who is bound by it."""


def names_of(claims: Mapping[str, Any], claim: str) -> tuple[str, ...] | None:
    """The names to which a claim binds its caller: one, or several of a list; None without the claim.

    One that is there without a name, such as null, binds to nothing: its caller sees no row.
    """
    if claim not in claims:
        return None
    value = claims[claim]
    names = value if isinstance(value, list | tuple) else (value,)
    return tuple(str(name) for name in names if isinstance(name, str | int) and str(name))
