"""Which kind of exception a problem becomes, and what every flow's steps share."""

from contracts.canonical.exception import ExceptionKind
from contracts.problems import Problem

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
UNOWNED = frozenset({"lines", "custom", "currency", "pricing_model", "service_line", "region"})
