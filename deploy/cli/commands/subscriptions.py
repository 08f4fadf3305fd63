"""deploy: `enfilade subscriptions`: which consumer calls which API on which plan."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from deploy.cli.admin_client import administrator, configure_admin
from deploy.console import paper, print_json, print_lines, table
from deploy.errors import MISUSED, OK, CommandError
from deploy.people import Person

DESCRIPTION = """\
A consumer calls an API on the plan of its subscription. consumers.toml declares some; others are requested
here. On a plan with approval = "automatic" a subscription is active at once; on any other it waits until
another person than the requester approves it (--by is your own subject).

  list                 all, or those of --consumer, --api, --state
  request              request one: --consumer, --api, --plan, --reason
  approve ID           activate it, in place of the previous one
  reject ID            reject the request
  cancel ID            cancel an active one, or withdraw a request
"""
EPILOG = """\
examples:
  enfilade subscriptions request --consumer executive --api process/events@1 --plan standard \\
      --reason "The board asks" --by anna
  enfilade subscriptions --state requested
  enfilade subscriptions approve sub_… --reason "Agreed with the owner" --by bert
"""
_API = "/admin/v1/subscriptions/subscriptions"

TAKES = {
    "list": "consumer api state json",
    "request": "consumer api plan reason json",
    **dict.fromkeys(("approve", "reject", "cancel"), "id reason json"),
}

Work = Callable[[argparse.Namespace, Person], Awaitable[None]]


def configure(parser: argparse.ArgumentParser) -> None:
    actions = ["list", "request", "approve", "reject", "cancel"]
    parser.add_argument("action", nargs="?", choices=actions, default="list")
    parser.add_argument("id", nargs="?", metavar="ID", help="the subscription's id (approve, reject, cancel)")
    parser.add_argument("--consumer", help="the consumer (list, request)")
    parser.add_argument("--api", help="the API, for instance process/events@1 (list, request)")
    parser.add_argument("--plan", help="the plan (request)")
    parser.add_argument("--state", choices=["requested", "active", "rejected", "cancelled"])
    parser.add_argument("--reason", help="the reason, for the audit trail")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    configure_admin(parser)


def run(options: argparse.Namespace) -> int:
    if options.action not in ("list", "request") and not options.id:
        raise CommandError(f"Name the subscription: enfilade subscriptions {options.action} sub_…", MISUSED)
    if options.action != "list" and not options.reason:
        raise CommandError("Give a reason, for the audit trail: --reason", MISUSED)
    work = {"list": _list, "request": _request, "cancel": _cancel}.get(options.action, _decide)
    asyncio.run(_with_person(options, work))
    return OK


async def _with_person(options: argparse.Namespace, work: Work) -> None:
    async with administrator(options) as person:
        await work(options, person)


async def _list(options: argparse.Namespace, person: Person) -> None:
    wanted = {name: getattr(options, name) for name in ("consumer", "api", "state")}
    page = await person.get(_API, **{name: value for name, value in wanted.items() if value})
    subscriptions = page["items"]
    if options.json:
        print_json(subscriptions)
        return
    if not subscriptions:
        print_lines("No such subscription was requested; `enfilade consumers` shows the declared ones.")
        return
    columns = ("id", "consumer", "API", "plan", "state", "requested by", "decided by", "reason")
    made = table("", *columns, unbroken=("id",))
    for each in subscriptions:
        columns = [each[name] for name in ("id", "consumer", "api", "plan", "state", "requested_by")]
        made.add_row(*columns, each.get("decided_by", ""), each["reason"])
    paper().print(made)


async def _request(options: argparse.Namespace, person: Person) -> None:
    names = ("consumer", "api", "plan", "reason")
    missing = [f"--{name}" for name in names if not getattr(options, name)]
    if missing:
        raise CommandError(f"Give also {', '.join(missing)}.", MISUSED)
    _print_subscription(options, await person.post(_API, {name: getattr(options, name) for name in names}))


async def _decide(options: argparse.Namespace, person: Person) -> None:
    outcome = "approved" if options.action == "approve" else "rejected"
    body = {"outcome": outcome, "reason": options.reason}
    _print_subscription(options, await person.post(f"{_API}/{options.id}/decision", body))


async def _cancel(options: argparse.Namespace, person: Person) -> None:
    _print_subscription(
        options, await person.post(f"{_API}/{options.id}/cancellation", {"reason": options.reason})
    )


def _print_subscription(options: argparse.Namespace, made: dict[str, Any]) -> None:
    if options.json:
        print_json(made)
        return
    print_lines(f"{made['id']} is {made['state']}: {made['consumer']}, {made['api']}, plan {made['plan']}.")
    if made["state"] == "requested":
        print_lines(
            f"It waits for another person: enfilade subscriptions approve {made['id']} --reason … --by …"
        )
