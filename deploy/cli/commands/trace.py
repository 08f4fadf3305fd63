"""deploy: `enfilade trace`: the whole path of one correlation id, from the database."""

import argparse
import asyncio
import os

from deploy.cli.tracing import Moment, correlation_of, path_of
from deploy.console import paper, print_errors, print_json, table
from deploy.errors import FAILED, OK
from deploy.process.stack import data_dir, settings_with_database
from kit.database import Database

DESCRIPTION = """\
Show everything under one correlation id, in order of time: requests at the gateway, messages of the inbox,
the flows' runs and steps, each call to a vendor with the vendor's own request id, ledger entries, events,
exceptions. ID is a correlation id (cor_…), or the id of an activation, a request or an exception, whose
correlation id is then looked up. All of it is read from the database.
"""
EPILOG = """\
examples:
  enfilade trace cor_01jd2f0c5t4m8w9x7k3n6q1r2s
  enfilade trace act_salesforce-main.006….r1
  enfilade trace exc_… --json | jq -r '.[] | select(.kind == "vendor call").reference'
The database is ENFILADE_DATABASE_URL, or that of the stack running on --data.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "id", metavar="ID", help="a correlation id, or the id of an activation, a request or an exception"
    )
    parser.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    parser.add_argument("--data", metavar="DIR", help="the data folder of a running stack (.enfilade)")


def run(options: argparse.Namespace) -> int:
    settings = settings_with_database(data_dir(options.data, os.environ), os.environ)
    correlation_id, moments = asyncio.run(_read(settings.database_url, options.id))
    if not moments:
        print_errors(f"No row refers to {options.id}: check the id.")
        return FAILED
    if options.json:
        print_json(moments)
    else:
        _show(correlation_id, moments)
    return OK


async def _read(url: str, identity: str) -> tuple[str, list[Moment]]:
    database = Database(url)
    try:
        async with database.connect() as connection:
            correlation_id = await correlation_of(connection, identity)
            return correlation_id, await path_of(connection, correlation_id)
    finally:
        await database.close()


def _show(correlation_id: str, moments: list[Moment]) -> None:
    console = paper()
    made = table(correlation_id, "time", "where", "what", "outcome", "seconds", "reference")
    made.columns[4].justify = "right"
    for moment in moments:
        seconds = f"{moment.seconds:.3f}" if moment.seconds is not None else ""
        at = moment.at.strftime("%H:%M:%S.%f")[:-3]
        made.add_row(at, moment.kind, moment.what, moment.outcome, seconds, moment.reference)
    console.print(made)
    first, last = moments[0].at, moments[-1].at
    span = (last - first).total_seconds()
    calls = sum(moment.kind == "vendor call" for moment in moments)
    console.print(f"{first:%Y-%m-%d}, {span:.1f} s from first to last; {calls} vendor calls.")
