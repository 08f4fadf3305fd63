"""deploy: `enfilade backup`: the deployment's state in one file."""

import argparse
import os
from pathlib import Path

from deploy.cli.backups import back_up
from deploy.console import print_lines
from deploy.errors import OK, CommandError
from deploy.process.stack import data_dir

DESCRIPTION = """\
Write a consistent snapshot of the database to FILE, while the deployment runs: workflows, ledger, inbox,
events, exceptions, audit. The cache is not included, since it can be rebuilt. The keys are included only on
request: with file and keys all personal data can be decrypted.
"""
EPILOG = """\
examples:
  enfilade backup /srv/backups/monday.enfilade
  enfilade backup --data /srv/enfilade --with-keys everything.enfilade     store it as securely as keys
The database is ENFILADE_DATABASE_URL, that of the stack running on --data, or the stopped one in that folder.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file")
    parser.add_argument(
        "--with-keys", action="store_true", help="include the issuer's keys and the master key"
    )
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    file: Path = options.file.absolute()
    if file.exists():
        raise CommandError(f"{file} exists already: name a new file.")
    folder = data_dir(options.data, os.environ)
    back_up(file, folder, os.environ, with_keys=options.with_keys)
    print_lines(f"{file}: {file.stat().st_size / 1e6:.1f} MB.")
    if not options.with_keys:
        where = os.environ.get("ENFILADE_MASTER_KEY") or folder / "keys"
        print_lines(f"The keys are not included: back up {where} too, in another place.")
    return OK
