"""deploy: `enfilade init`: writes a firm's own configuration folder."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import msgspec

from deploy.composition.file_schemas import SCHEMAS, schema_of, schemas
from deploy.console import print_lines
from deploy.errors import OK, CommandError
from deploy.settings import DEMO_CONFIG

DESCRIPTION = """\
Write a configuration folder for a firm: every file with comments, each with a JSON Schema by which editors
complete and check it. It starts as a copy of the demo's, with all flows in observe mode: they work out what
they would send, and send nothing. README.md in the folder says what to change, file by file.
"""
EPILOG = """\
examples:
  enfilade init my-firm
  ENFILADE_CONFIG=my-firm enfilade up --no-demo      serve it, with stand-ins for the vendors
  ENFILADE_CONFIG=my-firm enfilade doctor            what is still missing
The page docs/guides/first-account.md goes on from there, to accounts of your own.
"""

_FLOWS = "flows.toml"
_LIVE = re.compile(r'= "live"')
_README = """\
# Configuration of {name}

A copy of the demo's, for you to change. All flows are in observe mode (`flows.toml`): they send nothing.

    export ENFILADE_CONFIG={path}
    enfilade up --no-demo        serve it on this machine, with stand-ins for the vendors
    enfilade doctor              what is missing or wrong, with file and line

Change, in this order:

1. `reference/`: your legal entities, regions, service lines, taxes, rate cards and delivery templates.
2. `instances/`: one file for each account of a vendor. Secrets are references only: `env:NAME`, `file:PATH`.
   `enfilade instance check NAME` compares the account with the file.
3. `routing.toml`: which instance serves which legal entity.
4. `consumers.toml`: who may call, with which scopes and plans. `gateway.toml`: limits and plans.
5. `people.toml` and `identity.embedded_issuer` in `gateway.toml` are for trying out: they ask for no
   password. Name your identity provider instead, and delete the file.
6. `duties.toml`, `retention.toml`: as your auditors wish.
7. `flows.toml`: set an instance's mode to `live` when what is observed is right.

With `ENFILADE_DEPLOYMENT=production`, `enfilade doctor` lists everything that is still the demo's.
Editors that know JSON Schema for TOML complete the files: each names its schema in its first line.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="the folder to write, new or empty")


def run(options: argparse.Namespace) -> int:
    folder = Path(options.folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CommandError(f"{folder} is not empty: name a new folder.")
    for path, text in _files(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print_lines(str(path))
    print_lines(
        f"Next: ENFILADE_CONFIG={shlex.quote(str(folder))} enfilade up --no-demo; then {folder}/README.md"
    )
    return OK


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file with its content."""
    vendors: list[str] = []
    for model in sorted(DEMO_CONFIG.rglob("*.toml")):
        path, text = model.relative_to(DEMO_CONFIG), model.read_text(encoding="utf-8")
        vendor = str(msgspec.toml.decode(text).get("vendor", ""))
        vendors += [vendor] if vendor else []
        if path.name == _FLOWS:
            text = _LIVE.sub('= "observe"', text)
        yield folder / path, f"#:schema {schema_of(path, vendor)}\n{text}"
    for name, schema in schemas(vendors).items():
        written = msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()
        yield folder / SCHEMAS / name, written + "\n"
    named = {"name": folder.absolute().name, "path": shlex.quote(str(folder.absolute()))}
    yield folder / "README.md", _README.format(**named)
