"""An exception: a business case that software may not decide alone and that waits for a person."""

import hashlib
from typing import Literal

import msgspec

from contracts.canonical.values import Id, Instant
from contracts.problems import (
    ContractViolation,
    DeadlineExceeded,
    Fault,
    Invalid,
    NotFound,
    OwnershipViolation,
    Problem,
    TooManyRequests,
    Unavailable,
    VendorDoubtful,
    VendorRejected,
    VendorUnavailable,
)

ExceptionKind = Literal[
    "missing_master_data",
    "mapping_conflict",
    "duplicate_candidate",
    "ownership_violation",
    "policy_violation",
    "approval_required",
    "period_closed",
    "retroactive_change",
    "amount_mismatch",
    "vendor_rejected",
    "vendor_unavailable",
    "contract_violation",
    "overbooking",
    "unbalanced_reconciliation",
]
ExceptionStatus = Literal["open", "resolved", "skipped"]


class BusinessException(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stopped, why, and what would fix it, in sentences that a finance person understands.

    Those with the same `reason`, of the same flow and step, can be resolved together.
    """

    id: Id
    version: str
    kind: ExceptionKind
    status: ExceptionStatus
    flow: str
    subject: str
    stopped: str
    why: str
    what_next: str
    owner: str
    correlation_id: str
    raised_at: Instant
    due_at: Instant
    workflow_id: str = ""
    step: str = ""
    reason: str = ""
    errors: tuple[Fault, ...] = ()
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    caused_by: str = ""
    resolved_at: Instant | None = None
    resolved_by: str = ""
    resolution: str = ""


class BusinessExceptions(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[BusinessException, ...]
    next_cursor: str | None = None


_KINDS: tuple[tuple[type[Problem], ExceptionKind], ...] = (
    (VendorUnavailable, "vendor_unavailable"),
    (VendorDoubtful, "vendor_unavailable"),
    (Unavailable, "vendor_unavailable"),
    (DeadlineExceeded, "vendor_unavailable"),
    (TooManyRequests, "vendor_unavailable"),
    (ContractViolation, "contract_violation"),
    (VendorRejected, "vendor_rejected"),
    (OwnershipViolation, "ownership_violation"),
    (NotFound, "missing_master_data"),
    (Invalid, "missing_master_data"),
)

OPERATIONS = "operations"
"""The team for what no other owns: settings and reference data, our logins and permissions at vendors."""

_TEAMS = ("finance", "sales", "delivery")


def kind_of(problem: Problem) -> ExceptionKind:
    """The kind of exception that a problem becomes, first match first."""
    for cls, kind in _KINDS:
        if isinstance(problem, cls):
            return kind
    return "policy_violation"


def team_of(problem: Problem) -> str:
    """The team that decides when no other is named."""
    return problem.actor if problem.actor in _TEAMS else OPERATIONS


def reason_of(problem: Problem) -> str:
    """What all cases of one cause have in common, and those of other causes have not.

    That are the problem's code and the codes of its faults, for people, and a digest of what these say.
    """
    faults = sorted((fault.pointer, fault.code, fault.detail) for fault in problem.errors)
    said = faults or [("", "", problem.detail)]
    codes = (f"{pointer} {code}".strip() for pointer, code, _ in faults)
    digest = hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:12]
    return ", ".join((problem.code, *codes))[:200] + f" ({digest})"
