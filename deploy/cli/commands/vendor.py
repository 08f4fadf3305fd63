"""deploy: `enfilade vendor`: writes the skeleton of a new vendor."""

import argparse
from pathlib import Path

from deploy.cli.vendor_skeleton import write_skeleton
from deploy.console import print_lines
from deploy.errors import OK
from deploy.process.children import ROOT
from system_apis.app import capabilities

DESCRIPTION = """\
Write the skeleton of a vendor: its connector in the fixed shape (system_apis/vendors/NAME) and its stand-in
(sandbox/NAME) with an example profile, a console and a conformance stand. It passes the architecture tests;
the conformance suite says what is not written yet. docs/guides/add-a-vendor.md goes on from there.
"""
EPILOG = """\
examples:
  enfilade vendor new acme --capability crm
  enfilade vendor new acme --capability psa --title "Acme PSA" --into ../acme-vendor
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["new"])
    parser.add_argument("name", metavar="NAME", help="small letters and digits; the names of its folders")
    parser.add_argument("--capability", required=True, choices=sorted(capabilities()))
    parser.add_argument("--title", help="how people call the vendor (the name with a capital)")
    parser.add_argument("--into", metavar="DIR", help="the folder to write into (this installation's own)")


def run(options: argparse.Namespace) -> int:
    into = Path(options.into or ROOT).absolute()
    title = options.title or options.name.capitalize()
    for path in write_skeleton(into, options.name, title, options.capability):
        print_lines(str(path.relative_to(into)))
    if options.into:
        print_lines(f"Let Python find them: PYTHONPATH={into}")
    print_lines(
        f"Next: pytest tests/conformance -k {options.name}; it says what is not written yet.",
        "docs/guides/add-a-vendor.md goes through it step by step.",
    )
    return OK
