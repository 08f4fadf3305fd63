"""kit: ownership: which system may change which field of which object at which stage, read from files.

Enforced, not advisory: a change from a system that is neither the owner nor a writer of the field is never
written through. A system is a capability of the connected vendors, or `enfilade`: a flow of ours, which
writes only what an owner or an approver decided.
"""

# ruff: noqa: A002 - an id, a type and an object are called what they are

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from contracts.problems import Fault, OwnershipViolation
from contracts.system import capabilities
from kit.settings import SettingsError, read_toml

OURS = "enfilade"
Violation = Literal["reject", "ignore", "exception"]
Action = Literal["allow", "drop", "reject", "exception"]
_ACTIONS: dict[Violation, Action] = {"reject": "reject", "ignore": "drop", "exception": "exception"}


class FieldRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields that share their rules. `owner`, `writers` and `approval` are by stage.

    A writer may change the fields besides their owner; `approval` names who must agree first. `travels` and
    `how_often` say how a change reaches the others; `violation` what happens to anybody else's change.
    """

    names: tuple[str, ...]
    owner: dict[str, str]
    readers: tuple[str, ...]
    travels: Literal["master-led", "event-driven", "scheduled", "two-way"]
    how_often: str
    violation: Violation
    writers: dict[str, tuple[str, ...]] = {}
    approval: dict[str, str] = {}
    why: str = ""


class ObjectRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object: its stages in order, who may create it at each, and the rules of its fields."""

    stages: tuple[str, ...]
    create: dict[str, tuple[str, ...]]
    field: tuple[FieldRule, ...]


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of one system's change of one field, and why."""

    field: str
    action: Action
    owner: str
    approval: str = ""
    why: str = ""


class Ownership:
    """The rules of one firm."""

    def __init__(self, objects: Mapping[str, ObjectRules]) -> None:
        self.objects = objects
        self._fields = {
            name: {field: rule for rule in each.field for field in rule.names}
            for name, each in objects.items()
        }

    @classmethod
    def load(cls, folder: Path) -> "Ownership":
        """The rules of a folder's files, one for each object; raises SettingsError with all their faults."""
        objects: dict[str, ObjectRules] = {}
        faults: list[str] = []
        for path in sorted(folder.glob("*.toml")):
            try:
                objects[path.stem] = read_toml(path, ObjectRules)
            except SettingsError as error:
                faults += error.faults
            else:
                faults += [f"{path}: {fault}" for fault in _faults(objects[path.stem])]
        if faults or not objects:
            raise SettingsError(faults or [f"{folder}: no ownership rules"])
        return cls(objects)

    def check(self, object: str, stage: str, system: str, fields: Iterable[str]) -> dict[str, Verdict]:
        """What becomes of a system's changes, by field; a field without a rule is dropped."""
        return {name: self._verdict(object, stage, system, name) for name in fields}

    def names(self, object: str) -> frozenset[str]:
        """The fields that have a rule."""
        return frozenset(self._fields[object])

    def may_create(self, object: str, stage: str, system: str) -> bool:
        """Whether a system may bring the object into being at a stage."""
        return system in self._object(object).create.get(stage, ())

    def demand(self, object: str, stage: str, system: str, fields: Iterable[str]) -> None:
        """Raise OwnershipViolation, with every field at fault, unless the system may write all of them."""
        verdicts = self.check(object, stage, system, fields).values()
        faults = [
            Fault(
                f"/{verdict.field}",
                f"{verdict.owner or 'Nobody'} owns this field while the {object} is {stage}",
                code="ownership_violation",
                field=verdict.field,
                fixed_by=verdict.owner,
            )
            for verdict in verdicts
            if verdict.action != "allow"
        ]
        if faults:
            raise OwnershipViolation(f"{system} may not change this {object}", errors=faults)

    def _verdict(self, object: str, stage: str, system: str, field: str) -> Verdict:
        stages = self._object(object).stages
        if stage not in stages:
            raise OwnershipViolation(f"A {object} has no stage {stage}; it has {', '.join(stages)}")
        rule = self._fields[object].get(field)
        if rule is None:
            return Verdict(field, "drop", "", why="no rule names this field")
        owner, approval = rule.owner[stage], rule.approval.get(stage, "")
        if system == owner or system in rule.writers.get(stage, ()):
            return Verdict(field, "allow", owner, approval)
        return Verdict(field, _ACTIONS[rule.violation], owner, approval, rule.why)

    def _object(self, name: str) -> ObjectRules:
        if name not in self.objects:
            raise OwnershipViolation(f"No rules are known for {name}")
        return self.objects[name]


def _faults(rules: ObjectRules) -> Iterator[str]:
    stages, seen = rules.stages, set[str]()
    yield from _unknown("create", rules.create, stages)
    for rule in rules.field:
        place = rule.names[0] if rule.names else "?"
        for field in rule.names:
            if field in seen:
                yield f"{field} has two rules"
            seen.add(field)
        for stage in stages:
            if stage not in rule.owner:
                yield f"{place} has no owner at the stage {stage}"
        owners = {stage: (owner,) for stage, owner in rule.owner.items()}
        yield from _unknown(f"{place}.owner", owners, stages)
        yield from _unknown(f"{place}.writers", rule.writers, stages)
        yield from _unknown(f"{place}.readers", {"": rule.readers}, ("",))
        yield from _unknown(f"{place}.approval", dict.fromkeys(rule.approval, ()), stages)


def _unknown(place: str, by_stage: dict[str, tuple[str, ...]], stages: tuple[str, ...]) -> Iterator[str]:
    systems = {*capabilities(), OURS}
    for stage, named in by_stage.items():
        if stage not in stages:
            yield f"{place}: there is no stage {stage}"
        for system in named:
            if system not in systems:
                yield f"{place}: there is no system {system}"
