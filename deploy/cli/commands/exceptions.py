"""deploy: `enfilade exceptions`: the queue of business cases that wait for a person."""

import argparse
import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from deploy.cli.tokens import embedded_issuer, mint
from deploy.console import minute, paper, paragraph, print_json, print_lines, table
from deploy.errors import MISUSED, OK, CommandError
from deploy.people import Person
from deploy.process.stack import data_dir, settings_beside
from gateway.identity import DevelopmentIssuer
from gateway.plans import expand
from kit.texts import counted

DESCRIPTION = """\
List the cases that wait for a person, show one, and resolve it: replay it (with corrections), undo its
steps, or skip it. Calls the gateway with a development token of the person, at the first consumer that may
decide cases and has one of the person's roles.
"""
EPILOG = """\
examples:
  enfilade exceptions                                     all open cases, oldest first
  enfilade exceptions show exc_…
  enfilade exceptions resolve exc_… --action replay --reason "Template chosen with sales" \\
      --set delivery_template=DT-DATA-PLATFORM --as fiona.finance
  enfilade exceptions resolve exc_… --alike --action replay --reason "The period is open again"
"""
TAKES = {
    "list": "status json",
    "show": "id json",
    "resolve": "id decision reason set alike",
}
_API = "/process/exceptions/v1/exceptions"
_SCOPE = "process.exceptions.approve"
_TIMEOUT_SECONDS = 30
_NONE = {
    "open": "No case waits for a person.",
    "resolved": "No case was resolved.",
    "skipped": "No case was skipped.",
    "all": "There are no cases.",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=["list", "show", "resolve"], default="list")
    parser.add_argument("id", nargs="?", metavar="ID", help="the exception's id (show, resolve)")
    parser.add_argument("--status", choices=["open", "resolved", "skipped", "all"], default="open")
    parser.add_argument("--action", dest="decision", choices=["replay", "undo", "skip"])
    parser.add_argument("--reason", help="the reason, for the audit trail (resolve)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="a correction (repeatable)"
    )
    parser.add_argument(
        "--alike", action="store_true", help="all that stopped for the same reason as this one (resolve)"
    )
    parser.add_argument("--as", dest="person", default="fiona.finance", metavar="PERSON", help="who decides")
    parser.add_argument("--json", action="store_true", help="JSON instead of text (list, show)")
    parser.add_argument("--url", help="the gateway's address (default: the stack running on --data)")
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    work = {"list": _list, "show": _show, "resolve": _resolve}[options.action]
    if options.action != "list" and not options.id:
        raise CommandError(f"Name the exception: enfilade exceptions {options.action} exc_…", MISUSED)
    asyncio.run(_with_person(options, work))
    return OK


Work = Callable[[argparse.Namespace, Person], Awaitable[None]]


async def _with_person(options: argparse.Namespace, work: Work) -> None:
    settings = settings_beside(data_dir(options.data, os.environ), os.environ)
    issuer = embedded_issuer(options.data)
    token = mint(issuer, _consumer_of(issuer, options.person), options.person)
    async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_SECONDS) as http:
        await work(
            options, Person(options.person, (options.url or settings.address).rstrip("/"), token, http)
        )


def _consumer_of(issuer: DevelopmentIssuer, subject: str) -> str:
    """The consumer at which a person decides; raises CommandError with those who can decide."""
    consumers = issuer.consumers.items()
    deciding = {name: each for name, each in consumers if _SCOPE in expand(each, issuer.scopes)}
    person = issuer.people.get(subject)
    for name, consumer in deciding.items():
        if person is None or person.roles_at(consumer):
            return name
    able = [name for name, each in issuer.people.items() if any(map(each.roles_at, deciding.values()))]
    who = ", ".join(able) or "nobody"
    raise CommandError(f"{subject} has no role to decide cases (people.toml). Who has: {who}.")


async def _list(options: argparse.Namespace, person: Person) -> None:
    asked = {} if options.status == "all" else {"status": options.status}
    cases: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await person.get(_API, **asked, **({"cursor": cursor} if cursor else {}))
        cases += page["items"]
        cursor = page.get("next_cursor") or ""
        if not cursor:
            break
    if options.json:
        print_json(cases)
        return
    if not cases:
        print_lines(_NONE[options.status])
        return
    alike = Counter(map(_cause, cases))
    for case in cases:
        _print_case(case, alike[_cause(case)])


def _cause(case: dict[str, Any]) -> tuple[str, ...]:
    """What open cases that one decision may resolve have in common; a case without a reason is alone."""
    if case["status"] != "open" or not case.get("reason"):
        return (case["id"],)
    return tuple(case.get(name, "") for name in ("flow", "step", "kind", "reason"))


def _print_case(case: dict[str, Any], alike: int) -> None:
    """A case as paragraphs; its id is in one piece, for it is copied."""
    print_lines(case["id"])
    times = f"raised {minute(case['raised_at'])}, due {minute(case['due_at'])}"
    facts = f"{case['status']}, for {case['owner']}, {times}"
    for text in (facts, f"{case['stopped']} {case['why']}", f"Next: {case['what_next']}"):
        paper().print(paragraph(text))
    if alike > 1:
        paper().print(
            paragraph(f"Of the same cause: {counted(alike, 'case')}; --alike resolves them together.")
        )
    print_lines("")


async def _show(options: argparse.Namespace, person: Person) -> None:
    case = await person.get(f"{_API}/{options.id}")
    if options.json:
        print_json(case)
        return
    made = table("", "", "")
    made.show_header = False
    for name, value in case.items():
        if name != "errors" and value not in ("", {}, None):
            made.add_row(name, _text(value))
    for fault in case.get("errors", ()):
        fixed_by = f" ({fault['fixed_by']} can fix it)" if fault.get("fixed_by") else ""
        made.add_row(fault.get("pointer") or fault.get("field", ""), f"{fault['detail']}{fixed_by}")
    paper().print(made)


async def _resolve(options: argparse.Namespace, person: Person) -> None:
    if not options.decision or not options.reason:
        raise CommandError("Give --action replay|undo|skip and --reason, for the audit trail.", MISUSED)
    body: dict[str, Any] = {"action": options.decision, "reason": options.reason}
    if options.set:
        body["corrections"] = dict(_correction(text) for text in options.set)
    if options.alike:
        await _resolve_alike(options, person, body)
        return
    case = await person.get(f"{_API}/{options.id}")
    headers = {"If-Match": f'"{case["version"]}"'}
    resolved = await person.post(f"{_API}/{options.id}/resolution", body, **headers)
    print_lines(
        f"{resolved['id']} is {resolved['status']}: {options.decision}, by {resolved['resolved_by']}."
    )
    print_lines(f"Follow it: enfilade trace {resolved['correlation_id']}")


async def _resolve_alike(options: argparse.Namespace, person: Person, body: dict[str, Any]) -> None:
    """Resolve portion after portion, until none is left that the person may decide on."""
    count, answer = 0, {"resolved": [""], "remaining": 1, "withheld": 0}
    while answer["remaining"] and answer["resolved"]:
        answer = await person.post(f"{_API}/{options.id}/resolution/alike", body)
        count += len(answer["resolved"])
    print_lines(f"Resolved: {counted(count, 'exception')}, {options.decision}, by {options.person}.")
    if answer["withheld"]:
        waiting = counted(answer["withheld"], "exception")
        print_lines(f"Left for another person: {waiting}, since {options.person} caused them.")


def _correction(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise CommandError(f"--set takes FIELD=VALUE, not {text!r}.", MISUSED)
    return name, value


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {inner}" for name, inner in value.items())
    return str(value)
