"""deploy: `enfilade demo`: runs the demo again on a running stack."""

import argparse
import asyncio
import os

from deploy.cli.tokens import embedded_issuer
from deploy.console import paper
from deploy.demo.running import run_demo
from deploy.errors import FAILED, OK, CommandError
from deploy.process.stack import data_dir, running

DESCRIPTION = """\
Run the demo on the stack of `enfilade up`: an open deal (or a new one if none is left) is won in the sandbox
of the CRM, its notification starts the flow, a finance persona decides if necessary, and at the end the
records of the vendors are read back and checked. All calls use HTTP with tokens, like a user's calls.
"""
EPILOG = """\
examples:
  enfilade demo                     exit status 0 only if every check at the vendors passed
  enfilade demo --data /srv/enfilade
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR", help="the data folder of the running stack (.enfilade)")


def run(options: argparse.Namespace) -> int:
    folder = data_dir(options.data, os.environ)
    stack = running(folder)
    if stack is None:
        raise CommandError(
            f"No stack runs on {folder}: start one with `enfilade up`, or name another folder with --data."
        )
    issuer = embedded_issuer(str(folder))
    outcome = asyncio.run(run_demo(stack, issuer, paper()))
    return OK if outcome.passed else FAILED
