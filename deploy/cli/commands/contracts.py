"""deploy: `enfilade contracts`: the frozen API documents and the lifecycle of their versions."""

import argparse
import asyncio
import os

from deploy.composition.interfaces import drifted, freeze
from deploy.composition.lifecycle import called_by, lifecycle_faults, read_lifecycles
from deploy.console import paper, print_lines, table
from deploy.errors import FAILED, OK
from deploy.process.stack import data_dir, has_database, settings_beside
from deploy.settings import ServerSettings
from kit.database import Database
from kit.settings import SettingsError
from kit.texts import counted

DESCRIPTION = """\
Every API has a frozen OpenAPI 3.1 document in contracts/openapi. `check` reports differences between code
and documents, and faults of contracts/versions.toml. With a database (ENFILADE_DATABASE_URL, or that of the
stack running on --data) it also reports consumers without a waiver that lately called a version past its
sunset. `freeze` writes the documents again, for an intended change; `lifecycle` lists the state and dates of
each version.
"""
EPILOG = """\
examples:
  enfilade contracts check      exit status 1 on any difference
  enfilade contracts lifecycle  every version, its owner, its dates and its successor
  enfilade contracts freeze     then review the difference before you commit it
"""

TAKES = {"check": "data", "freeze": "", "lifecycle": ""}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["check", "freeze", "lifecycle"])
    parser.add_argument("--data", metavar="DIR", help="the data folder of a running stack (.enfilade)")


def run(options: argparse.Namespace) -> int:
    if options.action == "freeze":
        for path in (written := freeze()):
            print_lines(f"frozen {path.name}")
        print_lines(f"Written: {counted(len(written), 'document')}.")
        return OK
    if options.action == "lifecycle":
        return _list()
    folder = data_dir(options.data, os.environ)
    if faults := [*drifted(), *asyncio.run(_lifecycle(settings_beside(folder, os.environ)))]:
        print_lines(*faults)
        return FAILED
    print_lines("No API differs from its frozen document, and every version has a valid lifecycle.")
    return OK


async def _lifecycle(settings: ServerSettings) -> list[str]:
    """The faults of the versions; with a database, also the consumers that a sunset would refuse."""
    if not has_database(settings):
        return await lifecycle_faults()
    database = Database(settings.database_url)
    try:
        return await lifecycle_faults(active=called_by(database))
    finally:
        await database.close()


def _list() -> int:
    try:
        lifecycles = read_lifecycles()
    except SettingsError as error:
        print_lines(*error.faults)
        return FAILED
    rows = table("", "Version", "State", "Since", "Until", "Successor", "Owner", "Waivers")
    for slug, one in sorted(lifecycles.items()):
        waivers = ", ".join(f"{each.consumer} until {each.expires}" for each in one.waivers)
        until = str(one.sunset or "")
        rows.add_row(slug, one.state, str(one.since), until, one.successor or "", one.owner, waivers)
    paper().print(rows)
    return OK
