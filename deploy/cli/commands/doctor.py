"""deploy: `enfilade doctor`: the faults of this installation, with a remedy for each."""

import argparse
import os

from deploy.cli.diagnosis import diagnose
from deploy.console import mark, paper, table
from deploy.errors import FAILED, OK
from deploy.process.sandboxes import FIRST_PORT
from deploy.process.stack import data_dir

DESCRIPTION = """\
Check everything that a start needs: Python, the packages against the lock, ports, the data folder, the
configuration (every fault), database and cache, the sandboxes of a running stack, and each instance: its
profile, its secrets, and its account. Changes nothing.
"""
EPILOG = """\
examples:
  enfilade doctor                    exit status 1 if there is a fault
  enfilade doctor --port 9000 --data /srv/enfilade
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help="the gateway's port (8080)")
    parser.add_argument(
        "--sandbox-port",
        type=int,
        default=FIRST_PORT,
        metavar="N",
        help="the first sandbox's port (9101)",
    )
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    folder = data_dir(options.data, os.environ)
    findings = diagnose(folder, os.environ, options.port, options.sandbox_port)
    made = table("", "", "check", "result", "remedy")
    made.show_header = False
    for finding in findings:
        made.add_row(mark(ok=finding.ok), finding.what, finding.observed, finding.fix)
    paper().print(made)
    return OK if all(finding.ok for finding in findings) else FAILED
