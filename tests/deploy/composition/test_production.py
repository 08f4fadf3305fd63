"""tests/deploy: production is safe by itself: it refuses what is for development, and starts without."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from bench.ports import free_ports
from deploy.cli.commands import token, up
from deploy.cli.diagnosis import diagnose
from deploy.composition.access import policy_participant, read_policy, read_routing_facts
from deploy.composition.assemble import assemble
from deploy.composition.checking import start_faults
from deploy.errors import CommandError
from deploy.settings import DEMO_CONFIG, read_settings
from gateway.pipeline import GatewaySettings
from gateway.plans import read
from gateway.policy_bundle import read_bundle
from kit import clock
from kit.settings import SettingsError
from process_apis.current_policy import CurrentPolicy
from tests.support.forkserver import fork
from tests.support.production import ISSUER, PUBLIC_URL, edit, production_environment, production_folder
from tests.support.stack import until

NOWHERE = "postgresql+psycopg://enfilade@db.example.com/enfilade"
PATIENCE_SECONDS = 300  # a machine that does much else needs minutes; one that has ended is seen at once
NOTHING_ELSE = {"ENFILADE_DEPLOYMENT": "production"}
DEMO_MARKS = (
    "ENFILADE_DATABASE_URL is not set",
    "ENFILADE_CONFIG is not set, or names the demo's folder",
    "ENFILADE_MASTER_KEY is not set",
    "ENFILADE_PUBLIC_URL is not set",
    "people.toml: its people sign in without a password",
    'salesforce-main.toml: environment is "test"',
    'netsuite-main.toml: environment is "test"',
    'kantata-main.toml: environment is "test"',
    "firm.toml: equals the demo's",
    "rate_cards.toml: equals the demo's",
    "delivery_templates.toml: equals the demo's",
    "identity.embedded_issuer: issues tokens without a password",
    'identity.api_keys: "test" keys',
    "consumers.ci: is the demo's",
    "consumers.platform: is the demo's",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return production_folder(tmp_path / "config")


@pytest.fixture
def moved_clock() -> Iterator[None]:
    clock.advance(60)
    yield
    clock.real()


def about(faults: list[str], mark: str) -> list[str]:
    return [fault for fault in faults if mark in fault]


def test_production_with_nothing_else_is_refused_for_every_reason_at_once():
    """Each part of the demo is named, once, and each of its policy's with file and line."""
    faults = start_faults(NOTHING_ELSE)
    assert {mark: len(about(faults, mark)) for mark in DEMO_MARKS} == dict.fromkeys(DEMO_MARKS, 1)
    assert about(faults, "identity.embedded_issuer")[0].startswith(f"{DEMO_CONFIG}/gateway.toml:14: ")


def test_a_configuration_of_ones_own_is_fit_for_production(folder: Path):
    """Nothing is refused that a firm needs."""
    assert start_faults(production_environment(folder, NOWHERE)) == []


def test_a_copy_of_the_demo_is_the_demo(folder: Path, tmp_path: Path):
    """Wherever it lies, however it is laid out, and whichever version it calls itself."""
    for name in ("consumers.toml", "duties.toml", "reference/firm.toml"):
        text = (DEMO_CONFIG / name).read_text(encoding="utf-8")
        (folder / name).write_text(f"# Ours\n{text.replace('version = 1', 'version = 2')}", encoding="utf-8")
    faults = start_faults(production_environment(folder, NOWHERE))
    assert len(faults) == len(about(faults, "the demo's")) == 10, faults


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("gateway.toml", "[identity]", "[identity]\nembedded_issuer = true", "identity.embedded_issuer"),
        ("gateway.toml", '"live"', '"test"', "identity.api_keys"),
        ("gateway.toml", 'issuer = "https:', 'issuer = "http:', "is no https address"),
        ("gateway.toml", f'issuer = "{ISSUER}', 'issuer = "https://127.0.0.1/', "is this machine alone"),
        ("gateway.toml", f'issuer = "{ISSUER}', 'issuer = "https://[::]/', "is an address to listen at"),
        ("consumers.toml", '"experience.crm-ui.read"', '"*.*.*"', "consumers.crm-app.scopes"),
        ("instances/kantata-main.toml", '"production"', '"test"', 'environment is "test"'),
        ("instances/kantata-main.toml", "token =", 'base_url = "env:BASE"\ntoken =', "connection.base_url"),
    ],
)
def test_each_part_of_development_is_refused_by_itself(
    folder: Path, name: str, old: str, new: str, fault: str
):
    """Alone among what is right it is refused, and its file is named."""
    edit(folder / name, old, new)
    faults = start_faults(production_environment(folder, NOWHERE, BASE="http://127.0.0.1:9103/api/v1"))
    assert len(about(faults, fault)) == 1, faults
    assert about(faults, str(folder / name)) == faults


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "is not set"),
        ("http://api.example.com", "is no https address"),
        ("https://0.0.0.0:8443", "is an address to listen at"),
        ("https://[::ffff:127.0.0.1]", "is this machine alone"),
        ("https://localhost", "is this machine alone"),
        ("https://[", "is no https address"),
        ("https://", "is no https address"),
    ],
)
def test_the_public_url_is_one_that_others_can_call_safely(folder: Path, url: str, reason: str):
    """It is issuer and audience of tokens: neither an address to listen at nor plain HTTP will do."""
    environ = production_environment(folder, NOWHERE, ENFILADE_PUBLIC_URL=url)
    (fault,) = start_faults(environ)
    assert fault.startswith("ENFILADE_PUBLIC_URL")
    assert reason in fault


def test_a_moved_clock_is_refused(folder: Path, moved_clock: None):
    """Expiry and deadlines go by it."""
    (fault,) = start_faults(production_environment(folder, NOWHERE))
    assert fault.startswith("ENFILADE_CLOCK_OFFSET")


def test_embedded_stores_are_refused(folder: Path, addresses: dict[str, str], tmp_path: Path):
    """What `enfilade up` started for itself ends with it."""
    data = Path(addresses["nursery"]).parent / "servers"
    stores = {"ENFILADE_CACHE_URL": addresses["cache_url"], "ENFILADE_DATA_DIR": str(data)}
    faults = start_faults(production_environment(folder, addresses["database_url"], **stores))
    assert [fault.split(" ")[0] for fault in faults] == ["ENFILADE_DATABASE_URL", "ENFILADE_CACHE_URL"]


SPLIT = {
    "ENFILADE_INTERNAL_KEY": "env:KEY",
    "ENFILADE_SYSTEM_URL": "http://system:8080",
    "ENFILADE_PROCESS_URL": "http://process:8080",
    "ENFILADE_EXPERIENCE_URL": "http://experience:8080",
    "KEY": "k" * 32,
}


@pytest.mark.parametrize("tiers", ["all", "gateway", "experience", "process", "system"])
@pytest.mark.parametrize("role", ["all", "api", "worker"])
async def test_every_process_refuses_whoever_starts_it(tiers: str, role: str):
    """Also one that holds a single tier, or works on flows only, and also without the command."""
    held = {"ENFILADE_TIERS": tiers, "ENFILADE_ROLE": role}
    settings = read_settings({**NOTHING_ELSE, **SPLIT, **held, "ENFILADE_DATABASE_URL": NOWHERE})
    with pytest.raises(SettingsError, match="names the demo's folder"):
        async with assemble(settings, {}):
            pass


def test_the_doctor_says_what_a_start_would_refuse(tmp_path: Path):
    """The same list."""
    found = [one.found for one in diagnose(tmp_path, NOTHING_ELSE, 0, 0) if one.what == "production"]
    assert found == start_faults(NOTHING_ELSE)
    assert len(found) > len(DEMO_MARKS)


def test_the_demo_is_not_played_in_production(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`enfilade up` starts embedded stores and stand-ins: it refuses, with all reasons, as does `token`."""
    monkeypatch.setenv("ENFILADE_DEPLOYMENT", "production")
    with pytest.raises(SettingsError) as caught:
        up.run(_options(up.configure, "--data", str(tmp_path)))
    assert caught.value.faults == [caught.value.faults[0], *start_faults(os.environ)]
    assert "enfilade serve" in caught.value.faults[0]
    with pytest.raises(CommandError, match="is not enabled"):
        token.run(_options(token.configure, "--as", "ci", "--data", str(tmp_path)))


def _options(configure: Callable[..., None], *arguments: str):
    import argparse  # noqa: PLC0415

    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(arguments)


async def test_a_change_to_what_is_for_development_is_refused_while_it_runs(folder: Path):
    """The policy files change without a restart, and are held to the same."""
    firm = read_routing_facts(folder)
    bundle = read_policy(folder, firm, production=True)
    part = policy_participant(CurrentPolicy(bundle.routing, bundle.duties), firm, production=True)
    part(bundle)
    edit(folder / "gateway.toml", "[identity]", "[identity]\nembedded_issuer = true")
    with pytest.raises(SettingsError, match="issues tokens without a password"):
        part(read_bundle(folder))


def test_the_embedded_issuer_is_off_unless_asked_for(folder: Path):
    """In development too; and a gateway that would believe nobody is refused."""
    assert not GatewaySettings().identity.embedded_issuer
    assert read(DEMO_CONFIG / "gateway.toml", GatewaySettings).identity.embedded_issuer
    text = (folder / "gateway.toml").read_text(encoding="utf-8")
    start, end = text.index("[identity]"), text.index("# What one process bears")
    (folder / "gateway.toml").write_text(text[:start] + text[end:], encoding="utf-8")
    (fault,) = start_faults({"ENFILADE_DATABASE_URL": NOWHERE, "ENFILADE_CONFIG": str(folder)})
    assert "no credential is accepted" in fault


async def test_production_starts_with_a_configuration_of_ones_own(folder: Path, fresh_database_url: str):
    """It serves, believes its own issuer alone, and has no address at which anybody gets a token."""
    port = free_ports(2)
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environ |= production_environment(
        folder, fresh_database_url, ENFILADE_PORT=str(port), ENFILADE_ROLE="api"
    )
    log = folder.parent / "serve.log"
    with log.open("wb") as output:
        process = fork("deploy.cli.main", "serve", environ=environ, stdout=output.fileno())
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

            async def ready() -> bool:
                assert process.poll() is None, log.read_text(encoding="utf-8")
                try:
                    return (await http.get("/health/ready")).is_success
                except httpx.TransportError:
                    return False

            await until("production serves", ready, PATIENCE_SECONDS)
            described = (await http.get("/.well-known/oauth-protected-resource")).json()
            asked = await http.post("/oauth/token", data={"grant_type": "client_credentials"})
            anonymous = await http.get("/experience/crm-ui/v1/opportunities/006x/activation")
        assert described["authorization_servers"] == [ISSUER]
        assert described["resource"] == PUBLIC_URL
        assert (asked.status_code, anonymous.status_code) == (404, 401)
    finally:
        process.terminate()
        process.wait()
