"""tests/gateway: the policy files."""

from pathlib import Path

import pytest

from gateway.pipeline import GatewaySettings
from gateway.plans import decode, expand, grants, read, read_consumers, unknown_plans
from kit.settings import SettingsError

STORY = Path(__file__).parents[2] / "deploy" / "demo_config"


def test_the_storys_files_are_good_and_fit_together():
    """Consumers and policies of the demo load, and every plan exists."""
    consumers = read_consumers(STORY / "consumers.toml")
    settings = read(STORY / "gateway.toml", GatewaySettings)
    assert unknown_plans(consumers, settings.plans) == []
    assert set(consumers) == {
        "crm-screen",
        "psa-screen",
        "partner-acme",
        "portal-globex",
        "finance-desk",
        "operations",
        "platform",
        "executive",
        "ci",
    }
    assert [name for name, consumer in consumers.items() if consumer.outside] == [
        "partner-acme",
        "portal-globex",
    ]


def test_every_fault_of_a_file_is_told_at_once():
    """Unknown names, wrong types, broken bounds and missing values are listed together."""
    raw = {
        "wire": {"max_body_bytes": "large", "max_hedaers": 3, "max_headers": 1},
        "cors": {"origins": ["*"]},
        "plans": {"a": {"limits": [{"name": "x", "requests": 0}]}, "b": {"limits": []}},
        "rate_limit": {"plans": {}},
        "identity": {"certificate_proxies": ["here"]},
        "firewall": {},
    }
    with pytest.raises(SettingsError) as caught:
        decode(raw, GatewaySettings, "gateway.toml")
    places = {fault.split(": ")[1] for fault in caught.value.faults}
    assert places == {
        "firewall",
        "wire.max_hedaers",
        "wire.max_body_bytes",
        "wire.max_headers",
        "cors",
        "plans.a.limits[0].requests",
        "plans.a.limits[0].seconds",
        "plans.b.limits",
        "rate_limit.plans",
        "identity",
    }


def test_a_file_that_is_no_toml_names_its_line(tmp_path: Path):
    """A syntax fault says where it is."""
    path = tmp_path / "gateway.toml"
    path.write_text("[wire]\nmax_headers = \n")
    with pytest.raises(SettingsError, match=r"gateway\.toml.*line 2"):
        read(path, GatewaySettings)
    with pytest.raises(SettingsError, match="No such file"):
        read(tmp_path / "none.toml", GatewaySettings)


def test_a_grant_that_is_none_is_refused():
    """Scopes are tier, API and access, nothing else."""
    raw = {"consumers": {"Odd Name": {"title": "x", "scopes": []}, "bad": {"title": "y", "scopes": ["all"]}}}
    from gateway.plans import ConsumersFile  # noqa: PLC0415

    with pytest.raises(SettingsError) as caught:
        decode(raw, ConsumersFile, "consumers.toml")
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    ("granted", "scope", "expected"),
    [
        ("process.*.read", "process.works.read", True),
        ("process.*.read", "process.works.write", False),
        ("*.*.*", "system.crm.write", True),
        ("system.crm.read", "system.crm.read.more", False),
        ("system.crm.read", "system.crm", False),
    ],
)
def test_a_grant_covers_part_by_part(granted: str, scope: str, expected: bool):
    """A star stands for one part, never for several."""
    assert grants((granted,), scope) is expected


def test_the_executive_reads_and_writes_nothing():
    """What the demo grants is what the demo tells."""
    known = (
        "system.crm.read",
        "process.exceptions.read",
        "process.exceptions.write",
        "experience.crm-ui.read",
    )
    consumers = read_consumers(STORY / "consumers.toml")
    assert expand(consumers["executive"], known) == ("process.exceptions.read", "experience.crm-ui.read")
