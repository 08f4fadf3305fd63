"""tests/clients: the Singer tap of Kantata (Mavenlink), unmodified, takes the stand-in for Kantata."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import run_client
from tests.support.processes import ROOT
from tests.support.sandboxes import Account

TAP = ROOT / ".venv-tap" / "bin" / "tap-mavenlink"

pytestmark = [
    pytest.mark.xdist_group("clients-kantata"),
    pytest.mark.skipif(not TAP.exists(), reason=f"{TAP} is missing: `make .venv-tap/.installed` installs it"),
]


def selected(catalog: dict[str, Any], *names: str) -> dict[str, Any]:
    """The catalog with these streams, of every field, and no other."""
    for stream in catalog["streams"]:
        stream["schema"]["selected"] = chosen = stream["stream"] in names
        for each in stream["metadata"]:
            each["metadata"]["selected"] = chosen
    return catalog


async def test_the_tap_discovers_and_syncs(kantata: tuple[Account, dict[str, str]], tmp_path: Path) -> None:
    """It finds its streams, and reads every project, over pages of the size that it asks for."""
    account, env = kantata
    await account.seed({"workspaces": [{"title": f"Project {number:03}"} for number in range(230)]})
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"token": env["KANTATA_TOKEN"], "start_date": "2020-01-01T00:00:00Z"}))
    catalog = json.loads(await run_client(env, TAP, "--config", config, "--discover"))
    assert {"workspaces", "time_entries", "stories"} <= {stream["stream"] for stream in catalog["streams"]}
    chosen = tmp_path / "catalog.json"
    chosen.write_text(json.dumps(selected(catalog, "workspaces")))
    printed = await run_client(env, TAP, "--config", config, "--catalog", chosen)
    lines = [json.loads(line) for line in printed.splitlines()]
    titles = sorted(line["record"]["title"] for line in lines if line["type"] == "RECORD")
    assert titles == [f"Project {number:03}" for number in range(230)]
