"""deploy: `enfilade duties`: duties, their holders, conflicts and waivers."""

import argparse
import os
from collections.abc import Mapping
from typing import Any

import msgspec

from contracts.duties import ConflictingDuties, Duties
from deploy.composition.access import routing_faults
from deploy.composition.interfaces import interfaces
from deploy.console import paper, print_json, print_lines, table
from deploy.errors import FAILED, OK
from deploy.process.stack import data_dir, settings_beside
from gateway.duties import Matrix, matrix_of
from gateway.plans import Consumer
from gateway.policy_bundle import read_bundle

DESCRIPTION = """\
Show the segregation of duties: every duty with the consumers that hold it, the conflicting pairs with the
reason, and the waivers with their last days. Reads consumers.toml and duties.toml; needs no server.

A deployment does not start while a consumer holds a pair without a waiver. No person may exercise both
duties of a pair on one case, waiver or not: the API answers 403 segregation_of_duties.
"""
EPILOG = """\
examples:
  enfilade duties                exit status 1 if a consumer holds a pair without a waiver
  enfilade duties --json         the same as JSON
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    folder = settings_beside(data_dir(options.data, os.environ), os.environ).folder
    bundle = read_bundle(folder)
    consumers, faults = bundle.consumers, routing_faults(bundle)
    judge = matrix_of(bundle.duties, interfaces())
    if options.json:
        print_json(_document(judge, consumers, faults))
    else:
        _print_tables(judge, consumers, faults)
    return FAILED if faults else OK


def _document(judge: Matrix, consumers: Mapping[str, Consumer], faults: list[str]) -> dict[str, Any]:
    return {
        "duties": _holders(judge, consumers),
        "conflicts": msgspec.to_builtins(judge.duties.conflicts),
        "waivers": msgspec.to_builtins(judge.duties.waivers),
        "faults": faults,
    }


def _holders(judge: Matrix, consumers: Mapping[str, Consumer]) -> dict[str, list[str]]:
    """The consumers that hold each duty."""
    held = {name: judge.held_by(consumer) for name, consumer in consumers.items()}
    return {duty: [name for name in held if duty in held[name]] for duty in judge.duties.duties}


def _print_tables(judge: Matrix, consumers: Mapping[str, Consumer], faults: list[str]) -> None:
    duties = judge.duties
    holders = table("Duties", "duty", "title", "held by")
    for name, names in _holders(judge, consumers).items():
        holders.add_row(name, duties.duties[name].title, ", ".join(names) or "none")
    conflicts = table("Conflicts, on one case and in one holder", "duty", "and", "reason", "waived for")
    for pair in duties.conflicts:
        conflicts.add_row(*pair.duties, pair.why, "may be held" if pair.held else _waived(duties, pair))
    waivers = table("Waivers", "holder", "last day", "duties", "reason")
    for waiver in duties.waivers:
        waivers.add_row(waiver.holder, str(waiver.until), ", ".join(waiver.duties), waiver.reason)
    for made in (holders, conflicts, waivers):
        paper().print(made)
    for fault in faults:
        print_lines(fault)


def _waived(duties: Duties, pair: ConflictingDuties) -> str:
    holders = dict.fromkeys(one.holder for one in duties.waivers if set(pair.duties) <= set(one.duties))
    return ", ".join(holders)
