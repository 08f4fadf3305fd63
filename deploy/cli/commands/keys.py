"""deploy: `enfilade keys`: API keys of consumers, and revocations."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from deploy.cli.admin_client import administrator, configure_admin
from deploy.console import paper, print_json, print_lines, table
from deploy.errors import MISUSED, OK, CommandError
from deploy.people import Person

DESCRIPTION = """\
A consumer without OAuth support uses an API key, as a bearer token: Authorization: Bearer enf_test_… It may
have two keys at a time, so that a new one can be in use before the old one is revoked. Every gateway of the
deployment applies a change within a few seconds.

  list [CONSUMER]    keys with their last use, without their text
  create CONSUMER    a new key. Its text is printed once: store it as a secret
  revoke KEY_ID      revoke a key
  revocations        list revocations of tokens
  revoke-token JTI, revoke-consumer CONSUMER, revoke-person SUBJECT
                     revoke one token, or all tokens issued to a consumer or a person until now
"""
EPILOG = """\
examples:
  enfilade keys create portal-globex --title "nightly import" --days 90
  enfilade keys list portal-globex
  enfilade keys revoke key_…
  enfilade keys revoke-person fiona.finance --reason "left the firm"
"""
_API = "/admin/v1/keys"
_REVOKED = {"revoke-token": "token", "revoke-consumer": "consumer", "revoke-person": "subject"}

TAKES = {
    "list": "name json",
    "create": "name title days scope json",
    "revoke": "name json",
    "revocations": "json",
    **dict.fromkeys(_REVOKED, "name reason issuer json"),
}

Work = Callable[[argparse.Namespace, Person], Awaitable[None]]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["list", "create", "revoke", "revocations", *_REVOKED])
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="see above")
    parser.add_argument("--title", default="", help="what the key is for (create)")
    parser.add_argument("--days", type=int, help="days until it expires; by default it does not (create)")
    parser.add_argument(
        "--scope",
        action="append",
        default=[],
        metavar="GRANT",
        help="restrict it to this grant (create; repeatable)",
    )
    parser.add_argument("--reason", default="", help="the reason, for the audit trail (revoke-…)")
    parser.add_argument("--issuer", default="", help="only this issuer's tokens (revoke-…)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    configure_admin(parser)


def run(options: argparse.Namespace) -> int:
    if options.action not in ("list", "revocations") and not options.name:
        raise CommandError(f"Give a name: enfilade keys {options.action} NAME", MISUSED)
    if options.action in _REVOKED and not options.reason:
        raise CommandError("Give --reason, for the audit trail.", MISUSED)
    work = {"list": _list, "create": _create, "revoke": _revoke, "revocations": _list_revocations}
    asyncio.run(_with_person(options, work.get(options.action, _revoke_tokens)))
    return OK


async def _with_person(options: argparse.Namespace, work: Work) -> None:
    async with administrator(options) as person:
        await work(options, person)


async def _list(options: argparse.Namespace, person: Person) -> None:
    asked = {"consumer": options.name} if options.name else {}
    keys = (await person.get(f"{_API}/keys", **asked))["items"]
    if options.json:
        print_json(keys)
    elif not keys:
        print_lines("There are no keys.")
    else:
        made = table(
            "", "id", "consumer", "prefix", "purpose", "valid", "last used", unbroken=("id", "prefix")
        )
        for key in keys:
            made.add_row(
                key["id"],
                key["consumer"],
                key["prefix"] + "…",
                key.get("title", ""),
                _holds(key),
                key.get("last_used_at", "never"),
            )
        paper().print(made)


def _holds(key: dict[str, Any]) -> str:
    if key["holds"]:
        return f"until {key['expires_at']}" if "expires_at" in key else "yes"
    return f"revoked by {key.get('revoked_by', '')}" if "revoked_at" in key else "expired"


async def _create(options: argparse.Namespace, person: Person) -> None:
    wanted: dict[str, Any] = {"consumer": options.name, "title": options.title, "scopes": options.scope}
    if options.days:
        wanted["expires_in_days"] = options.days
    made = await person.post(f"{_API}/keys", wanted)
    if options.json:
        print_json(made)
        return
    print_lines(made["text"])
    print_lines(f"This is {made['key']['id']} of {options.name}. The key is not shown again.")


async def _revoke(options: argparse.Namespace, person: Person) -> None:
    key = await person.delete(f"{_API}/keys/{options.name}")
    if options.json:
        print_json(key)
        return
    print_lines(f"{key['prefix']}… of {key['consumer']} is revoked, by {key['revoked_by']}.")


async def _list_revocations(options: argparse.Namespace, person: Person) -> None:
    revocations = (await person.get(f"{_API}/revocations"))["items"]
    if options.json:
        print_json(revocations)
    elif not revocations:
        print_lines("There are no revocations.")
    else:
        made = table("", "kind", "name", "issued until", "by", "reason", "deleted at")
        for one in revocations:
            columns = (
                one["issued_before"],
                one.get("revoked_by", ""),
                one.get("reason", ""),
                one["forget_at"],
            )
            made.add_row(one["kind"], one["name"], *columns)
        paper().print(made)


async def _revoke_tokens(options: argparse.Namespace, person: Person) -> None:
    wanted = {"kind": _REVOKED[options.action], "name": options.name, "reason": options.reason}
    if options.issuer:
        wanted["issuer"] = options.issuer
    made = await person.post(f"{_API}/revocations", wanted)
    if options.json:
        print_json(made)
        return
    print_lines(f"Revoked: {made['kind']} {made['name']}, all tokens issued until {made['issued_before']}.")
