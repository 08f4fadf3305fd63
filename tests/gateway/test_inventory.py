"""tests/gateway: the deployment's own APIs: each is documented, granted to somebody, and reachable."""

from pathlib import Path

import pytest

from deploy.composition.interfaces import frozen, interfaces
from deploy.demo.cast import read_cast
from deploy.settings import DEMO_CONFIG
from gateway.admin import interfaces as admin_interfaces
from gateway.app import Gateway
from gateway.exchange import Exchange, Reply, json_reply
from gateway.identity import DevelopmentIssuer
from gateway.inventory import Mounted, scopes_of
from gateway.pipeline import GatewaySettings
from gateway.plans import expand, read, read_consumers, unknown_plans
from kit.operations import api_of, bind
from tests.gateway.deployment import URL
from tests.support.gateways import make_gateway

STORY = Path(__file__).parents[2] / "deploy" / "demo_config"
CONSUMERS = read_consumers(STORY / "consumers.toml")
INSTANCES = {capability: role.instance for capability, role in read_cast(DEMO_CONFIG).items()}


async def answer(_: Exchange) -> Reply:
    return json_reply(200, {})


@pytest.fixture(scope="module")
def door(keys_folder: Path) -> Gateway:
    """The gateway with the demo's policies over every frozen document."""
    found = interfaces()
    issuer = DevelopmentIssuer(
        keys_folder,
        issuer=URL,
        audience=URL,
        consumers=CONSUMERS,
        scopes=scopes_of(api_of(interface) for interface in found),
    )
    return make_gateway(
        settings=read(STORY / "gateway.toml", GatewaySettings),
        consumers=CONSUMERS,
        apis=[
            Mounted(
                interface, frozen(interface), lambda _name: answer, INSTANCES.get(api_of(interface).name, "")
            )
            for interface in found
            if interface not in admin_interfaces()
        ],
        public_url=URL,
        issuer=issuer,
        admin=frozen,
    )


def test_every_declared_operation_stands_behind_the_door(door: Gateway):
    """Nothing that an interface declares is missing, and nothing is there that none declares."""
    assert {route.name for route in door.runtime.version.internal_table.routes} == _declared(
        admin_interfaces()
    )
    public = [kind for kind in interfaces() if kind not in admin_interfaces()]
    assert {
        route.name for route in door.runtime.version.table.routes if route.operation is not None
    } == _declared(public)


def _declared(kinds: list[type]) -> set[str]:
    return {f"{api_of(kind).slug}.{bound.name}" for kind in kinds for bound in bind(kind)}


def test_every_operation_is_granted_to_somebody_beside_ci(door: Gateway):
    """A scope that only the contract tests hold would be an operation that nobody may use."""
    routes = [*door.runtime.version.table.routes, *door.runtime.version.internal_table.routes]
    scopes = tuple(sorted({route.scope for route in routes if route.operation is not None}))
    granted = {
        scope for name, consumer in CONSUMERS.items() if name != "ci" for scope in expand(consumer, scopes)
    }
    # System writes are the flows' own business: no consumer but the contract tests calls them directly.
    assert {scope for scope in scopes if not _is_system_write(scope)} <= granted
    assert not [scope for scope in granted if _is_system_write(scope)]


def _is_system_write(scope: str) -> bool:
    tier, _, access = scope.split(".")
    return tier == "system" and access != "read"


def test_no_operation_of_an_inner_tier_is_open_to_the_outside():
    """Partners and portals meet experience APIs, and only those that say so."""
    open_to_all = [api_of(kind) for kind in interfaces() if "outside" in api_of(kind).audiences]
    assert {api.tier for api in open_to_all} <= {"experience"}


def test_every_operation_has_a_limit(door: Gateway):
    """Every consumer of the demo is on a plan, and every route of an API is metered."""
    assert unknown_plans(CONSUMERS, door.runtime.settings.plans) == []
    assert all(consumer.subscriptions for consumer in CONSUMERS.values())
