"""The issuer's keys are listed and rotated by a command, and a client's secret is printed for its owner."""

import json
from pathlib import Path

from tests.deploy.cli.commands.conftest import run


def test_rotation_by_command(tmp_path: Path) -> None:
    """The next key becomes the current one, and the old one is kept for its tokens."""
    before = json.loads(run("issuer", "keys", "--json", "--data", str(tmp_path)).out)
    after = json.loads(run("issuer", "rotate", "--json", "--data", str(tmp_path)).out)
    assert [key["state"] for key in before] == ["current", "next"]
    assert [key["state"] for key in after] == ["current", "next", "retiring"]
    assert (after[0]["kid"], after[2]["kid"]) == (before[1]["kid"], before[0]["kid"])


def test_a_secret_is_for_those_who_have_one(tmp_path: Path) -> None:
    """A page in a browser has none, and a consumer that is not known is named."""
    data = ("--data", str(tmp_path))
    assert len(run("issuer", "secret", "psa-screen", *data).out.strip()) == 64
    public = run("issuer", "secret", "crm-screen", *data)
    assert (public.status, "PKCE" in public.err) == (1, True)
    unknown = run("issuer", "secret", "nobody", *data)
    assert (unknown.status, "psa-screen" in unknown.err) == (2, True)


def test_people_are_listed_with_consumers(tmp_path: Path) -> None:
    """Who may sign in is told beside who may call."""
    outcome = run("token", "--list", "--data", str(tmp_path))
    assert "crm-screen" in outcome.out
    assert "fiona.finance" in outcome.out
