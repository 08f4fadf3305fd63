"""The laws of the architecture that are no imports: what each package must have, and what none may."""

import ast
import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import experience_apis.app
import gateway.admin
import process_apis.app
from contracts.problems import catalogue
from deploy.composition.gateway_assembly import apis
from deploy.composition.interfaces import drifted, frozen, frozen_path, interfaces
from deploy.settings import DEMO_CONFIG
from gateway.inventory import scopes_of
from gateway.pipeline import GatewaySettings
from gateway.plans import grants, read, read_consumers
from kit.operations import Bound, api_of, bind
from kit.settings import read_toml
from sandbox.folders import profile_of
from system_apis.app import connector_of, interface_of, read_profiles, vendors
from system_apis.connector.errors import Meaning

ROOT = Path(__file__).parents[2]
TIERS = ("gateway", "experience_apis", "process_apis", "system_apis", "kit", "contracts")
ROOMS = (*TIERS, "deploy", "sandbox", "bench")
VENDOR_MODULES = frozenset({"profile", "records", "client", "mapping", "adapter", "changes", "check"})
VENDOR_MAY_HAVE = frozenset({"__init__", "auth", "webhooks"})
PROBLEMS = {kind.__name__ for kind in catalogue().values()}
OPERATIONS = [bound for interface in interfaces() for bound in bind(interface)]


def modules(*rooms: str) -> Iterator[Path]:
    """Every module of some rooms that a person wrote."""
    for room in rooms:
        yield from (path for path in (ROOT / room).rglob("*.py") if not path.match("proto/*_pb2*.py"))


def kept_by(interface: type) -> list[str]:
    """Where an interface stands in the demo: its instances, or its floor."""
    api = api_of(interface)
    if api.tier == "system":
        profiles = [profile for _, profile in read_profiles(DEMO_CONFIG / "instances")]
        return [profile.name for profile in profiles if api.name in profile.capabilities]
    tiers = {"process": process_apis.app, "experience": experience_apis.app, "gateway": gateway.admin}
    floor = tiers[api.tier]
    return [api.tier] if interface in floor.interfaces() else []


@pytest.mark.parametrize("vendor", vendors())
def test_a_vendors_package_has_its_shape(vendor: str) -> None:
    """The modules that every vendor has and no others, a README, and a stand-in with all of its own."""
    package = ROOT / "system_apis/vendors" / vendor
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or list(path.glob("*.py"))}
    assert modules - VENDOR_MAY_HAVE == VENDOR_MODULES
    assert (package / "README.md").is_file()
    stage = ROOT / "sandbox" / vendor
    wanted = ("README.md", "__init__.py", "vendor.py", "console.py", "stand.py", "profile.toml")
    assert [name for name in wanted if not (stage / name).is_file()] == []
    assert read_toml(profile_of(vendor), connector_of(vendor).profile).vendor == vendor


@pytest.mark.parametrize("vendor", vendors())
def test_a_vendors_package_shows_its_connector_only(vendor: str) -> None:
    """Nobody needs another name of it: how it is opened is behind the connector."""
    tree = ast.parse((ROOT / "system_apis/vendors" / vendor / "__init__.py").read_text(encoding="utf-8"))
    assert [name for name in defined_in(tree) if not name.startswith("_")] == ["CONNECTOR"]


@pytest.mark.parametrize("vendor", vendors())
def test_a_vendors_classes_have_their_names(vendor: str) -> None:
    """<Vendor>Client, <Vendor>Profile, and <Vendor><Capability> in adapter/<capability>."""
    package = ROOT / "system_apis/vendors" / vendor
    connector = connector_of(vendor)
    prefix = connector.profile.__name__.removesuffix("Profile")
    assert prefix.lower() == vendor
    expected = {"profile.py": f"{prefix}Profile", "client/__init__.py": f"{prefix}Client"}
    for capability in connector.capabilities:
        expected[f"adapter/{capability}.py"] = f"{prefix}{interface_of(capability).__name__}"
    for path, name in expected.items():
        assert name in defined_in(ast.parse((package / path).read_text(encoding="utf-8"))), path


@pytest.mark.parametrize("vendor", vendors())
def test_a_vendors_refusals_are_one_table(vendor: str) -> None:
    """In client/errors, or in that of the platform which it shares with other vendors."""
    connector = importlib.import_module(f"system_apis.vendors.{vendor}")
    platforms = {
        name.split(".")[2] for name in map(module_of, vars(connector).values()) if ".platforms." in name
    }
    places = [
        f"system_apis.vendors.{vendor}.client.errors",
        *(f"system_apis.platforms.{p}.errors" for p in platforms),
    ]
    tables = [importlib.import_module(place).MEANINGS for place in places if importlib.util.find_spec(place)]
    assert tables
    for table in tables:
        assert all(isinstance(line, Meaning) for line in table)
        assert hidden_lines(table) == []


def hidden_lines(table: Sequence[Meaning]) -> list[Meaning]:
    """The lines that can never be reached, because an earlier one fits wherever they do."""
    return [
        line
        for number, line in enumerate(table)
        if any(
            earlier.status in (0, line.status)
            and earlier.code in ("", line.code)
            and earlier.text in ("", line.text)
            for earlier in table[:number]
        )
    ]


def test_every_problem_of_a_vendor_has_its_instance() -> None:
    """Who reads a problem sees which account it is of; a push or an id is refused before it is of one."""
    silent = [
        f"{path.relative_to(ROOT)}:{call.lineno} {call.func.id}"
        for path in modules("system_apis/vendors", "system_apis/platforms")
        if path.stem not in ("webhooks", "ids")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in PROBLEMS
        and "instance" not in {keyword.arg for keyword in call.keywords}
    ]
    assert silent == []


def defined_in(tree: ast.Module) -> list[str]:
    """The names that a module defines itself."""
    names: list[str] = []
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.append(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.append(name)
    return names


def module_of(thing: object) -> str:
    """Where a thing is defined."""
    return str(getattr(thing, "__module__", ""))


@pytest.mark.parametrize("vendor", vendors())
def test_a_vendor_keeps_capabilities_that_there_are(vendor: str) -> None:
    """Its card names declared capabilities only, and at least one."""
    connector = connector_of(vendor)
    assert connector.name == vendor
    assert [interface_of(capability) for capability in connector.capabilities]


@pytest.mark.parametrize("interface", interfaces(), ids=lambda interface: api_of(interface).slug)
def test_an_interface_is_promised_and_kept(interface: type) -> None:
    """It has a frozen document with every operation, and somebody who keeps it."""
    assert frozen_path(interface).is_file()
    promised = {
        operation["operationId"]
        for path in frozen(interface)["paths"].values()
        for operation in path.values()
    }
    assert promised == {bound.operation_id for bound in bind(interface)}
    assert kept_by(interface)


@pytest.mark.parametrize("bound", OPERATIONS, ids=lambda bound: bound.operation_id)
def test_an_exposed_operation_has_scope_limit_and_target(bound: Bound) -> None:
    """Somebody was granted its scope, all who were are limited, and it leads somewhere in time."""
    consumers = read_consumers(DEMO_CONFIG / "consumers.toml")
    plans = read(DEMO_CONFIG / "gateway.toml", GatewaySettings).plans
    assert bound.scope in scopes_of(apis())
    granted = {name: one for name, one in consumers.items() if grants(one.scopes, bound.scope)}
    assert granted
    assert {one.plan_for(bound.api.slug) for one in granted.values()} <= set(plans)
    assert bound.operation.deadline > 0
    assert bound.operation.summary


def test_the_promises_have_not_drifted() -> None:
    """What the code says is what was frozen."""
    assert drifted() == []


def test_every_module_says_what_it_is_for() -> None:
    """A sentence at its top."""
    silent = [
        str(path.relative_to(ROOT))
        for path in modules(*ROOMS, "tests")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_nobody_sleeps_where_a_condition_could_be_waited_for() -> None:
    """No blocking sleep on any tier; elsewhere only with the reason beside it."""
    found = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in modules(*ROOMS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "time.sleep(" in line and (path.relative_to(ROOT).parts[0] in TIERS or "#" not in line)
    }
    assert found == set()


def printing(path: Path) -> Iterator[int]:
    """The lines of a module that print by themselves, or know the library that does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                yield node.lineno
            case ast.ImportFrom(module=str(name)) if name.partition(".")[0] == "rich":
                yield node.lineno
            case ast.Import(names=names) if any(one.name.partition(".")[0] == "rich" for one in names):
                yield node.lineno


def test_commands_print_through_one_place() -> None:
    """Only deploy/console.py prints: it takes no text for markup, and lets no control character through."""
    # An auditor runs verify.py without us; it has no more than print.
    allowed = {ROOT / "deploy/console.py", ROOT / "deploy/cli/auditing/verify.py"}
    found = [(path, line) for path in modules("deploy", "bench") for line in printing(path)]
    assert [f"{path}:{line}" for path, line in found if path not in allowed] == []


def test_every_task_is_awaited_or_is_background_work() -> None:
    """Work in the background begins by `run_background`, so that none dies unheard; others are awaited."""
    awaited = {
        "kit/background.py",
        "kit/database/locks.py",
        "kit/http/refresh.py",
        "kit/streaming.py",
        "gateway/streams.py",
        "gateway/pages/sessions.py",
        "gateway/identity/introspection.py",
        "gateway/policies/cache/reading.py",
        "deploy/process/children.py",
        "deploy/cli/commands/up.py",
        "system_apis/connector/polling.py",
        "system_apis/platforms/salesforce_org/stream.py",
    }
    tiers = ("kit", "gateway", "experience_apis", "process_apis", "system_apis", "deploy")
    found = {
        str(path.relative_to(ROOT))
        for tier in tiers
        for path in (ROOT / tier).rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("create_task(", "ensure_future("))
    }
    assert found == awaited
