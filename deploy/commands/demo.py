"""deploy/commands: `enfilade demo`: plays the demo once more against a stack that runs."""

import argparse
import asyncio
import os

from deploy.commands.token import embedded_issuer
from deploy.console import paper
from deploy.demo.running import run_demo
from deploy.errors import FAILED, OK, CommandError
from deploy.launching.stack import data_dir, running

DESCRIPTION = """\
Play the demo against the stack that `enfilade up` runs: an open deal (or a new one when none is left) is
closed in the Salesforce sandbox, its notification starts the flow, a finance persona decides when asked, and
in the end the three vendors are read back. Everything goes over HTTP with tokens, as a user's calls do.
"""
EPILOG = """\
examples:
  enfilade demo                     exit status 0 only when everything held at the vendors
  enfilade demo --data /srv/enfilade
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR", help="the data folder of the running stack (.enfilade)")


def run(options: argparse.Namespace) -> int:
    folder = data_dir(options.data, os.environ)
    stack = running(folder)
    if stack is None:
        raise CommandError(
            f"Nothing runs on {folder}: start it with `enfilade up`, or name another with --data."
        )
    issuer = embedded_issuer(str(folder))
    outcome = asyncio.run(run_demo(stack, issuer, paper()))
    return OK if outcome.passed else FAILED
