"""deploy: `enfilade policy`: the current policy, its effect on a request, checks of policy files."""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.cli.admin_client import administrator, configure_admin
from deploy.composition.checking import policy_faults
from deploy.console import paper, print_json, print_lines, table
from deploy.errors import FAILED, MISUSED, OK, CommandError
from deploy.people import Person
from deploy.settings import is_production

DESCRIPTION = """\
The firm's policy is gateway.toml, consumers.toml, duties.toml and routing.toml of the configuration folder,
loaded as one version with one digest. A running process reads a change within a second or two and applies it
whole, or refuses it whole and continues with the previous version.

  status                 the version of a running process, and whether a change was refused
  explain METHOD PATH    the rules for a request of a consumer, in order, with the place of each, and the
                         verdict; nothing is sent to any tier
  check FOLDER           whether the files of a folder are valid, before they are installed
"""
EPILOG = """\
examples:
  enfilade policy status
  enfilade policy explain GET /process/exceptions/v1/exceptions --as finance-desk
  enfilade policy explain POST /process/opportunity-to-project/v1/activations --as executive --json
  enfilade policy check ./config
"""
_API = "/admin/v1/policy"

TAKES = {
    "status": "json by url data",
    "explain": "what consumer person json by url data",
    "check": "what json",
}

Work = Callable[[argparse.Namespace, Person], Awaitable[None]]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["status", "explain", "check"])
    parser.add_argument("what", nargs="*", metavar="METHOD PATH | FOLDER", help="see above")
    parser.add_argument("--as", dest="consumer", metavar="CONSUMER", help="the calling consumer (explain)")
    parser.add_argument("--person", default="", help="the person behind the consumer (explain)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    configure_admin(parser)


def run(options: argparse.Namespace) -> int:
    if options.action == "check":
        return _check(options)
    asyncio.run(_with_person(options, _status if options.action == "status" else _explain))
    return OK


def _check(options: argparse.Namespace) -> int:
    if len(options.what) != 1:
        raise CommandError("Name the folder: enfilade policy check FOLDER", MISUSED)
    faults = policy_faults(Path(options.what[0]), production=is_production(os.environ))
    if options.json:
        print_json({"faults": faults})
    elif faults:
        print_lines(*faults)
    else:
        print_lines("This policy is valid.")
    return FAILED if faults else OK


async def _with_person(options: argparse.Namespace, work: Work) -> None:
    async with administrator(options) as person:
        await work(options, person)


async def _status(options: argparse.Namespace, person: Person) -> None:
    policy = await person.get(f"{_API}/in-force")
    if options.json:
        print_json(policy)
        return
    made = table("", "", "")
    made.show_header = False
    made.add_row("current", f"{policy['digest']}, since {policy['since']}")
    made.add_row("from", policy.get("folder", ""))
    refused = policy.get("refused")
    if refused:
        made.add_row("refused", [f"a change at {refused['at']}:", *refused["faults"]])
    for place in policy.get("restart_required", ()):
        made.add_row("restart required", place)
    paper().print(made)


async def _explain(options: argparse.Namespace, person: Person) -> None:
    if len(options.what) != 2 or not options.consumer:  # noqa: PLR2004 - method and path
        raise CommandError(
            "Give a request and a consumer: enfilade policy explain METHOD PATH --as CONSUMER", MISUSED
        )
    method, path = options.what
    asked = {"method": method.upper(), "path": path, "consumer": options.consumer}
    if options.person:
        asked["person"] = options.person
    explanation = await person.get(f"{_API}/explanation", **asked)
    if options.json:
        print_json(explanation)
        return
    made = table(f"{method.upper()} {path} by {options.consumer}", "policy", "rule", "defined in")
    for rule in explanation["rules"]:
        says = rule["says"] if "refuses" not in rule else f"REFUSED, {rule['refuses']}: {rule['says']}"
        made.add_row(rule["policy"], says, rule["source"])
    paper().print(made)
    status = f" ({explanation['status']})" if "status" in explanation else ""
    print_lines(f"Verdict: {explanation['verdict']}{status}, by policy {explanation['digest']}.")
