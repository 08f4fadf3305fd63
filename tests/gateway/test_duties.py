"""tests/gateway: what one consumer may not hold together, and what one person may not do of one case."""

import datetime as dt
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from contracts.duties import ConflictingDuties, Duties, Duty, Waiver
from contracts.problems import SegregationOfDuties
from deploy.composition.access import routing_faults
from deploy.composition.interfaces import interfaces
from deploy.settings import DEMO_CONFIG
from gateway.duties import Matrix, matrix_of, operation_name
from gateway.names import known_names, unknown_names
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer
from gateway.policy_bundle import make_bundle, read_bundle
from kit.operations import bind
from tests.gateway.demo import Shop, Works

TODAY = dt.date(2026, 11, 21)
OPERATIONS = [bound for interface in (Shop, Works) for bound in bind(interface)]
ASK = Duty("ask for work", operations=("process/works@1.decide",))
SEAL = Duty("seal it", operations=("process/works@1.seal",))
KEYS = Duty("issue keys", scopes=("gateway.keys.write",), roles=("locksmith",))
PAIR = ConflictingDuties(("ask", "seal"), "nobody seals what he asked for")


def duties(*waivers: Waiver, **more: Duty) -> Duties:
    return Duties({"ask": ASK, "seal": SEAL, "keys": KEYS, **more}, (PAIR,), waivers)


def judge(*waivers: Waiver) -> Matrix:
    return Matrix(duties(*waivers), OPERATIONS, TODAY)


def holder(*scopes: str, roles: tuple[str, ...] = (), **more: Any) -> Consumer:
    return Consumer(title="", scopes=scopes, roles=roles, **more)


def waiver(until: dt.date) -> Waiver:
    return Waiver("both", ("ask", "seal"), "there is only one of them", until)


BOTH = holder("process.works.approve", roles=("works",))


@pytest.mark.parametrize(
    ("consumer", "held"),
    [
        (BOTH, ("ask", "seal")),
        (holder("process.works.approve"), ("ask",)),
        (holder("process.*.read"), ()),
        (holder("process.*.approve", roles=("finance",), outside=True), ()),
        (holder("gateway.*.write"), ("keys",)),
        (holder("gateway.*.write", outside=True), ()),
        (holder("gateway.plans.write", roles=("locksmith",)), ("keys",)),
    ],
)
def test_a_duty_is_held_by_who_may_do_it(consumer: Consumer, held: tuple[str, ...]):
    """Scope and role of an operation, a scope of its own, or a role; and nothing that the tier forbids."""
    assert judge().held_by(consumer) == held


def test_a_forbidden_pair_is_refused_with_its_name_and_the_reason():
    """The sentence says who, which two, and why."""
    told = (
        "consumers.both: holds ask and seal, which no consumer may hold together"
        " (nobody seals what he asked for)"
    )
    assert judge().refusals("both", BOTH) == [told]
    assert judge().refusals("one", holder("process.works.approve")) == []


def test_a_waiver_holds_to_its_last_day_and_for_its_holder_only():
    """On the last day it still holds; the day after it is named in the refusal."""
    assert judge(waiver(TODAY)).refusals("both", BOTH) == []
    (late,) = judge(waiver(TODAY - dt.timedelta(days=1))).refusals("both", BOTH)
    assert late.endswith("; its waiver expired on 2026-11-20")
    assert judge(waiver(TODAY)).refusals("other", BOTH) != []


def test_a_pair_may_be_held_where_the_firm_says_so():
    """`held` leaves the pair to be kept apart on each case."""
    allowed = msgspec.structs.replace(duties(), conflicts=(msgspec.structs.replace(PAIR, held=True),))
    assert Matrix(allowed, OPERATIONS, TODAY).refusals("both", BOTH) == []


def test_what_there_is_not_cannot_be_named():
    """An unknown operation, scope, role, holder or duty is told, so that no rule is without effect."""
    odd = Duty("do nothing", operations=("x@1.y",), scopes=("process.odd.*",), roles=("odd",))
    wrong = msgspec.structs.replace(
        duties(waiver(TODAY), keys=odd), conflicts=(ConflictingDuties(("ask", "sael"), "a slip of the pen"),)
    )
    bundle = make_bundle(GatewaySettings(), {"one": holder("process.*.read")}, wrong)
    assert unknown_names(bundle, known_names((Shop, Works))) == [
        "duties.keys.operations[0]: there is no operation x@1.y",
        "duties.keys.scopes[0]: no operation asks for process.odd.*",
        "duties.keys.roles[0]: no operation asks for the role odd, and nobody has it",
        "conflicts[0].duties[1]: no duty is named sael",
        "waivers[0].holder: there is no consumer both",
    ]


def test_a_case_needs_another_person():
    """Who did one half of a case is refused the other, whichever comes first; anybody else is not."""
    known = duties()
    with pytest.raises(SegregationOfDuties, match="One person may not both ask for work and seal it: nobody"):
        known.require_different_person("seal", ("ann",), {"ask": ("ann", "bob")})
    with pytest.raises(SegregationOfDuties):
        known.require_different_person("ask", ("alias", "ann"), {"seal": ("ann",)})
    known.require_different_person("seal", ("eve",), {"ask": ("ann", "bob"), "keys": ("eve",)})
    known.require_different_person("seal", ("",), {"ask": ("",)})


def test_the_story_keeps_its_own_duties():
    """Nobody of the demo holds a pair without a waiver; whoever would is told with the file."""
    bundle = read_bundle(DEMO_CONFIG)
    assert routing_faults(bundle) == []
    unwaived = msgspec.structs.replace(bundle.duties, waivers=())
    faults = routing_faults(replace(bundle, duties=unwaived))
    assert faults
    assert all(fault.startswith(f"{DEMO_CONFIG}/consumers.toml:") for fault in faults)


def test_whatever_needs_approval_is_a_duty():
    """An operation that approves belongs to a duty that is kept apart from another."""
    known = read_bundle(DEMO_CONFIG).duties
    conflicts = {name for pair in known.conflicts for name in pair.duties}
    approver = matrix_of(known, interfaces())
    unguarded = [
        operation_name(bound)
        for interface in interfaces()
        for bound in bind(interface)
        if bound.operation.access == "approve"
        and conflicts.isdisjoint(approver.held_by(holder(bound.scope, roles=bound.operation.roles)))
    ]
    assert unguarded == []
