"""What the steps of every flow share."""

import datetime as dt
from collections.abc import Mapping

import msgspec

from contracts.canonical.exception import OPERATIONS, ExceptionKind, kind_of, team_of
from contracts.problems import DeadlineExceeded, Problem, Unavailable, VendorRejected, VendorUnavailable
from kit import clock
from kit.workflows import ExceptionDraft

# Older facts are read again before an effect depends on them: a person may have decided meanwhile.
FRESH_SECONDS = 10.0

# The team of a deal's owner: what it must correct in the CRM goes on when it presses Activate, or wins again.
SALES = "sales"

# Fields without an owner that every draft may have: what it is made of, and the firm's own.
UNOWNED = frozenset({"lines", "custom", "currency", "pricing_model", "service_line", "region"})

# With what a read ends that another, later one may not.
NOT_NOW = (VendorUnavailable, Unavailable, DeadlineExceeded)


def stop_of(
    problem: Problem, stopped: str, *, owner: str, what_next: str, kind: ExceptionKind | None = None
) -> ExceptionDraft:
    """The exception of a problem, which may say itself of what kind it is, and what next."""
    return ExceptionDraft(
        kind=kind or problem.extra.get("kind") or kind_of(problem),
        stopped=stopped,
        why=problem.detail,
        what_next=problem.extra.get("what_next") or what_next,
        owner=owner,
        errors=tuple(
            msgspec.structs.replace(fault, fixed_by=owner) if fault.fixed_by == "caller" else fault
            for fault in problem.errors
        ),
    )


def owner_of(problem: Problem, crm: str, systems: Mapping[str, str]) -> str:
    """Who must act: as the problem or its faults say, else the team of the instance that refused."""
    if named := problem.extra.get("owner"):
        return named
    if not isinstance(problem, VendorRejected):
        return team_of(problem)
    fixers = {fault.fixed_by for fault in problem.errors}
    if "caller" in fixers:  # a value that the deal or its account has in the CRM
        return SALES
    if fixers == {OPERATIONS}:
        return OPERATIONS
    teams = {systems.get("erp", ""): "finance", systems.get("psa", ""): "delivery", crm: SALES}
    return teams.get(problem.instance, OPERATIONS)


def is_stale(read_at: dt.datetime | None) -> bool:
    """Whether facts are older than an uninterrupted run takes; those of earlier releases have no time."""
    return read_at is None or clock.now() - read_at > dt.timedelta(seconds=FRESH_SECONDS)
