"""deploy: `enfilade versions`: the versions of the APIs."""

import argparse
import asyncio

from deploy.cli.admin_client import administrator, configure_admin
from deploy.console import paper, table
from deploy.errors import OK

DESCRIPTION = "The versions of the APIs, as the running gateway serves them.\n"
EPILOG = "examples:\n  enfilade versions\n"


def configure(parser: argparse.ArgumentParser) -> None:
    configure_admin(parser)


def run(options: argparse.Namespace) -> int:
    asyncio.run(_list(options))
    return OK


async def _list(options: argparse.Namespace) -> None:
    async with administrator(options) as person:
        versions = (await person.get("/admin/v1/versions/versions"))["items"]
    rows = table("", "version", "state", "since", "until", "owner")
    for one in versions:
        rows.add_row(one["api"], one["state"], one["since"], one.get("sunset", ""), one["owner"])
    paper().print(rows)
