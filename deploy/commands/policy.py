"""deploy/commands: `enfilade policy`: the gateway's policy: what is in force."""

import argparse
import asyncio

import msgspec

from deploy.admin_client import administrator, configure_admin
from deploy.console import paper, table
from deploy.errors import OK

DESCRIPTION = """\
The gateway's policy is gateway.toml and consumers.toml of the configuration folder, in force as one version
with one digest. `status` says which version a running house goes by.
"""
EPILOG = """\
examples:
  enfilade policy status
  enfilade policy status --json
"""
_API = "/admin/v1/policy"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["status"])
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    configure_admin(parser)


def run(options: argparse.Namespace) -> int:
    asyncio.run(_status(options))
    return OK


async def _status(options: argparse.Namespace) -> None:
    async with administrator(options) as person:
        found = await person.get(f"{_API}/in-force")
    if options.json:
        print(msgspec.json.encode(found).decode())
        return
    made = table("", "", "")
    made.show_header = False
    for name, value in found.items():
        made.add_row(name, str(value))
    paper().print(made)
