"""deploy: `enfilade retention`: retention periods, expired data and legal holds."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from deploy.cli.admin_client import administrator, configure_admin
from deploy.console import paper, print_json, print_lines, table
from deploy.errors import MISUSED, OK, CommandError
from deploy.people import Person

DESCRIPTION = """\
The retention period of each class of data is in retention.toml of the configuration folder. A worker deletes
expired rows once a day, in small batches, and records it in the audit; lines of the audit itself are deleted
up to an anchor, so that the trail still verifies.

  status          each class, and the number of expired rows
  run             delete them now; with --dry-run the same as status
  hold ID         retain all rows of a correlation id, an object or a person's pseudonym, whatever their age
  lift ID         end a hold
  holds           list the holds
"""
EPILOG = """\
examples:
  enfilade retention status
  enfilade retention run --dry-run
  enfilade retention hold cor_01jd2f0c5t4m8w9x7k3n6q1r2s --reason "Case 7 at the county court"
"""
_API = "/admin/v1/retention"

TAKES = {
    "status": "json",
    "run": "dry_run json",
    "hold": "id reason",
    "lift": "id",
    "holds": "json",
}

Work = Callable[[argparse.Namespace, Person], Awaitable[None]]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=list(_WORKS), default="status")
    parser.add_argument("id", nargs="?", metavar="ID", help="the id of a hold (hold, lift)")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be deleted (run)")
    parser.add_argument("--reason", help="the reason, for the audit (hold)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    configure_admin(parser)


def run(options: argparse.Namespace) -> int:
    if options.action in ("hold", "lift") and not options.id:
        raise CommandError(f"Name the id: enfilade retention {options.action} ID", MISUSED)
    if options.action == "hold" and not options.reason:
        raise CommandError("Give --reason, for the audit.", MISUSED)
    asyncio.run(_with_person(options, _WORKS[options.action]))
    return OK


async def _with_person(options: argparse.Namespace, work: Work) -> None:
    async with administrator(options) as person:
        await work(options, person)


async def _status(options: argparse.Namespace, person: Person) -> None:
    _show_report(options, await person.get(f"{_API}/report"))


async def _run(options: argparse.Namespace, person: Person) -> None:
    if options.dry_run:
        await _status(options, person)
    else:
        _show_report(options, await person.post(f"{_API}/runs", None))


def _show_report(options: argparse.Namespace, report: dict[str, Any]) -> None:
    if options.json:
        print_json(report)
        return
    made = table("", "class", "days", "before", "deleted" if report["deleted"] else "expired")
    made.columns[1].justify = made.columns[3].justify = "right"
    for one in report["classes"]:
        made.add_row(one["name"], str(one["days"]), one["before"][:10], str(one["rows"]))
    paper().print(made)


async def _hold(options: argparse.Namespace, person: Person) -> None:
    held = await person.put(f"{_API}/holds/{quote(options.id, safe='')}", {"reason": options.reason})
    print_lines(f"{held['subject']} is under a legal hold: {held['reason']}")


async def _lift(options: argparse.Namespace, person: Person) -> None:
    held = await person.delete(f"{_API}/holds/{quote(options.id, safe='')}")
    print_lines(f"{held['subject']} is no longer under a legal hold.")


async def _holds(options: argparse.Namespace, person: Person) -> None:
    holds = await person.get(f"{_API}/holds")
    if options.json:
        print_json(holds["items"])
        return
    made = table("", "held", "reason", "by", "since")
    for held in holds["items"]:
        made.add_row(held["subject"], held["reason"], held["held_by"], held["held_at"][:19])
    paper().print(made)


_WORKS: dict[str, Work] = {"status": _status, "run": _run, "hold": _hold, "lift": _lift, "holds": _holds}
