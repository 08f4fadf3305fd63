"""system_apis: code maps: the account's value → our code, and back. Pure.

A map has one direction, as the account's administrator reads it. Where we write, the inverse is computed: it
must be unambiguous, which the profile is asked when it is read. One of the account's values may stand for
several of our codes (`"22" = ["US-SERVICES", "EXPORT"]`); it is read as the first.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeVar

from contracts.problems import ContractViolation
from system_apis.connector.refusals import unmapped

K = TypeVar("K", bound=str)
C = TypeVar("C", bound=str)

Codes = dict[str, str | tuple[str, ...]]
"""The account's value → our code; an empty map: the account's values are our codes."""


def code_of(codes: Mapping[K, str | tuple[str, ...]], value: str | None) -> str:
    """Our code of the account's value; empty where the map has none."""
    if not codes or not value:
        return value or ""
    return next(_ours(codes.get(value, "")), "")  # pyright: ignore[reportArgumentType, reportCallIssue]


def inverse(codes: Mapping[K, str | tuple[str, ...]]) -> dict[str, K]:
    """Our code → the account's value."""
    return {code: value for value, ours in codes.items() for code in _ours(ours)}


def value_of(codes: Mapping[K, str | tuple[str, ...]], code: str) -> str:
    """The account's value of our code; empty where the map has none."""
    return inverse(codes).get(code, "") if codes else code


def written(
    codes: Mapping[K, str | tuple[str, ...]], code: str, place: str, table: str, instance: str
) -> str:
    """The account's value of our code, for a request; raises VendorRejected where the profile has none."""
    if value := value_of(codes, code):
        return value
    raise unmapped(f"[{table}] of the profile of {instance} has no value for {code!r}", place, instance)


def ambiguous(codes: Mapping[K, str | tuple[str, ...]], table: str) -> Iterator[str]:
    """A fault for each code that two of the account's values stand for: we could not choose one to write."""
    seen: dict[str, str] = {}
    for value, ours in codes.items():
        for code in _ours(ours):
            if code in seen:
                yield f"[{table}] has two values for {code!r}: {seen[code]!r} and {value!r}"
            seen[code] = value


def strays(
    codes: Mapping[K, str | tuple[str, ...]], table: str, known: Collection[str] | Callable[[str], bool]
) -> Iterator[str]:
    """A fault for each code that is none of ours."""
    is_known = known if callable(known) else known.__contains__
    for value, ours in codes.items():
        for code in _ours(ours):
            if not is_known(code):
                yield f"[{table}] {value!r} leads to {code!r}, which is no code of ours"


def known_code(codes: Mapping[str, C], value: str, what: str, instance: str) -> C:
    """Our code of a vendor's fixed value; raises ContractViolation for one that its documentation lacks."""
    if value not in codes:
        raise ContractViolation(f"{what} has the unknown status {value!r}", instance=instance)
    return codes[value]


def _ours(ours: str | tuple[str, ...]) -> Iterator[str]:
    yield from (filter(None, [ours]) if isinstance(ours, str) else ours)
