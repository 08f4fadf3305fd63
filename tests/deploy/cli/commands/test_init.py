"""tests/deploy: a firm's own configuration folder, as `enfilade init` writes it."""

import json
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest

from deploy.cli import main as cli
from deploy.cli.commands import up
from deploy.composition.checking import configuration_faults
from deploy.settings import DEMO_CONFIG


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new folder; its name has a blank."""
    written = tmp_path / "my firm"
    assert cli.main(["init", str(written)]) == 0
    return written


def read(path: Path) -> object:
    """The content of a TOML file as JSON."""
    return json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))


def schema_of(path: Path) -> jsonschema_rs.Validator:
    """The validator of the schema that the file's first line names."""
    directive, named = path.read_text(encoding="utf-8").splitlines()[0].split()
    assert directive == "#:schema"
    return jsonschema_rs.validator_for(json.loads((path.parent / named).read_text(encoding="utf-8")))


def test_the_folder_is_valid_and_sends_nothing(folder: Path) -> None:
    """It starts as it is, every file names its schema and is valid by it, and no flow is live."""
    assert configuration_faults(folder) == []
    files = sorted(folder.rglob("*.toml"))
    assert [path.relative_to(folder) for path in files] == sorted(
        path.relative_to(DEMO_CONFIG) for path in DEMO_CONFIG.rglob("*.toml")
    )
    for path in files:
        assert schema_of(path).is_valid(read(path)), path
    assert '"live"' not in (folder / "flows.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "wrong"),
    [
        ("gateway.toml", {"wire": {"max_body_bytes": "much"}}),
        ("gateway.toml", {"wires": {}}),
        ("consumers.toml", {"consumers": {"a": {"title": "A"}}}),
        ("flows.toml", {"customer_master": {"default_mode": "on"}}),
        ("routing.toml", {"routes": [{"capability": "erp"}]}),
        ("reference/firm.toml", {"legal_entities": [{"code": "X"}]}),
        ("instances/netsuite-main.toml", {"name": "netsuite-main"}),
    ],
)
def test_an_editor_sees_what_is_wrong(folder: Path, file: str, wrong: object) -> None:
    """A wrong type, an unknown name and a missing one are faults by the schema already."""
    assert not schema_of(folder / file).is_valid(wrong)


def test_nothing_is_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that has anything in it is refused, with what to do."""
    before = sorted(folder.rglob("*"))
    capsys.readouterr()
    assert cli.main(["init", str(folder)]) == 1
    assert "name a new folder" in capsys.readouterr().err
    assert sorted(folder.rglob("*")) == before


def test_an_account_that_the_environment_has_is_not_stood_in_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With everything that a profile refers to, its own account is called; with a part of it, a stand-in."""
    monkeypatch.setenv("KANTATA_BASE_URL", "https://api.mavenlink.com/api/v1")
    assert up.stood_in_for(folder) == ["kantata", "netsuite", "salesforce"]
    monkeypatch.setenv("KANTATA_TOKEN", "a-token")
    assert up.stood_in_for(folder) == ["netsuite", "salesforce"]
