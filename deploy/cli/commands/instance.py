"""deploy: `enfilade instance`: checks a vendor's account against its profile."""

import argparse
import asyncio
import os

from contracts.system.instance import InstanceReport
from deploy.composition.instances import check
from deploy.console import Paper, mark, paper, table
from deploy.errors import FAILED, MISUSED, OK, CommandError
from deploy.process.stack import data_dir, running, settings_beside
from system_apis.app import survey_profiles

DESCRIPTION = """\
Log in to a vendor's account with its profile and check it: permissions by the vendor's own names, fields
that are missing or of another type than in the profile, remaining limits, test or production. Writes
nothing.
"""
EPILOG = """\
examples:
  enfilade instance check salesforce-main
  enfilade instance check --all
Credentials are read from the profile's references (env:NAME, file:PATH); those of the sandboxes are available
while `enfilade up` runs on --data.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["check"])
    parser.add_argument("name", nargs="?", metavar="NAME", help="the instance: its profile's name")
    parser.add_argument("--all", action="store_true", help="every instance of the configuration")
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    if bool(options.name) == options.all:
        raise CommandError("Name one instance, or give --all.", MISUSED)
    folder = data_dir(options.data, os.environ)
    settings = settings_beside(folder, os.environ)
    stack = running(folder)
    environ = {**(stack.environ if stack else {}), **os.environ}
    profiles, faults = survey_profiles(settings.folder / "instances")
    chosen = [pair for pair in profiles if options.all or pair[1].name == options.name]
    if not chosen:
        known = ", ".join(profile.name for _, profile in profiles)
        raise CommandError(f"No instance is named {options.name!r}; there are: {known}.", MISUSED)
    console = paper()
    reports = [asyncio.run(check(*pair, settings, environ, faults)) for pair in chosen]
    for report, (_, profile) in zip(reports, chosen, strict=True):
        _show(console, report, profile.owner)
    return OK if all(report.ok for report in reports) else FAILED


def _show(console: Paper, report: InstanceReport, owner: str) -> None:
    answers = f"owner {owner}" if owner else "its profile names no owner"
    title = f"{report.instance}: {report.vendor}, {report.environment}; {answers}"
    made = table(title, "", "kind", "name", "found", "remedy")
    for finding in report.findings:
        made.add_row(mark(ok=finding.ok), finding.kind, finding.name, finding.detail, finding.fix)
    console.print(made)
