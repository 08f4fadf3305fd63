"""What a flow sends to an instance that lacks an optional feature of its capability."""

from typing import Any, cast

import pytest

from contracts.canonical.contract import ContractDraft
from contracts.canonical.opportunity import ProjectLink
from contracts.canonical.project import Project
from contracts.canonical.values import Ref
from contracts.operation import Feature
from contracts.system.crm import PRECONDITION, Crm
from contracts.system.erp import BILLING_SCHEDULE, Erp
from contracts.system.instance import InstanceFacts
from kit import clock
from kit.operations import api_of
from process_apis.flows.opportunity_to_project.effects import create_contract, write_back
from process_apis.flows.opportunity_to_project.rereading import Deal
from process_apis.systems import Systems
from tests.process_apis.test_activation_rules import REFERENCE, terms

NOTHING = cast("Any", None)
DEAL = Deal(NOTHING, terms(), read=NOTHING, lost=NOTHING)
PROJECT = Project("9", "v1", clock.now(), "Data platform", "active")


def test_the_features_of_an_interface_are_those_that_it_declares() -> None:
    """An instance has every optional feature but those that its connector or its profile lacks."""
    assert api_of(Erp).features == (BILLING_SCHEDULE,)
    assert api_of(Crm).features == (PRECONDITION,)
    systems = Systems(
        {}, NOTHING, facts={"erp-2": InstanceFacts("erp-2", "toy", "test", lacks=("billing_schedule",))}
    )
    assert [systems.lacks(name, BILLING_SCHEDULE) for name in ("erp-1", "erp-2")] == [False, True]
    assert not systems.for_flow(()).lacks("erp-2", PRECONDITION)
    assert systems.for_flow(()).lacks("erp-2", BILLING_SCHEDULE)


@pytest.mark.parametrize("lacks", [False, True])
def test_an_erp_without_billing_schedules_is_given_none(*, lacks: bool) -> None:
    """The contract is the same without its dates."""

    def lacking(instance: str, feature: Feature) -> bool:
        return lacks and (instance, feature) == ("erp-1", BILLING_SCHEDULE)

    refs = (Ref("erp-1", "customer", "12"),)
    body = create_contract(DEAL, {"erp": "erp-1"}, refs, REFERENCE, lacking).body()
    assert isinstance(body, ContractDraft)
    assert bool(body.billing_schedule) is not lacks
    assert body.value == DEAL.terms.value


@pytest.mark.parametrize("conditional", [True, False])
def test_a_crm_without_preconditions_is_written_without_one(*, conditional: bool) -> None:
    """Its last writer wins."""
    body = write_back(DEAL, NOTHING, PROJECT, "prj_1", conditional=conditional).body()
    assert body == ProjectLink("prj_1", "Activated", only_while="won" if conditional else None)
