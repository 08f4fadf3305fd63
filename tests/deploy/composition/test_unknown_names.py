"""tests/deploy: a file that names what there is not is refused, at start and on reload, with its line."""

import shutil
from pathlib import Path

import pytest

from deploy.composition.access import RoutingFacts, policy_participant, read_policy, read_routing_facts
from deploy.composition.checking import configuration_faults, start_faults
from deploy.settings import DEMO_CONFIG
from gateway.policy_bundle import read_bundle
from gateway.policy_bundle.reloader import PolicyReloader
from kit.settings import SettingsError
from process_apis.current_policy import CurrentPolicy
from tests.support.production import production_folder

OPERATIONS = "\n[consumers.odd]\ntitle = 'Odd'\n{}\n"
SCOPES = "scopes = ['process.*.read']"
DUTY = "\n[duties.odd]\ntitle = 'do odd things'\n{}\n"
PAIR = "\n[[conflicts]]\nduties = ['request-customer', 'aprove-customer']\nwhy = 'a slip of the pen'\n"
WAIVER = (
    "\n[[waivers]]\nholder = '{}'\nduties = ['{}', 'approve-customer']\n"
    "reason = 'a slip of the pen'\nuntil = 2036-01-01\n"
)
PLAN = "\n[plans.odd]\nlimits = [{ name = 'a', requests = 1, seconds = 1 }]\nentities = ['NB-UK', 'NB-XX']\n"
ISSUER = (
    "\n[[identity.issuers]]\nissuer = 'https://idp.example.com'\njwks_uri = 'https://idp.example.com/jwks'\n"
    "groups_claim = 'groups'\nroles = { staff = ['finanse'] }\n"
)
ROUTE = "\n[[routes]]\ncapability = '{}'\nselling_entity = '{}'\ninstance = '{}'\n"
PERSON = "\n[people.odd]\nname = 'Odd'\n{}\n"
# File, what is appended to it, the line among that on which the fault is, and what is said.
BUNDLE = [
    (
        "consumers.toml",
        OPERATIONS.format("scopes = ['process.no-such.read']"),
        4,
        "asks for process.no-such.read",
    ),
    (
        "consumers.toml",
        OPERATIONS.format("scopes = ['process.events.write']"),
        4,
        "asks for process.events.write",
    ),
    (
        "consumers.toml",
        OPERATIONS.format("scopes = ['experience.*.approve']"),
        4,
        "asks for experience.*.approve",
    ),
    ("consumers.toml", OPERATIONS.format("scopes = ['*.no-such.*']"), 4, "asks for *.no-such.*"),
    ("consumers.toml", OPERATIONS.format(SCOPES + "\nroles = ['finanse']"), 5, "the role finanse"),
    ("consumers.toml", OPERATIONS.format(SCOPES + "\nentities = ['NB-XX']"), 5, "no legal entity NB-XX"),
    ("consumers.toml", OPERATIONS.format(SCOPES + "\nclaims = { instance = 'crm' }"), 5, "no instance crm"),
    (
        "consumers.toml",
        OPERATIONS.format(SCOPES + "\nsubscriptions = { 'process/events@2' = 'batch' }"),
        5,
        "no API",
    ),
    (
        "consumers.toml",
        OPERATIONS.format(SCOPES + "\nsubscriptions = { '*' = 'bacht' }"),
        5,
        "no plan 'bacht'",
    ),
    (
        "duties.toml",
        DUTY.format("operations = ['process/events@1.eat']"),
        4,
        "no operation process/events@1.eat",
    ),
    ("duties.toml", DUTY.format("scopes = ['gateway.policies.write']"), 4, "asks for gateway.policies.write"),
    ("duties.toml", DUTY.format("scopes = ['process.*.delete']"), 4, "asks for process.*.delete"),
    ("duties.toml", DUTY.format("roles = ['finanse']"), 4, "the role finanse"),
    ("duties.toml", PAIR, 3, "no duty is named aprove-customer"),
    ("duties.toml", WAIVER.format("nobody", "erase-person"), 3, "no consumer nobody"),
    ("duties.toml", WAIVER.format("ci", "erase-persons"), 4, "no duty is named erase-persons"),
    ("gateway.toml", PLAN, 4, "no legal entity NB-XX"),
    ("gateway.toml", ISSUER, 6, "the role finanse"),
    ("gateway.toml", "\n[contract.answers.routes.'process/evnts@1']\nmode = 'off'\n", 2, "process/evnts@1"),
    (
        "gateway.toml",
        "\n[contract.answers.routes.'process/events@1.eat']\nmode = 'off'\n",
        2,
        "process/events@1.eat",
    ),
    ("routing.toml", ROUTE.format("erp", "NB-XX", "netsuite-main"), 4, "no legal entity NB-XX"),
    ("routing.toml", ROUTE.format("erp", "*", "netsuite-lost"), 5, "netsuite-lost does not serve erp"),
    ("routing.toml", ROUTE.format("hcm", "*", "netsuite-main"), 3, "there is no capability hcm"),
]
BESIDE = [
    ("people.toml", PERSON.format("roles = ['finanse']"), 4, "the role finanse"),
    ("people.toml", PERSON.format("claims = { entities = ['NB-XX'] }"), 4, "no legal entity NB-XX"),
    ("people.toml", PERSON.format("claims = { instance = 'crm' }"), 4, "no instance crm"),
    ("flows.toml", "\n[lead_to_gold]\ndefault_mode = 'live'\n", 2, "no flow lead_to_gold"),
    ("flows.toml", "\n[customer_master.modes]\nsalesforce-mian = 'off'\n", 3, "no instance salesforce-mian"),
    (
        "flows.toml",
        "\n[customer_master.modes]\nsalesforce-main = 'dead'\n",
        3,
        "allowed are off, observe, live",
    ),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "config"
    shutil.copytree(DEMO_CONFIG, found)
    return found


def misspell(folder: Path, name: str, text: str, line: int) -> str:
    """Append to a file what names something that is not; where the fault is then reported."""
    path = folder / name
    before = path.read_text(encoding="utf-8")
    path.write_text(before + text, encoding="utf-8")
    return f"{path}:{before.count(chr(10)) + line}: "


@pytest.fixture(scope="module")
def facts() -> RoutingFacts:
    return read_routing_facts(DEMO_CONFIG)


@pytest.mark.parametrize(("name", "text", "line", "said"), BUNDLE)
async def test_a_name_that_means_nothing_is_refused_at_start_and_on_reload(
    folder: Path, facts: RoutingFacts, name: str, text: str, line: int, said: str
):
    """One fault, with the file and the line on which the name stands; the policy in force stays."""
    bundle = read_bundle(folder)
    follow = policy_participant(CurrentPolicy(bundle.routing, bundle.duties), facts)
    reloader = PolicyReloader(bundle, [follow], folder=folder)
    place = misspell(folder, name, text, line)
    await reloader.start()
    await reloader.close()
    assert reloader.refused is not None
    assert reloader.bundle.digest == bundle.digest
    with pytest.raises(SettingsError) as caught:
        read_policy(folder, facts)
    assert caught.value.faults == reloader.refused.faults
    assert [(fault.startswith(place), said in fault) for fault in caught.value.faults] == [(True, True)]


def test_faults_of_all_files_and_settings_are_reported_at_once(folder: Path) -> None:
    """Names that mean nothing beside files that cannot be read, and wrong variables; no fault is a guess."""
    scope = misspell(folder, "consumers.toml", OPERATIONS.format("scopes = ['process.evnts.read']"), 4)
    flow = misspell(folder, "flows.toml", "\n[lead_to_gold]\ndefault_mode = 'live'\n", 2)
    policy = misspell(folder, "gateway.toml", "\n[gaet]\n", 2)
    broken = folder / "duties.toml"
    broken.write_text("[duties", encoding="utf-8")
    route = misspell(folder, "routing.toml", ROUTE.format("hcm", "*", "workday-main"), 3)
    wrong = {"DATABASE_URL": "x", "CACHE_URL": "y", "INTERNAL_KEY": "env:NOWHERE"}
    faults = start_faults(
        {f"ENFILADE_{name}": value for name, value in wrong.items()} | {"ENFILADE_CONFIG": str(folder)}
    )
    places = [*(f"ENFILADE_{name}" for name in wrong), scope, flow, policy, str(broken), route]
    found = [[place for place in places if fault.startswith(place)] for fault in faults]
    instance = f"{folder / 'routing.toml'}:{int(route.split(':')[1]) + 2}: "
    assert [fault for fault, known in zip(faults, found, strict=True) if not known] == [
        f"{instance}routes[{instance_index(faults)}].instance: there is no instance workday-main"
    ]
    assert {place for known in found for place in known} == set(places)
    assert len(faults) == len(places) + 1


def instance_index(faults: list[str]) -> str:
    """The number of the route whose capability there is not."""
    return next(fault for fault in faults if "hcm" in fault).split("routes[")[1].split("]")[0]


@pytest.mark.parametrize(("name", "text", "line", "said"), [BUNDLE[0], *BESIDE])
def test_a_process_does_not_start_by_files_that_name_what_there_is_not(
    folder: Path, name: str, text: str, line: int, said: str
):
    """Also those that only a start reads."""
    place = misspell(folder, name, text, line)
    faults = start_faults({"ENFILADE_DATABASE_URL": "postgresql://x/y", "ENFILADE_CONFIG": str(folder)})
    assert [(fault.startswith(place), said in fault) for fault in faults] == [(True, True)], faults


def test_a_name_is_known_where_it_means_something(folder: Path):
    """A duty may go by a role that only its holders have, and patterns of whole tiers are names."""
    misspell(folder, "duties.toml", DUTY.format("roles = ['auditor']\nscopes = ['*.*.approve']"), 0)
    more = "scopes = ['process.*.read']\nroles = ['auditor']\nsubscriptions = { 'experience/*' = 'batch' }"
    misspell(folder, "consumers.toml", OPERATIONS.format(more), 0)
    misspell(folder, "gateway.toml", PLAN.replace(", 'NB-XX'", ""), 0)
    assert configuration_faults(folder) == []


def test_the_demo_and_a_firms_own_folder_name_what_there_is(tmp_path: Path):
    """Nothing in them is without effect for its name."""
    assert configuration_faults(DEMO_CONFIG) == []
    assert configuration_faults(production_folder(tmp_path / "own"), production=True) == []


def test_every_unknown_name_is_reported_at_once(folder: Path, facts: RoutingFacts):
    """Those of all files, each once."""
    places = [misspell(folder, *one) for one in (BUNDLE[0][:3], BUNDLE[9][:3], BUNDLE[16][:3])]
    with pytest.raises(SettingsError) as caught:
        read_policy(folder, facts)
    assert sorted(fault.partition(": ")[0] + ": " for fault in caught.value.faults) == sorted(places)
