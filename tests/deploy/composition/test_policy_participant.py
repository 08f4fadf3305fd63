"""tests/deploy: flows without a gateway go by the same policy, and follow it without a restart."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.problems import SegregationOfDuties
from deploy.composition.access import policy_participant, read_policy, read_routing_facts
from deploy.composition.checking import policy_faults
from deploy.settings import DEMO_CONFIG
from gateway.policy_bundle.reloader import PolicyReloader, Refusal
from kit.telemetry import families
from process_apis.current_policy import CurrentPolicy
from tests.support.stack import until

PATIENCE_SECONDS = 20
OTHER_ERP = (
    '[[routes]]\ncapability = "erp"\nselling_entity = "NB-UK"\ninstance = "netsuite-uk"\nresidency = "{}"\n\n'
)
SHARED = '[[conflicts]]\nduties = ["request-customer", "approve-customer"]'


@dataclass
class Place:
    """A configuration folder with a second ERP, and flows that go by its policy."""

    folder: Path
    in_force: CurrentPolicy
    keeper: PolicyReloader

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        draft = path.with_suffix(".new")
        draft.write_text(text.replace(old, new, 1), encoding="utf-8")
        draft.rename(path)

    def route(self, text: str) -> None:
        """Another route before all that there are."""
        self.edit("routing.toml", "[[routes]]", f"{text}[[routes]]")

    def line_of(self, text: str) -> int:
        lines = (self.folder / "routing.toml").read_text(encoding="utf-8").splitlines()
        return lines.index(text) + 1


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    folder = tmp_path / "config"
    shutil.copytree(DEMO_CONFIG, folder)
    text = (folder / "instances/netsuite-main.toml").read_text(encoding="utf-8")
    second = text.replace('"netsuite-main"', '"netsuite-uk"')
    (folder / "instances/netsuite-uk.toml").write_text(second, encoding="utf-8")
    firm = read_routing_facts(folder)
    bundle = read_policy(folder, firm)
    in_force = CurrentPolicy(bundle.routing, bundle.duties)
    keeper = PolicyReloader(bundle, [policy_participant(in_force, firm)], folder=folder, look_seconds=0.01)
    await keeper.start()
    yield Place(folder, in_force, keeper)
    await keeper.close()


async def until_another(place: Place, digest: str) -> None:
    async def look() -> bool:
        return place.keeper.bundle.digest != digest

    await until("another policy is in force", look, PATIENCE_SECONDS)


async def until_refused(place: Place) -> list[str]:
    async def look() -> Refusal | None:
        return place.keeper.refused

    return (await until("the change is refused", look, PATIENCE_SECONDS)).faults


def told() -> list[tuple[dict[str, str], float]]:
    """What the gauge says of the policy in force."""
    found = next(family for family in families() if family.name == "enfilade_gateway_policy_current")
    return [(sample.labels, sample.value) for sample in found.samples]


async def test_a_route_is_in_force_without_a_restart(place: Place):
    """Whoever asks next is given the new instance, under another digest that the metrics tell."""
    before = place.keeper.bundle.digest
    assert told() == [({"digest": before, "refused": "false"}, 1)]
    assert place.in_force.routing.instance_for("erp", "NB-UK") == "netsuite-main"
    place.route(OTHER_ERP.format("eu"))
    await until_another(place, before)
    assert place.in_force.routing.instance_for("erp", "NB-UK") == "netsuite-uk"
    assert place.in_force.routing.instance_for("erp", "NB-US") == "netsuite-main"
    assert told() == [({"digest": place.keeper.bundle.digest, "refused": "false"}, 1)]


async def test_the_duties_of_a_case_are_those_in_force(place: Place):
    """What was kept apart when the process began is not, once the file says so."""
    case = ("approve-customer", ("ann",), {"request-customer": ("ann",)})
    with pytest.raises(SegregationOfDuties):
        place.in_force.duties.require_different_person(*case)
    before = place.keeper.bundle.digest
    place.edit("duties.toml", SHARED, SHARED.replace("approve-customer", "approve-subscription"))
    await until_another(place, before)
    place.in_force.duties.require_different_person(*case)


@pytest.mark.parametrize(
    ("route", "line", "reason"),
    [
        (
            OTHER_ERP.format("us"),
            'residency = "us"',
            "routes[0].residency: netsuite-uk keeps its data in eu, not in us",
        ),
        (
            OTHER_ERP.replace("-uk", "-xx").format("eu"),
            'instance = "netsuite-xx"',
            "routes[0].instance: netsuite-xx does not serve erp",
        ),
        (
            OTHER_ERP.replace("NB-UK", "NB-XX").format("eu"),
            'selling_entity = "NB-XX"',
            "routes[0].selling_entity: there is no legal entity NB-XX",
        ),
    ],
)
async def test_routing_that_does_not_fit_is_refused_whole(place: Place, route: str, line: str, reason: str):
    """The last good policy stays; file, line and reason are told, and a check tells the same."""
    before = (place.keeper.bundle.digest, place.in_force.routing, place.in_force.duties)
    place.route(route)
    expected = [f"{place.folder}/routing.toml:{place.line_of(line)}: {reason}"]
    assert await until_refused(place) == expected
    assert (place.keeper.bundle.digest, place.in_force.routing, place.in_force.duties) == before
    assert told() == [({"digest": before[0], "refused": "true"}, 1)]
    assert policy_faults(place.folder) == expected


async def test_an_entity_without_a_system_is_refused(place: Place):
    """Each legal entity needs an ERP and a PSA."""
    place.edit("routing.toml", 'selling_entity = "*"', 'selling_entity = "NB-UK"')
    line = place.line_of("[[routes]]")
    assert await until_refused(place) == [
        f"{place.folder}/routing.toml:{line}: routes: no erp serves {entity}" for entity in ("NB-DE", "NB-US")
    ]


async def test_a_fault_elsewhere_keeps_a_good_route_out(place: Place):
    """The policy is one version: what is wrong with the gateway's settings refuses the routing beside it."""
    place.edit("gateway.toml", "max_depth = 32", 'max_depth = "deep"')
    await until_refused(place)
    place.route(OTHER_ERP.format("eu"))

    first = place.keeper.refused

    async def seen_again() -> bool:
        return place.keeper.refused is not first

    await until("the second change is refused as well", seen_again, PATIENCE_SECONDS)
    assert place.in_force.routing.instance_for("erp", "NB-UK") == "netsuite-main"


def test_faults_of_routing_are_told_beside_those_of_other_files(tmp_path: Path):
    """A folder with faults in two files is told both at once."""
    folder = tmp_path / "config"
    shutil.copytree(DEMO_CONFIG, folder)
    for name, old, new in (
        ("gateway.toml", "max_depth = 32", 'max_depth = "deep"'),
        ("routing.toml", '"kantata-main"', '"nowhere"'),
    ):
        path = folder / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    faults = policy_faults(folder)
    assert [fault.rpartition("/")[2].partition(":")[0] for fault in faults] == [
        "gateway.toml",
        "routing.toml",
    ]
    assert faults[1].endswith(": routes[1].instance: nowhere does not serve psa")
