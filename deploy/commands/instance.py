"""deploy/commands: `enfilade instance`: checks a vendor's account against its profile."""

import argparse
import asyncio
import os
from collections.abc import Mapping

from contracts.problems import Problem
from contracts.system.instance import Finding, InstanceReport
from deploy.console import Paper, mark, paper, table
from deploy.errors import FAILED, MISUSED, OK, CommandError
from deploy.launching.stack import data_dir, running, settings_beside
from deploy.settings import ServerSettings
from system_apis.app import open_instances, read_profiles
from system_apis.connector import Connector, ConnectorContext, Profile

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
    profiles = read_profiles(settings.folder / "instances")
    chosen = [pair for pair in profiles if options.all or pair[1].name == options.name]
    if not chosen:
        known = ", ".join(profile.name for _, profile in profiles)
        raise CommandError(f"No instance is named {options.name!r}; there are: {known}.", MISUSED)
    console = paper()
    reports = [asyncio.run(check(connector, profile, settings, environ)) for connector, profile in chosen]
    for report, (_, profile) in zip(reports, chosen, strict=True):
        _show(console, report, profile.owner)
    return OK if all(report.ok for report in reports) else FAILED


async def check(
    connector: Connector, profile: Profile, settings: ServerSettings, environ: Mapping[str, str]
) -> InstanceReport:
    """The findings of the connector's check; an account that does not answer is a finding, too."""
    connector_context = ConnectorContext(environ=environ, deployment=settings.deployment)
    try:
        async with open_instances([(connector, profile)], connector_context) as opened:
            return await opened[profile.name].opened.check()
    except Problem as problem:
        fix = "check that the account answers and that the credentials belong to it"
        found = Finding("login", connector.title, ok=False, detail=problem.detail or problem.title, fix=fix)
        return InstanceReport(profile.name, connector.name, profile.environment, (found,))


def _show(console: Paper, report: InstanceReport, owner: str) -> None:
    answers = f"owner {owner}" if owner else "its profile names no owner"
    title = f"{report.instance}: {report.vendor}, {report.environment}; {answers}"
    made = table(title, "", "kind", "name", "found", "remedy")
    for finding in report.findings:
        made.add_row(mark(ok=finding.ok), finding.kind, finding.name, finding.detail, finding.fix)
    console.print(made)
