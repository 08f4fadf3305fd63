"""deploy/commands: `enfilade backup`: the deployment's state in one file."""

import argparse
import os
from pathlib import Path

from deploy.backups import back_up
from deploy.console import print_lines
from deploy.errors import OK, CommandError
from deploy.launching.stack import data_dir

DESCRIPTION = """\
Write the database into FILE as it is at one instant, while the deployment goes on: workflows, ledger, inbox,
events, exceptions, audit. The cache is not kept, for nothing in it is needed. The keys are not kept either,
unless asked: whoever has both reads all that is sealed about people.
"""
EPILOG = """\
examples:
  enfilade backup /srv/backups/monday.enfilade
  enfilade backup --data /srv/enfilade --with-keys everything.enfilade     keep it as you keep keys
The database is ENFILADE_DATABASE_URL, that of the stack which runs on --data, or the one that lies there.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file")
    parser.add_argument("--with-keys", action="store_true", help="the issuer's keys and the master key too")
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    file: Path = options.file.absolute()
    if file.exists():
        raise CommandError(f"{file} is there already: name a new file.")
    folder = data_dir(options.data, os.environ)
    back_up(file, folder, os.environ, with_keys=options.with_keys)
    print_lines(f"{file}: {file.stat().st_size / 1e6:.1f} MB.")
    if not options.with_keys:
        where = os.environ.get("ENFILADE_MASTER_KEY") or folder / "keys"
        print_lines(f"Without the keys: keep {where} too, somewhere else.")
    return OK
