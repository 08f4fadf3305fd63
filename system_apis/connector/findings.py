"""system_apis: the findings that every vendor's check returns."""

from contracts.problems import Problem
from contracts.system.instance import Finding, Kind


def well(kind: Kind, name: str, detail: str) -> Finding:
    """A check that passed."""
    return Finding(kind, name, ok=True, detail=detail)


def wrong(kind: Kind, name: str, why: str | Problem, fix: str = "") -> Finding:
    """A fault to correct, or a call that the vendor did not answer."""
    return Finding(kind, name, ok=False, detail=why.detail if isinstance(why, Problem) else why, fix=fix)


def judged(kind: Kind, name: str, detail: str, *, ok: bool, fix: str) -> Finding:
    """Either, with the same detail; the fix is included only where it is needed."""
    return Finding(kind, name, ok=ok, detail=detail, fix="" if ok else fix)
