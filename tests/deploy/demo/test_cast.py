"""Who plays the demo: the configuration names them, and needs one for each part."""

import shutil
from pathlib import Path

import pytest

from deploy.demo.cast import CRM, ERP, PSA, find_role, read_cast
from deploy.errors import CommandError
from deploy.process.sandboxes import FIRST_PORT, port_of
from deploy.settings import DEMO_CONFIG
from sandbox.folders import default_port, vendors


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = tmp_path / "config"
    shutil.copytree(DEMO_CONFIG, config)
    return config


def add(config: Path, capability: str, name: str) -> None:
    """A second instance of what plays a capability."""
    model = read_cast(config)[capability].instance
    text = (config / "instances" / f"{model}.toml").read_text(encoding="utf-8")
    (config / "instances" / f"{name}.toml").write_text(text.replace(f'"{model}"', f'"{name}"'), "utf-8")


def test_those_play_whom_the_screen_and_the_routes_name(config: Path) -> None:
    """A second instance plays where it is named, and nowhere else."""
    before = read_cast(config)
    for capability in (CRM, ERP, PSA):
        add(config, capability, f"a-{capability}")
    assert read_cast(config) == before
    for name in ("consumers.toml", "routing.toml"):
        text = (config / name).read_text(encoding="utf-8")
        for capability, role in before.items():
            text = text.replace(f'"{role.instance}"', f'"a-{capability}"')
        (config / name).write_text(text, encoding="utf-8")
    assert {capability: role.instance for capability, role in read_cast(config).items()} == {
        capability: f"a-{capability}" for capability in (CRM, ERP, PSA)
    }


def test_a_part_without_a_player_is_told(config: Path) -> None:
    """An instance that is gone, or whose profile cannot be read, does not play."""
    role = read_cast(config)[PSA]
    (config / "instances" / f"{role.instance}.toml").write_text("name = [", encoding="utf-8")
    assert find_role(config, PSA) is None
    with pytest.raises(CommandError, match="capability psa"):
        read_cast(config)


def test_a_stand_ins_port_does_not_depend_on_the_others() -> None:
    """Each has its own, moved as far as the first."""
    ports = [port_of(vendor, FIRST_PORT) for vendor in vendors()]
    assert ports == [default_port(vendor) for vendor in vendors()]
    assert len(set(ports)) == len(ports)
    assert [port_of(vendor, FIRST_PORT + 100) - 100 for vendor in vendors()] == ports
