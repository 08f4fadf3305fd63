"""deploy: `enfilade restore`: restores the deployment's state from a file."""

import argparse
import os
from pathlib import Path

from deploy.cli.backups import key_fault, restore
from deploy.console import print_lines
from deploy.errors import OK
from deploy.process.stack import data_dir

DESCRIPTION = """\
Restore the database from a file of `enfilade backup`, into a data folder without a database (or with
--replace), or into the empty database of ENFILADE_DATABASE_URL. No process may use it. Then start the
deployment: it migrates the database if the file is of an earlier release, takes over the workflows, and
continues them.
"""
EPILOG = """\
examples:
  enfilade restore /srv/backups/monday.enfilade
  enfilade restore monday.enfilade --data /srv/enfilade --replace
  enfilade up --no-demo                              and in another terminal: enfilade audit verify
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a backup")
    parser.add_argument("--replace", action="store_true", help="delete the existing embedded database first")
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    folder = data_dir(options.data, os.environ)
    manifest = restore(options.file.absolute(), folder, os.environ, replace=options.replace)
    print_lines(f"The deployment is as it was on {manifest.at[:19]} UTC (release {manifest.release}).")
    if fault := key_fault(manifest, folder, os.environ):
        print_lines(fault)
    return OK
