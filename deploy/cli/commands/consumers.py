"""deploy: `enfilade consumers`: consumers, their suspension and their usage."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from deploy.cli.admin_client import administrator, configure_admin
from deploy.console import paper, print_json, table
from deploy.errors import MISUSED, OK, CommandError
from deploy.people import Person

DESCRIPTION = """\
Consumers are declared in consumers.toml or registered here. A registered consumer needs a subscription
before its first call (enfilade subscriptions request). A suspended consumer is refused at every gateway
within seconds, with any token.

  list                 all consumers
  show NAME            one consumer: grants and subscriptions
  register NAME        add a consumer
  suspend NAME         refuse its calls
  resume NAME          accept its calls again
  usage                number of calls per consumer and API
"""
EPILOG = """\
examples:
  enfilade consumers
  enfilade consumers register billing-bot --title "Bills from the archive" --scope process.exceptions.read
  enfilade consumers suspend partner-acme --reason "A key was published"
  enfilade consumers usage --api experience/crm-ui@1 --days 7
"""
_API = "/admin/v1/consumers"

TAKES = {
    "list": "json",
    "show": "name json",
    "register": "name title scope role outside json",
    "suspend": "name reason json",
    "resume": "name json",
    "usage": "api days json",
}

Work = Callable[[argparse.Namespace, Person], Awaitable[None]]


def configure(parser: argparse.ArgumentParser) -> None:
    actions = ["list", "show", "register", "suspend", "resume", "usage"]
    parser.add_argument("action", nargs="?", choices=actions, default="list")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the consumer's name")
    parser.add_argument("--reason", help="the reason, for the audit trail (suspend)")
    parser.add_argument("--title", help="a description (register)")
    parser.add_argument("--scope", action="append", default=[], help="a grant (register, repeatable)")
    parser.add_argument("--role", action="append", default=[], help="a role (register, repeatable)")
    parser.add_argument("--outside", action="store_true", help="a consumer outside the firm (register)")
    parser.add_argument("--api", help="one API only (usage)")
    parser.add_argument("--days", type=int, default=30, help="number of days, today included (usage)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    configure_admin(parser)


def run(options: argparse.Namespace) -> int:
    work: dict[str, Work] = {
        "list": _list,
        "show": _show,
        "register": _register,
        "suspend": _suspend,
        "resume": _resume,
        "usage": _usage,
    }
    if options.action not in ("list", "usage") and not options.name:
        raise CommandError(f"Name the consumer: enfilade consumers {options.action} NAME", MISUSED)
    asyncio.run(_with_person(options, work[options.action]))
    return OK


async def _with_person(options: argparse.Namespace, work: Work) -> None:
    async with administrator(options) as person:
        await work(options, person)


async def _list(options: argparse.Namespace, person: Person) -> None:
    consumers = (await person.get(f"{_API}/consumers"))["items"]
    if options.json:
        print_json(consumers)
        return
    made = table("", "consumer", "title", "state", "origin", "subscriptions")
    for each in consumers:
        made.add_row(each["name"], each["title"], each["state"], each["origin"], _subscribed(each))
    paper().print(made)


async def _show(options: argparse.Namespace, person: Person) -> None:
    _print_consumer(options, await person.get(f"{_API}/consumers/{options.name}"))


async def _register(options: argparse.Namespace, person: Person) -> None:
    if not options.title:
        raise CommandError("Give a description: --title", MISUSED)
    body = {"name": options.name, "title": options.title, "scopes": options.scope, "roles": options.role}
    _print_consumer(options, await person.post(f"{_API}/consumers", {**body, "outside": options.outside}))


async def _suspend(options: argparse.Namespace, person: Person) -> None:
    if not options.reason:
        raise CommandError("Give a reason, for the audit trail: --reason", MISUSED)
    body = {"reason": options.reason}
    _print_consumer(options, await person.post(f"{_API}/consumers/{options.name}/suspension", body))


async def _resume(options: argparse.Namespace, person: Person) -> None:
    _print_consumer(options, await person.post(f"{_API}/consumers/{options.name}/resumption", None))


async def _usage(options: argparse.Namespace, person: Person) -> None:
    asked = {"days": str(options.days), **({"api": options.api} if options.api else {})}
    usage = (await person.get(f"{_API}/usage", **asked))["items"]
    if options.json:
        print_json(usage)
        return
    made = table(f"Calls of the last {options.days} days", "consumer", "API", "calls", "last on")
    for use in usage:
        made.add_row(use["consumer"], use["api"], str(use["calls"]), use["last_day"])
    paper().print(made)


def _print_consumer(options: argparse.Namespace, consumer: dict[str, Any]) -> None:
    if options.json:
        print_json(consumer)
        return
    made = table("", "", "")
    made.show_header = False
    for name, value in consumer.items():
        text = ", ".join(value) if isinstance(value, list) else str(value)
        made.add_row(name, _subscribed(consumer) if name == "subscriptions" else text)
    paper().print(made)


def _subscribed(consumer: dict[str, Any]) -> str:
    return ", ".join(f"{api} on {plan}" for api, plan in consumer["subscriptions"].items())
