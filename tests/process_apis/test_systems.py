"""Which systems a run makes its objects in, from its beginning to its end."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from contracts.canonical.values import Ref
from contracts.duties import Duties
from contracts.problems import Conflict, NotFound
from contracts.process.customer_master import CustomerProposal
from contracts.routing import Routing, RoutingRule, SystemAssignment
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit.workflows import RunRow
from process_apis.current_policy import CurrentPolicy
from process_apis.flows.customer_master.state import ProposalInput
from process_apis.flows.opportunity_to_project.assignment import resolve_assignment, vendor_id
from process_apis.flows.opportunity_to_project.rules import Terms
from process_apis.flows.opportunity_to_project.steps import SettledRequest
from process_apis.systems import Systems, assignment_of_run
from tests.process_apis.test_activation_rules import terms

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
NO_DUTIES = Duties({}, ())
EUROPE: SystemAssignment = {"erp": "erp-eu", "psa": "psa"}
AMERICA: SystemAssignment = {"erp": "erp-us", "psa": "psa"}
CRM = Ref("crm-main", "customer", "001A")
CLIENT = Ref("psa", "client", "7")


def routing(*erps: tuple[str, str]) -> Routing:
    routes = [RoutingRule("erp", entity, instance) for entity, instance in erps]
    return Routing((*routes, RoutingRule("psa", "*", "psa")))


def systems(current_policy: CurrentPolicy) -> Systems:
    """Clients of a CRM, two ERPs and a PSA, each known by its name alone."""
    names = (("crm", Crm), ("erp-eu", Erp), ("erp-us", Erp), ("psa", Psa))
    clients: dict[tuple[str, type], Any] = {(name, kind): name for name, kind in names}
    return Systems(clients, current_policy, routed=(Erp, Psa))


def test_the_first_route_that_fits_an_entity_serves_it() -> None:
    """An entity of its own line before that for every other; without either, none."""
    table = routing(("NB-US", "erp-us"), ("*", "erp-eu"), ("NB-UK", "erp-us"))
    assert [table.instance_for("erp", entity) for entity in ("NB-US", "NB-UK")] == ["erp-us", "erp-eu"]
    assert table.instance_for("crm", "NB-US") == ""


def test_every_misfit_of_a_table_is_told_with_its_place() -> None:
    """No such instance, data in another region, no such entity, an entity without a system."""
    table = Routing(
        (
            RoutingRule("erp", "NB-UK", "erp-us", residency="eu"),
            RoutingRule("erp", "NB-XX", "psa"),
            RoutingRule("psa", "*", "psa"),
        )
    )
    served = {("erp-us", "erp"): "us", ("psa", "psa"): "eu"}
    assert table.faults_for(
        served, ["NB-UK", "NB-DE"], capabilities=("erp", "psa"), needed=("psa", "erp")
    ) == [
        "routes[0].residency: erp-us stores its data in us, not in eu",
        "routes[1].selling_entity: there is no legal entity NB-XX",
        "routes[1].instance: psa does not serve erp",
        "routes: no erp serves NB-DE",
    ]


def test_a_run_keeps_what_it_chose_and_the_next_chooses_anew() -> None:
    """A change of routing is seen by whoever chooses after it, and by nobody who has chosen."""
    current_policy = CurrentPolicy(routing(("*", "erp-eu")), NO_DUTIES)
    deployment = systems(current_policy)
    began = deployment.choose("NB-UK")
    current_policy.replace(routing(("*", "erp-us")), NO_DUTIES)
    assert (deployment.pinned_or_current(began, "NB-UK"), deployment.choose("NB-UK")) == (EUROPE, AMERICA)
    assert deployment.pinned_or_current({}, "NB-UK") == AMERICA
    assert deployment.of(Erp, began) == "erp-eu"


def test_an_entity_that_nobody_serves_is_refused() -> None:
    """A proposal for it is told so, rather than begun."""
    with pytest.raises(Conflict, match="No route gives NB-DE any erp instance"):
        systems(CurrentPolicy(routing(("NB-UK", "erp-eu")), NO_DUTIES)).choose("NB-DE")


def test_an_instance_that_is_gone_is_told_with_what_to_do() -> None:
    """A run does not go on elsewhere because its system was taken out of the configuration."""
    deployment = systems(CurrentPolicy(routing(("*", "erp-eu")), NO_DUTIES))
    with pytest.raises(NotFound, match=r"^erp-old, in which this began, .*\(instances/erp-old\.toml\)"):
        deployment.client(Erp, "erp-old")
    with pytest.raises(NotFound, match="erp-eu, in which this began, is no psa"):
        deployment.client(Psa, "erp-eu")


def test_a_deal_is_made_where_its_customer_stands() -> None:
    """In the systems with which it began; in those of the routing in force when the customer stands there."""
    deal = terms()
    in_europe = (CRM, Ref("erp-eu", "customer", "12"), CLIENT)
    assert resolve_assignment(deal, in_europe, began=EUROPE, now=AMERICA) == EUROPE
    assert resolve_assignment(deal, in_europe, began=AMERICA, now=EUROPE) == EUROPE


def test_a_customer_that_stands_elsewhere_stops_the_deal_plainly() -> None:
    """What stands where, what the routing says, and what to do; the CRM's own record does not count."""
    deal = terms()
    in_europe = (CRM, Ref("erp-eu", "customer", "12"), CLIENT)
    expected = (
        "Globex Corporation as a customer of NB-US stands in erp-eu, but routing.toml has NB-US served by "
        "erp-us. Let it name the system in which the customer stands and replay, or undo."
    )
    with pytest.raises(NotFound) as refused:
        resolve_assignment(deal, in_europe, began=AMERICA, now=AMERICA)
    assert refused.value.detail == expected
    with pytest.raises(NotFound, match="as a client of NB-US stands in no system"):
        vendor_id(deal, (CRM,), "psa", "client")


def test_runs_begun_before_they_kept_their_systems_go_on() -> None:
    """What they hold is read as before, without a choice: they go by the routing in force."""
    proposal = CustomerProposal("crm-main", "001A", "NB-UK", "GBP")
    old = msgspec.to_builtins(terms())
    del old["systems"]
    deployment = systems(CurrentPolicy(routing(("*", "erp-us")), NO_DUTIES))
    for kept in (
        msgspec.convert(old, Terms).systems,
        msgspec.convert(msgspec.to_builtins(proposal), ProposalInput).systems,
        msgspec.convert({"request": None}, SettledRequest).systems,
    ):
        assert deployment.pinned_or_current(kept, "NB-UK") == AMERICA


class Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    """An assignment in the form in which earlier releases stored it: a field for each of two capabilities."""

    erp: str = ""
    psa: str = ""


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (Stored("erp-eu", "psa"), EUROPE),
        (Stored("erp-eu"), {"erp": "erp-eu", "psa": "psa"}),
        (Stored(), AMERICA),
    ],
)
def test_assignments_stored_by_earlier_releases_are_read_as_they_are(
    stored: Stored, read: SystemAssignment
) -> None:
    """In the run's row, its input and the results of its steps; what one did not pin, the routing gives."""
    old = msgspec.to_builtins(stored)
    proposal = msgspec.to_builtins(CustomerProposal("crm-main", "001A", "NB-UK", "GBP"))
    deployment = systems(CurrentPolicy(routing(("*", "erp-us")), NO_DUTIES))
    for kept in (
        assignment_of_run(row(old)),
        msgspec.convert(msgspec.to_builtins(terms()) | {"systems": old}, Terms).systems,
        msgspec.convert(proposal | {"systems": old}, ProposalInput).systems,
        msgspec.convert({"request": None, "systems": old}, SettledRequest).systems,
    ):
        assert deployment.pinned_or_current(kept, "NB-UK") == read


def test_a_run_tells_others_which_systems_it_keeps() -> None:
    """As it was told; nothing for a run that told none, and for none at all."""
    assert assignment_of_run(row(EUROPE)) == EUROPE
    assert assignment_of_run(row({})) == {}
    assert assignment_of_run(None) == {}


def row(systems: dict[str, str]) -> RunRow:
    return RunRow(
        id="act_1",
        flow="opportunity-to-project",
        status="running",
        status_text="",
        version="1",
        attempt=1,
        input={},
        data={},
        corrections={},
        correlation_id="cor_1",
        subject="",
        actor="",
        requesters=[],
        mode="live",
        entity="",
        instances=[],
        systems=systems,
        decisions={},
        waits_for="",
        exception_id="",
        due_at=None,
        started_at=NOW,
        updated_at=NOW,
        finished_at=None,
    )
