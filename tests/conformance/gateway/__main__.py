"""tests/conformance/gateway: `python -m tests.conformance.gateway`: the suite against any door."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from tests.conformance.gateway import case
from tests.conformance.gateway.running import SECONDS, Target, run

DESCRIPTION = """\
Hold a gateway to the behaviours that the deployment promises. The target must be configured as the files
beside
this program say (README.md): gateway.toml, consumers.toml, tokens.toml and the demonstration upstream.
"""
EPILOG = """\
examples:
  python -m tests.conformance.gateway --base-url http://127.0.0.1:8080 --tokens tokens.json
  python -m tests.conformance.gateway --base-url http://127.0.0.1:8080 --tokens tokens.json identity wire/uri
  python -m tests.conformance.gateway --list contract

The file of tokens is written by `python -m tests.conformance.gateway.tokens`. Limits are used up by the cases
that reach them: give the target a minute before the next run. Exit status 1 when a case does not hold.
"""


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of tokens."""

    public_url: str
    tokens: dict[str, str]
    secrets: dict[str, str] = {}
    certificates: dict[str, str] = {}
    proof_key: dict[str, Any] = {}


def main(arguments: list[str] | None = None) -> int:
    """Run the cases that the command line names."""
    options = _parser().parse_args(arguments)
    names = [name for name in case.names() if not options.cases or name.startswith(tuple(options.cases))]
    if options.list:
        for name in names:
            _say(f"{name}: {case.read(name).title}")
        return 0
    if not options.base_url or not options.tokens:
        options.misuse("--base-url and --tokens are needed")
    credentials = msgspec.json.decode(Path(options.tokens).read_bytes(), type=Credentials)
    target = Target(
        base_url=options.base_url,
        public_url=credentials.public_url,
        tokens=credentials.tokens,
        proof_key=credentials.proof_key,
        secrets=credentials.secrets,
        certificates=credentials.certificates,
        lacks=frozenset(filter(None, options.lacks.split(","))),
        seconds=options.seconds,
    )
    return _run(names, target)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance.gateway",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="how the names of the wanted cases begin (all)"
    )
    parser.add_argument("--base-url", metavar="URL", help="where the gateway stands")
    parser.add_argument("--tokens", metavar="FILE", help="its name, tokens and secrets, as JSON")
    parser.add_argument("--lacks", default="", metavar="A,B", help="features that it does not have")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long an answer may take")
    parser.add_argument("--list", action="store_true", help="tell the cases and their titles only")
    parser.set_defaults(misuse=parser.error)
    return parser


def _run(names: list[str], target: Target) -> int:
    begun, failed, left = time.monotonic(), 0, 0
    for name in names:
        one = case.read(name)
        missing = target.lacks.intersection(one.needs)
        if missing:
            left += 1
            _say(f"left out  {name}: the target lacks {', '.join(sorted(missing))}")
            continue
        found = run(one, target)
        if found:
            failed += 1
            _say("\n    ".join([f"does not hold  {name}: {one.title}", *found]))
    held = len(names) - failed - left
    _say(f"{held} held, {failed} did not, {left} left out, in {time.monotonic() - begun:.1f} s")
    return 1 if failed or not held else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
