"""A capability is what its interface and nouns declare: by these it is routed, owned, read and changed."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

import msgspec
import pytest
from sqlalchemy import select

from contracts.canonical.customer import Customer
from contracts.canonical.objects import BusinessObject
from contracts.canonical.project import Project
from contracts.canonical.values import Id
from contracts.duties import Duties
from contracts.events.kinds import RecordChanged
from contracts.operation import api, operation
from contracts.problems import Conflict, NotFound, Unexpected
from contracts.routing import Routing, RoutingRule
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from deploy.composition.assemble import OWNERSHIP
from kit import clock, crossrefs
from kit.database import Database
from kit.database.tables import events, exceptions
from kit.inbox import InboxRow
from kit.operations import readings
from kit.ownership import FieldRule, ObjectRules, Ownership
from process_apis.app import modules, routed_by, routed_capabilities
from process_apis.changes import Changes
from process_apis.current_policy import CurrentPolicy
from process_apis.systems import Systems, instance_of
from system_apis.app import Instance, connector_of
from system_apis.connector import Profile
from system_apis.connector.closed import closed_instance
from tests.support.databases import keyed

LEASE = BusinessObject("lease", stage="signed")


class Lease(msgspec.Struct, frozen=True):
    """What a building is let for."""

    id: str
    rent: str


@api("system", "facilities", version=1, summary="Leases of one facilities instance", team="facilities")
class Facilities(Protocol):
    """A capability that the product does not have."""

    @operation("GET", "/leases/{lease_id}", summary="Read a lease", reads=LEASE)
    async def get_lease(self, lease_id: Id) -> Lease:
        """The lease."""
        ...


RULES = Ownership(
    {
        "lease": ObjectRules(
            stages=("signed",),
            create={"signed": ("facilities",)},
            field=(
                FieldRule(
                    names=("rent",),
                    owner={"signed": "facilities"},
                    readers=(),
                    travels="event-driven",
                    how_often="at once",
                    violation="exception",
                    why="Facilities let the building",
                ),
            ),
        )
    }
)


class Account:
    """A vendor's account that keeps one record of each kind that it is asked for."""

    def __init__(self, **records: Any) -> None:
        self.records = records

    def __getattr__(self, operation: str) -> Any:
        async def read(ident: str) -> Any:
            found = self.records.get(operation.removeprefix("get_"))
            if found is None or found.id != ident:
                raise NotFound(ident)
            return found

        return read


class World:
    """The judge of changes over a database, with the systems that a test gives it."""

    def __init__(self, database: Database, systems: Systems, ownership: Ownership) -> None:
        self.database, self.systems = database, systems
        self.judge = Changes(ownership, systems)
        self.number = 0

    async def link(self, ours: str, instance: str, kind: str, vendor_id: str) -> None:
        async with self.database.begin() as connection:
            await crossrefs.link(
                connection, kind=kind, id=ours, instance=instance, object=kind, vendor_id=vendor_id
            )

    async def take(self, instance: str, kind: str, vendor_id: str, **said: Any) -> None:
        self.number += 1
        change = RecordChanged(instance, kind, vendor_id, **said)
        data, now = msgspec.to_builtins(change), clock.now()
        row = InboxRow(
            self.number, instance, str(self.number), f"enfilade.{kind}.changed.v1", "k", data, now, "c"
        )
        async with self.database.begin() as connection:
            await self.judge.take(connection, row)

    async def published(self) -> list[tuple[str, list[str]]]:
        async with self.database.connect() as connection:
            rows = await connection.execute(select(events).order_by(events.c.number))
            changes = [row for row in rows if row.type.endswith(".changed.v1")]
        return [(row.subject, row.data.get("fields", [])) for row in changes]

    async def raised(self) -> list[tuple[str, str]]:
        async with self.database.connect() as connection:
            rows = await connection.execute(select(exceptions).order_by(exceptions.c.raised_at))
            return [(row.owner, row.stopped) for row in rows]


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    opened = keyed(fresh_database_url)
    yield opened
    await opened.close()


def policy(*routes: RoutingRule) -> CurrentPolicy:
    return CurrentPolicy(Routing(routes), Duties({}, ()))


def test_a_new_capability_is_routed_by_its_name() -> None:
    """The instance of an entity is chosen for whatever interfaces a flow uses."""
    current_policy = policy(RoutingRule("facilities", "NB-UK", "offices-1"), RoutingRule("erp", "*", "erp-1"))
    clients: dict[tuple[str, type], Any] = {("offices-1", Facilities): "client", ("erp-1", Erp): "erp"}
    systems = Systems(clients, current_policy).for_flow((Facilities, Erp))
    chosen = systems.choose("NB-UK")
    assert chosen == {"facilities": "offices-1", "erp": "erp-1"}
    assert systems.of(Facilities, chosen) == "client"
    with pytest.raises(Conflict, match="No route gives NB-US any facilities instance"):
        systems.choose("NB-US")
    with pytest.raises(Unexpected, match="No psa was assigned"):
        instance_of(Psa, chosen)


def test_a_run_of_before_a_capability_was_used_is_given_its_instance_now() -> None:
    """What it pinned stays; for what its flow uses only since, the routing in force is asked."""
    current_policy = policy(RoutingRule("facilities", "*", "offices-1"), RoutingRule("erp", "*", "erp-new"))
    systems = Systems({}, current_policy).for_flow((Facilities, Erp))
    assert systems.pinned_or_current({"erp": "erp-old", "psa": "psa-1"}, "NB-UK") == {
        "facilities": "offices-1",
        "erp": "erp-old",
    }


def test_a_route_may_name_any_declared_capability_and_no_other() -> None:
    """The capabilities are those that interfaces declare; each that a flow needs serves every entity."""
    table = Routing((RoutingRule("facilities", "*", "offices-1"), RoutingRule("gardens", "*", "offices-1")))
    served = {("offices-1", "facilities"): "eu"}
    capabilities = ("erp", "facilities")
    assert table.faults_for(served, ["NB-UK"], capabilities=capabilities, needed=("facilities", "erp")) == [
        "routes[1].capability: there is no capability gardens; there are erp, facilities",
        "routes: no erp serves NB-UK",
    ]


def test_only_the_flows_that_are_on_need_routes() -> None:
    """A flow that takes nothing from any instance needs none; one that observes a single one does."""
    off = {"default_mode": "off"}
    both = {"opportunity_to_project": off, "customer_master": off}
    assert routed_capabilities({}) == {"erp", "psa"}
    assert routed_capabilities(both) == set()
    assert routed_capabilities({**both, "customer_master": {**off, "modes": {"crm-1": "observe"}}}) == {
        "erp",
        "psa",
    }


def test_every_flow_names_the_capabilities_in_which_it_works() -> None:
    """What it begins in is named by its caller or event; the routing assigns the others."""
    for module in modules():
        assert set(getattr(module, "BEGINS_IN", ())) <= set(getattr(module, "USES", ())), module.__name__
        assert Crm not in routed_by(module)


async def test_a_new_capabilitys_object_is_read_owned_and_changed(database: Database) -> None:
    """By its declarations alone: its own change goes on, another's is a case for its team."""
    clients = {("offices-1", Facilities): Account(lease=Lease("7", "100"))}
    world = World(database, Systems(clients, policy()), RULES)
    assert world.judge.types == ("enfilade.lease.changed.v1",)
    assert await world.systems.read("offices-1", "lease", "7") == Lease("7", "100")
    await world.link("lea_1", "offices-1", "lease", "7")
    await world.take("offices-1", "lease", "7", fields=("rent",))
    await world.take("offices-1", "lease", "8", fields=("rent",))  # a stranger
    assert await world.published() == [("lea_1", ["rent"])]


async def test_what_another_system_changes_of_it_goes_to_its_team(database: Database) -> None:
    """The owner's team decides; it is named beside the owner's interface."""

    @api("system", "erp", version=1, summary="An ERP that keeps leases, too", team="finance")
    class ErpOfLeases(Protocol):
        @operation("GET", "/leases/{lease_id}", summary="Read a lease", reads=LEASE)
        async def get_lease(self, lease_id: Id) -> Lease: ...

    account = Account(lease=Lease("7", "100"))
    clients = {("offices-1", Facilities): account, ("erp-1", ErpOfLeases): account}
    world = World(database, Systems(clients, policy()), RULES)
    await world.link("lea_1", "erp-1", "lease", "7")
    await world.take("erp-1", "lease", "7", fields=("rent",))
    assert await world.published() == []
    assert await world.raised() == [
        ("facilities", "A change of rent of the lease 7 in erp-1 was not taken over.")
    ]


@pytest.fixture
async def suite(database: Database) -> World:
    """One account of a vendor that is CRM and PSA at once; the PSA stands second."""
    customer = Customer("7", "v1", clock.now(), "Globex Corporation", "approved", industry="Energy")
    account = Account(customer=customer, project=Project("9", "v1", clock.now(), "Data platform", "active"))
    clients: dict[tuple[str, type], Any] = {("suite-1", Crm): account, ("suite-1", Psa): account}
    world = World(database, Systems(clients, policy()), Ownership.load(OWNERSHIP))
    await world.link("cus_1", "suite-1", "customer", "7")
    await world.link("prj_1", "suite-1", "project", "9")
    return world


async def test_ownership_is_judged_by_the_object_where_an_instance_has_several_capabilities(
    suite: World,
) -> None:
    """The project of an instance that is a CRM first is judged as the PSA's, its account as the CRM's."""
    assert suite.systems.keepers("suite-1", "project") == (Psa,)
    assert suite.systems.keepers("suite-1", "customer") == (Crm,)
    await suite.take("suite-1", "project", "9", fields=("status", "tasks"))
    await suite.take("suite-1", "customer", "7", fields=("industry",))
    assert await suite.published() == [("prj_1", ["status", "tasks"]), ("cus_1", ["industry"])]
    await suite.take("suite-1", "project", "9", fields=("budget",))
    await suite.take("suite-1", "customer", "7", fields=("legal_name",))
    assert [stopped for _, stopped in await suite.raised()] == [
        "A change of budget of the project 9 in suite-1 was not taken over.",
        "A change of legal name of the customer 7 in suite-1 was not taken over.",
    ]


async def test_a_change_whose_instance_is_gone_is_a_strangers(suite: World) -> None:
    """It can neither be read nor judged: its profile was removed while it waited."""
    await suite.link("cus_1", "removed-1", "customer", "7")
    await suite.take("removed-1", "customer", "7")
    assert (await suite.published(), await suite.raised()) == ([], [])


@pytest.mark.parametrize(
    ("capability", "kind", "accepted"),
    [("crm", "customer", True), ("crm", "project", False), ("psa", "project", True), ("psa", "lease", False)],
)
def test_an_instance_reports_changes_of_what_it_reads_and_of_nothing_else(
    capability: str, kind: str, accepted: bool
) -> None:
    """The name of the object is checked where a change enters, against what the capabilities declare."""
    profile = Profile(name="one-1", vendor="x", environment="test", capabilities=(capability,))
    instance = Instance(profile, connector_of("salesforce"), closed_instance(profile, []))
    assert instance.accepts(RecordChanged("one-1", kind, "7")) is accepted


def test_every_object_has_its_rules_and_every_change_its_type() -> None:
    """What the interfaces read is in the ownership rules, at the stage that it has once it is ours."""
    rules = Ownership.load(OWNERSHIP).objects
    for interface in (Crm, Erp, Psa):
        for name, bound in readings(interface).items():
            declared = bound.operation.reads
            assert declared is not None
            assert declared.stage in (*rules[name].stages, "")
