"""deploy: `enfilade plans`: the plans on which an API can be called."""

import argparse
import asyncio

from deploy.cli.admin_client import administrator, configure_admin
from deploy.console import paper, print_json, table
from deploy.errors import OK

DESCRIPTION = """\
The plans of gateway.toml: rates, concurrent calls, calls per month, lane, and whether a subscription needs
an approval. The limits apply to each subscriber and each API separately.
"""
EPILOG = """\
examples:
  enfilade plans
  enfilade plans --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    configure_admin(parser)


def run(options: argparse.Namespace) -> int:
    asyncio.run(_list(options))
    return OK


async def _list(options: argparse.Namespace) -> None:
    async with administrator(options) as person:
        found = (await person.get("/admin/v1/plans/plans"))["items"]
    if options.json:
        print_json(found)
        return
    made = table("", "plan", "title", "rates", "concurrent", "per month", "lane", "approval")
    for plan in found:
        limits = ", ".join(f"{limit['requests']} per {limit['seconds']} s" for limit in plan["limits"])
        counted = [str(plan.get(name, "")) for name in ("concurrency", "monthly_quota")]
        made.add_row(plan["name"], plan.get("title", ""), limits, *counted, plan["lane"], plan["approval"])
    paper().print(made)
