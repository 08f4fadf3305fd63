"""deploy/commands: `enfilade contracts`: the frozen API documents against what the code declares."""

import argparse

from deploy.errors import FAILED, OK
from deploy.interfaces import drifted, freeze

DESCRIPTION = """\
Every API has a frozen OpenAPI 3.1 document in contracts/openapi. `check` says where the code has drifted from
it; `freeze` writes the documents anew, for a change that is meant.
"""
EPILOG = """\
examples:
  enfilade contracts check      exit status 1 when anything differs
  enfilade contracts freeze     then look at the difference before you commit it
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["check", "freeze"])


def run(options: argparse.Namespace) -> int:
    if options.action == "freeze":
        for path in (written := freeze()):
            print(f"frozen {path.name}")
        print(f"{len(written)} documents were written.")
        return OK
    if faults := drifted():
        print("\n".join(faults))
        return FAILED
    print("No API differs from its frozen document.")
    return OK
