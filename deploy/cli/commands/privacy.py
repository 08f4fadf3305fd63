"""deploy: `enfilade privacy`: export of the data about a person, and erasure."""

import argparse
import asyncio

import msgspec

from deploy.cli.admin_client import administrator, configure_admin
from deploy.console import print_json, print_lines
from deploy.errors import MISUSED, OK, CommandError
from deploy.people import Person

DESCRIPTION = """\
People are stored under pseudonyms (per_…), and personal data is encrypted under a key of the person. PERSON
is the subject of their tokens, or the pseudonym. Both commands are recorded in the audit.

  export PERSON   all data about the person, as JSON
  erase PERSON    destroy the person's key: the encrypted data becomes unreadable, every audit chain stays
                  valid. Only a backup can revert it: see docs/guides/backup-and-restore.md
"""
EPILOG = """\
examples:
  enfilade privacy export fiona.finance > fiona.json
  enfilade privacy erase fiona.finance --reason "Left in 2024, asked on 3 November"
"""
_API = "/admin/v1/privacy"

TAKES = {"export": "", "erase": "reason"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["export", "erase"])
    parser.add_argument("person", metavar="PERSON", help="a subject, or a pseudonym")
    parser.add_argument("--reason", help="the reason, for the audit (erase)")
    configure_admin(parser)


def run(options: argparse.Namespace) -> int:
    if options.action == "erase" and not options.reason:
        raise CommandError("Give --reason, for the audit.", MISUSED)
    asyncio.run(_ask(options))
    return OK


async def _ask(options: argparse.Namespace) -> None:
    async with administrator(options) as person:
        if options.action == "export":
            await _export(options, person)
        else:
            await _erase(options, person)


async def _export(options: argparse.Namespace, person: Person) -> None:
    export = await person.post(f"{_API}/exports", {"person": options.person})
    encode = msgspec.json.Encoder(decimal_format="number").encode
    print_json(msgspec.Raw(encode(export)), indent=2)


async def _erase(options: argparse.Namespace, person: Person) -> None:
    body = {"person": options.person, "reason": options.reason}
    done = await person.post(f"{_API}/erasures", body)
    print_lines(f"Erased: {done['person']} identifies no person since {done['erased_at']}.")
