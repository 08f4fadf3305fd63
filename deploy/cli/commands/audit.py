"""deploy: `enfilade audit`: read the trail, verify it, and export it for an auditor."""

import argparse
import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from contracts.admin.audit import AuditLine, AuditPeriod
from deploy.cli.admin_client import administrator, configure_admin
from deploy.cli.auditing import Export
from deploy.console import paper, print_json, print_lines, table
from deploy.errors import FAILED, MISUSED, OK, CommandError
from deploy.people import Person
from kit.texts import counted

DESCRIPTION = """\
The audit trail: actor, action and outcome, chained by hashes and anchored every hour.

  list           lines, newest first; people are shown by name unless they were erased
  show CHAIN/SEQ one line with its encrypted details
  verify         read the whole trail and report every break; with --anchors, compare with published anchors
  export         a folder that an auditor verifies without Enfilade: lines, anchors, README.txt, verify.py
"""
EPILOG = """\
examples:
  enfilade audit list --actor fiona.finance --since 2026-11-01
  enfilade audit list --action privacy.erased --json
  enfilade audit show 3f1c…/42
  enfilade audit verify --anchors /mnt/worm/anchors.jsonl
  enfilade audit export --period 2026-11 --out ./for-the-auditor
"""
_API = "/admin/v1/audit"
_FILTERS = ("action", "actor", "subject", "correlation", "since", "until")

TAKES = {
    "list": "action actor subject correlation since until limit json",
    "show": "line json",
    "verify": "anchors json",
    "export": "period out",
}

Work = Callable[[argparse.Namespace, Person], Awaitable[int]]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action_wanted", nargs="?", choices=list(_WORKS), default="list", metavar="ACTION")
    parser.add_argument("line", nargs="?", metavar="CHAIN/SEQ", help="which line (show)")
    parser.add_argument("--action", metavar="NAME", help="the action (list)")
    parser.add_argument("--actor", metavar="WHO", help="a machine, a person's subject or pseudonym (list)")
    parser.add_argument("--subject", metavar="ID", help="the object of the action (list)")
    parser.add_argument("--correlation", metavar="ID", help="a business transaction's correlation id (list)")
    parser.add_argument("--since", type=_instant, metavar="WHEN", help="from, a date or an instant (list)")
    parser.add_argument("--until", type=_instant, metavar="WHEN", help="until, exclusive (list)")
    parser.add_argument("--limit", type=int, default=50, help="maximum number of lines, up to 200 (list)")
    parser.add_argument("--anchors", type=Path, metavar="FILE", help="published anchors (verify)")
    parser.add_argument("--period", help="a month or a year, as 2026-11 or 2026 (export)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="a new folder (export: audit-PERIOD)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    configure_admin(parser)


def _instant(text: str) -> str:
    """The instant as the API takes it; a date is its first instant in UTC."""
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or (at.tzinfo is None and len(text) > len("2026-11-01")):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a date (2026-11-01, in UTC) nor an instant (2026-11-01T15:00:00Z)"
        )
    return at.replace(tzinfo=at.tzinfo or dt.UTC).isoformat()


def run(options: argparse.Namespace) -> int:
    return asyncio.run(_with_person(options, _WORKS[options.action_wanted]))


async def _with_person(options: argparse.Namespace, work: Work) -> int:
    async with administrator(options) as person:
        return await work(options, person)


async def _list(options: argparse.Namespace, person: Person) -> int:
    asked = {name: value for name in _FILTERS if (value := getattr(options, name))}
    if "correlation" in asked:
        asked["correlation_id"] = asked.pop("correlation")
    page = await person.get(f"{_API}/lines", limit=str(options.limit), **asked)
    if options.json:
        print_json(page["items"])
        return OK
    columns = ("line", "at (UTC)", "action", "outcome", "actor", "consumer", "subject")
    made = table("", *columns, unbroken=columns[:2])
    for line in page["items"]:
        who = line.get("person") or line["actor"]
        place = f"{line['chain']}/{line['seq']}"
        at = line["at"][:19].replace("T", " ")
        made.add_row(place, at, line["action"], line["outcome"], who, line["consumer"], line["subject"])
    paper().print(made)
    if page.get("next_cursor"):
        print_lines("There are more: narrow the list by --since, --until, --actor, --action or --subject.")
    return OK


async def _show(options: argparse.Namespace, person: Person) -> int:
    chain, _, seq = (options.line or "").partition("/")
    if not chain or not seq.isdigit():
        raise CommandError("Name the line as printed by `audit list`: enfilade audit show CHAIN/SEQ", MISUSED)
    line = await person.get(f"{_API}/lines/{chain}/{seq}")
    if options.json:
        print_json(line)
        return OK
    made = table("", "", "")
    made.show_header = False
    for name, value in line.items():
        if value not in ("", {}):
            made.add_row(name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
    paper().print(made)
    return OK


async def _verify(options: argparse.Namespace, person: Person) -> int:
    asked = {"anchor": _last_exported(options.anchors)} if options.anchors else {}
    report = await person.get(f"{_API}/verification", **asked)
    if options.json:
        print_json(report)
    else:
        print_lines(f"{counted(report['lines'], 'line')}, {counted(report['anchors'], 'anchor')}.")
        print_lines(f"Last anchor: {report['last_anchor']} {report['last_anchor_hash']}")
        if report.get("set_aside"):
            print_lines(
                f"{report['set_aside']} lines could not be stored unchanged, and were written with escapes."
            )
        for fault in report["faults"]:
            print_lines(f"FAULT: {fault}")
        print_lines(
            "Lines were altered, or are missing."
            if report["faults"]
            else "The trail is complete and unaltered."
        )
    return FAILED if report["faults"] else OK


def _last_exported(path: Path) -> str:
    """The last anchor of a file, which covers all earlier ones."""
    try:
        last = msgspec.json.decode(path.read_bytes().splitlines()[-1], type=dict[str, Any])
        return f"{last['number']}:{last['hash']}"
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror}).", MISUSED) from None
    except (IndexError, KeyError, msgspec.MsgspecError):
        raise CommandError(f"{path} has no anchor in its last line.", MISUSED) from None


async def _export(options: argparse.Namespace, person: Person) -> int:
    if not options.period:
        raise CommandError("Name the period: enfilade audit export --period 2026-11", MISUSED)
    folder: Path = options.out or Path(f"audit-{options.period}")
    period = msgspec.convert(await person.get(f"{_API}/periods/{options.period}"), AuditPeriod)
    try:
        made = Export(folder, period)
    except OSError as error:
        raise CommandError(
            f"{folder} cannot be created ({error.strerror}): name a new one with --out."
        ) from None
    asked = {"upto": str(period.upto)}
    while True:
        page = await person.get(f"{_API}/anchors/{period.after}/lines", **asked)
        made.add(msgspec.convert(page["items"], list[AuditLine]))
        if not page.get("next_cursor"):
            break
        asked["cursor"] = page["next_cursor"]
    count = made.finish()
    written = f"{counted(count, 'line')} and {counted(len(period.anchors), 'anchor')}"
    print_lines(f"{written} in {folder}: python {folder}/verify.py")
    return OK


_WORKS: dict[str, Work] = {"list": _list, "show": _show, "verify": _verify, "export": _export}
