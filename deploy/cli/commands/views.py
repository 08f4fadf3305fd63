"""deploy: `enfilade views`: the views that screens read, and how to rebuild them."""

import argparse
import asyncio
import os

from deploy.console import print_lines
from deploy.errors import MISUSED, OK, CommandError
from deploy.process.stack import data_dir, settings_with_database
from kit.database import Database
from kit.texts import counted
from process_apis import app
from process_apis.views.view import View

DESCRIPTION = """\
List the views that screens read, or rebuild one from the events: it is emptied and filled again in one
transaction. Screens show the former state until that is committed, and updates wait for it.
"""
EPILOG = """\
examples:
  enfilade views
  enfilade views rebuild projects
Events that retention has deleted cannot be projected again: see `events` in retention.toml.
The database is ENFILADE_DATABASE_URL, or that of the stack running on --data.
"""

TAKES = {"list": "", "rebuild": "name data"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=["list", "rebuild"], default="list")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the view (rebuild)")
    parser.add_argument("--data", metavar="DIR", help="the data folder of a running stack (.enfilade)")


def run(options: argparse.Namespace) -> int:
    views = {view.name: view for view in app.views()}
    if options.action == "list":
        print_lines(*views)
        return OK
    if options.name not in views:
        raise CommandError(f"Name a view: enfilade views rebuild {'|'.join(views)}", MISUSED)
    settings = settings_with_database(data_dir(options.data, os.environ), os.environ)
    count = asyncio.run(_rebuild(settings.database_url, views[options.name]))
    print_lines(f"{options.name} was rebuilt from {counted(count, 'event')}.")
    return OK


async def _rebuild(url: str, view: View) -> int:
    database = Database(url)
    try:
        async with database.begin() as connection:
            return await view.rebuild(connection)
    finally:
        await database.close()
