"""deploy: `enfilade instance`: checks a vendor's account against its profile."""

import argparse
import asyncio
import os
from collections.abc import Sequence

from contracts.system.instance import InstanceReport
from deploy.composition.instances import check
from deploy.composition.registered_webhooks import Action, act
from deploy.console import Paper, mark, paper, table
from deploy.errors import FAILED, MISUSED, OK, CommandError
from deploy.process.stack import data_dir, running, settings_beside, settings_with_database
from deploy.settings import DEMO_CONFIG
from kit.settings import SettingsError
from kit.telemetry import silence_logging
from system_apis.app import survey_profiles
from system_apis.connector import Connector, Profile
from system_apis.connector.closed import unresolved_references

DESCRIPTION = """\
Check a vendor's account, or show where the vendor calls us.

  check NAME      log in with the profile and check permissions by the vendor's own names, fields that are
                  missing or of another type than in the profile, remaining limits, test or production;
                  writes nothing
  hooks [NAME]    the webhooks that the deployment has registered at vendors; with --remove it removes those
                  of an instance there and leaves them off until --register
"""
EPILOG = """\
examples:
  enfilade instance check salesforce-main
  enfilade instance check --all
  enfilade instance hooks erp-main --remove
Credentials are read from the profile's references (env:NAME, file:PATH); those of the sandboxes are available
while `enfilade up` runs on --data.
"""

_START_SANDBOXES = "start `enfilade up`: the sandboxes' credentials are known while it runs on --data"
TAKES = {"check": "name all", "hooks": "name remove register"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["check", "hooks"])
    parser.add_argument("name", nargs="?", metavar="NAME", help="the instance: its profile's name")
    parser.add_argument("--all", action="store_true", help="every instance of the configuration (check)")
    switch = parser.add_mutually_exclusive_group()
    switch.add_argument("--remove", action="store_true", help="remove the instance's webhooks (hooks)")
    switch.add_argument("--register", action="store_true", help="let them be registered again (hooks)")
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    return _run_hooks(options) if options.action == "hooks" else _run_check(options)


def _run_hooks(options: argparse.Namespace) -> int:
    if (options.remove or options.register) and not options.name:
        raise CommandError("Name the instance whose webhooks are meant.", MISUSED)
    folder = data_dir(options.data, os.environ)
    settings, stack = settings_with_database(folder, os.environ), running(folder)
    environ = {**(stack.environ if stack else {}), **os.environ}
    action: Action = "remove" if options.remove else "register" if options.register else "show"
    try:
        webhooks = asyncio.run(act(settings, environ, options.name or "", action))
    except SettingsError as error:
        raise CommandError("; ".join(error.faults)) from None
    if options.name and not webhooks:
        _refuse_unknown(options.name, survey_profiles(settings.folder / "instances").profiles)
    made = table("Webhooks that are registered at vendors", "instance", "name", "status", "address", "until")
    for each in webhooks:
        until = each.registration.expires_at if each.registration else None
        made.add_row(each.instance, each.name, each.status, each.address, until.isoformat() if until else "")
    paper().print(made)
    return OK


def _run_check(options: argparse.Namespace) -> int:
    if bool(options.name) == options.all:
        raise CommandError("Name one instance, or give --all.", MISUSED)
    folder = data_dir(options.data, os.environ)
    settings = settings_beside(folder, os.environ)
    stack = running(folder)
    environ = {**(stack.environ if stack else {}), **os.environ}
    profiles, faults = survey_profiles(settings.folder / "instances")
    chosen = [pair for pair in profiles if options.all or pair[1].name == options.name]
    if not options.all:
        _refuse_unknown(options.name, profiles)
    silence_logging()  # what prevents an instance from opening is a line of its table
    console = paper()
    reports = [asyncio.run(check(*pair, settings, environ, faults)) for pair in chosen]
    demo = settings.folder.resolve() == DEMO_CONFIG.resolve()
    for report, (_, profile) in zip(reports, chosen, strict=True):
        lacking = demo and stack is None and unresolved_references(profile, environ)
        _show(console, report, profile.owner, _START_SANDBOXES if lacking else "")
    return OK if all(report.ok for report in reports) else FAILED


def _refuse_unknown(name: str, profiles: Sequence[tuple[Connector, Profile]]) -> None:
    known = [profile.name for _, profile in profiles]
    if name not in known:
        raise CommandError(f"No instance is named {name!r}; there are: {', '.join(known)}.", MISUSED)


def _show(console: Paper, report: InstanceReport, owner: str, fix: str) -> None:
    """Print the report; `fix` is the remedy of all its faults, where it is known better than by the check."""
    answers = f"owner {owner}" if owner else "its profile names no owner"
    stated = (report.environment, report.currency or "no currency", report.time_zone or "no time zone")
    title = f"{report.instance}: {report.vendor}, {', '.join(stated)}; {answers}"
    made = table(title, "", "kind", "name", "result", "remedy")
    for finding in report.findings:
        remedy = fix if fix and not finding.ok else finding.fix
        made.add_row(mark(ok=finding.ok), finding.kind, finding.name, finding.detail, remedy)
    console.print(made)
