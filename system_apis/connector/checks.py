"""system_apis: the check of an account as data: steps, each with a probe; and what is expected of a field."""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from contracts.problems import Problem
from contracts.system.instance import Finding, Kind
from system_apis.connector.findings import judged, well, wrong
from system_apis.connector.profile import Profile

Probe = Callable[[], Awaitable[str | Finding | Iterable[Finding] | AsyncIterator[Finding]]]


class CheckStep(NamedTuple):
    """One step: login first, then permissions, fields, references, limits.

    The `probe` returns what it saw, or findings of its own; a problem that it raises is the finding. After a
    failed step that is `needed` no other is taken. A `lenient` step may be refused: its answer is not needed.
    """

    kind: Kind
    name: str
    probe: Probe
    fix: str = ""
    needed: bool = False
    lenient: bool = False


async def findings_of(steps: Iterable[CheckStep]) -> tuple[Finding, ...]:
    """The findings of all steps, up to the first needed one that fails."""
    findings: list[Finding] = []
    for step in steps:
        results = [one async for one in _taken(step)]
        findings += results
        if step.needed and not all(one.ok for one in results):
            break
    return tuple(findings)


async def _taken(step: CheckStep) -> AsyncIterator[Finding]:
    try:
        seen = await step.probe()
        if isinstance(seen, AsyncIterator):
            async for one in seen:
                yield one
            return
    except Problem as problem:
        if step.lenient:
            yield well(step.kind, step.name, f"not readable: {problem.detail}")
        else:
            yield wrong(step.kind, step.name, problem, step.fix)
        return
    match seen:
        case str():
            yield well(step.kind, step.name, seen)
        case Finding():
            yield seen
        case _:
            for one in seen:
                yield one


def environment_step(profile: Profile, account: str, actual: str) -> CheckStep:
    """Whether the account is of the kind that the profile says."""

    async def probe() -> Finding:
        detail = f"a {actual} account; the profile says {profile.environment}"
        fix = "set environment in the profile, or the right account"
        ok = actual == profile.environment
        return judged("environment", account, detail, ok=ok, fix=fix)

    return CheckStep("environment", account, probe)


def fact_step(
    fact: Literal["currency", "time_zone"], declared: str, read: Callable[[], Awaitable[str]]
) -> CheckStep:
    """Whether the profile states the account's own currency or zone; `read` gives it, empty if unknown."""

    async def probe() -> Finding:
        actual = await read()
        detail = f"{actual or 'the account does not show it'}; the profile says {declared or 'nothing'}"
        ok = (
            not (declared and actual)
            or declared == actual
            or (fact == "time_zone" and _same(declared, actual))
        )
        return judged("environment", fact, detail, ok=ok, fix=f'set {fact} = "{actual}" in the profile')

    return CheckStep("environment", fact, probe, lenient=True)


def _same(zone: str, other: str) -> bool:
    """Whether two names are of one zone: vendors still use names that others replaced."""
    try:
        zones = ZoneInfo(zone), ZoneInfo(other)
    except (KeyError, ValueError, OSError):
        return False
    months = [dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in range(1, 13)]
    return all(len({at.astimezone(each).utcoffset() for each in zones}) == 1 for at in months)


def allowed(call: Callable[[], Awaitable[object]]) -> Probe:
    """The probe of a call whose refusal shows what is missing, and whose answer nothing."""

    async def probe() -> str:
        await call()
        return "allowed"

    return probe


def permission_steps(
    calls: Iterable[tuple[str, Callable[[], Awaitable[object]]]], fix: str
) -> Iterator[CheckStep]:
    """A step for each permission, by the vendor's name of it, with a call that needs it."""
    for name, call in calls:
        yield CheckStep("permission", name, allowed(call), f"{fix} {name}")


def concurrency_finding(profile: Profile, vendor: str, most: int) -> Finding:
    """Whether the profile makes no more calls at once than the vendor allows."""
    used = profile.limits.concurrency
    detail = f"{vendor} allows {most} calls at once, the profile uses {used or 'any number'}"
    fix = f"set limits.concurrency to at most {most}"
    return judged("limit", "concurrency", detail, ok=0 < used <= most, fix=fix)


class Wanted(NamedTuple):
    """A field that the profile counts on; without `types` any will do."""

    place: str
    name: str
    holds: str = ""
    types: Collection[str] = ()
    written: bool = False
    unique: bool = False
    choices: Collection[str] = ()


class Field(NamedTuple):
    """A field as the account has it; `choices` where it is limited to some."""

    type: str
    editable: bool = True
    unique: bool = True
    choices: Collection[str] | None = None


class Fixes(NamedTuple):
    """What an administrator does about each fault of a field, in the vendor's own words."""

    absent: str
    type: str = "Name another field in the profile, or change its type."
    editable: str = ""
    unique: str = ""
    choices: str = "Add the choices to the field, or correct [picklists] of the profile."


def field_finding(wanted: Wanted, field: Field | None, fixes: Fixes) -> Finding:
    """Whether the account's field is what the profile counts on."""
    name = f"{wanted.place}.{wanted.name}"
    if field is None:
        # Vendors do not distinguish a missing field from a hidden one.
        return wrong("field", name, "does not exist, or is hidden from our user", fixes.absent)
    if wanted.types and field.type not in wanted.types:
        why = f"is of type {field.type}; {' or '.join(sorted(wanted.types))} is needed"
        return wrong("field", name, why, fixes.type)
    if wanted.written and not field.editable:
        return wrong("permission", name, "our user may not edit it", fixes.editable)
    if wanted.unique and not field.unique:
        return wrong("field", name, "allows the same value twice", fixes.unique)
    absent = [each for each in wanted.choices if field.choices is not None and each not in field.choices]
    if absent:
        return wrong("reference", name, f"has no choice {', '.join(map(repr, absent))}", fixes.choices)
    return well("field", name, f"{field.type}, holds {wanted.holds}" if wanted.holds else field.type)


def listed(kind: Kind, names: Mapping[str, str], there: Collection[str], fix: str) -> Iterable[Finding]:
    """A finding for each name, whether the account has what it stands for."""
    for name, key in names.items():
        ok = key in there
        yield judged(kind, name, "exists" if ok else "does not exist", ok=ok, fix=fix)
