"""deploy: `enfilade down`: stops the stack of a data folder."""

import argparse
import os

from deploy.console import print_lines
from deploy.errors import FAILED, OK
from deploy.process.stack import data_dir, end, launcher, running

DESCRIPTION = """\
Stop the `enfilade up` of a data folder, with everything that it started. The data stays: the next `up`
continues with it. It is no error if nothing runs.
"""
EPILOG = """\
examples:
  enfilade down                       the one on .enfilade
  enfilade down --data /srv/enfilade
"""
START_SECONDS = 40.0
"""What one that is still starting, and does not say how long it may take, has to stop in."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    folder = data_dir(options.data, os.environ)
    pid = launcher(folder)
    if not pid:
        print_lines(f"No stack runs on {folder}.")
        return OK
    stack = running(folder)
    within = START_SECONDS if stack is None else max(START_SECONDS, stack.stop_seconds)
    if not end(folder, pid, within):
        print_lines(f"Process {pid} did not stop within {within:.0f} s: check its log, or kill it.")
        return FAILED
    print_lines(f"Stopped (process {pid}).")
    return OK
