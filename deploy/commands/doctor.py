"""deploy/commands: `enfilade doctor`: what is wrong with this installation, and how to mend it."""

import argparse
import os

from deploy.console import mark, paper, table
from deploy.diagnosis import diagnose
from deploy.errors import FAILED, OK
from deploy.launching.stack import data_dir

DESCRIPTION = """\
Look at everything that a start needs: Python, the packages against the lock, ports, the data folder, the
configuration (every fault of it), database and cache, the sandboxes of a running stack, and each instance:
its profile, its secrets, and whether its account answers as it should. Changes nothing.
"""
EPILOG = """\
examples:
  enfilade doctor                    exit status 1 when something must be mended
  enfilade doctor --port 9000 --data /srv/enfilade
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help="the gateway's (8080)")
    parser.add_argument("--sandbox-port", type=int, default=9101, metavar="N", help="the first of three")
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    folder = data_dir(options.data, os.environ)
    findings = diagnose(folder, os.environ, options.port, options.sandbox_port)
    made = table("", "", "what", "found", "how to mend it")
    made.show_header = False
    for finding in findings:
        made.add_row(mark(ok=finding.ok), finding.what, finding.found, finding.fix)
    paper().print(made)
    return OK if all(finding.ok for finding in findings) else FAILED
