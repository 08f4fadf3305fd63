"""Which kind of exception a problem becomes, and what every flow's steps share."""

from collections.abc import Awaitable, Mapping
from typing import TypeVar

import msgspec

from contracts.canonical.exception import ExceptionKind
from contracts.problems import NotFound, Problem

T = TypeVar("T")

# Every create goes out under a key that the vendor itself keeps unique, so a request that was lost and
# commits late meets the same object: nothing need be waited out before it is sent again.
WAIT_OUT_SECONDS = 0.0

# What was read longer ago is read again before an effect rests on it: somebody may have thought meanwhile.
FRESH_SECONDS = 10.0

_KINDS: dict[str, ExceptionKind] = {
    "vendor_rejected": "vendor_rejected",
    "vendor_unavailable": "vendor_unavailable",
    "vendor_doubtful": "vendor_unavailable",
    "unavailable": "vendor_unavailable",
    "deadline_exceeded": "vendor_unavailable",
    "contract_violation": "contract_violation",
    "ownership_violation": "ownership_violation",
    "activation_blocked": "missing_master_data",
    "not_found": "missing_master_data",
    "invalid": "missing_master_data",
}


def exception_kind(problem: Problem) -> ExceptionKind:
    """The kind of exception that a problem becomes."""
    return _KINDS.get(problem.code, "policy_violation")


# What every draft may carry beside fields that somebody owns: what they are made of, and the firm's own.
_UNOWNED = frozenset({"lines", "custom", "currency", "pricing_model", "service_line", "region"})


def written(draft: msgspec.Struct, names: Mapping[str, str] | None = None) -> list[str]:
    """The owned fields that a draft would write, under the names of the ownership file."""
    called = names or {}
    return [called.get(name, name) for name in msgspec.structs.asdict(draft) if name not in _UNOWNED]


async def found_or_none(reading: Awaitable[T]) -> T | None:
    """What was read, None when there is no such thing."""
    try:
        return await reading
    except NotFound:
        return None
