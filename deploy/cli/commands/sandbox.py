"""deploy: `enfilade sandbox`: runs one stand-in vendor by the sandbox's own module."""

import argparse

import sandbox.__main__
from sandbox.folders import own_options, vendors

DESCRIPTION = """\
Run one stand-in vendor over plain HTTP, with state and the vendor's wire format; each has a README.md under
sandbox/. With --env it first prints a client's connection data as KEY=VALUE lines, then serves. Its control
API (reset, faults, holds, clock, call log) is at /__control.
"""
EPILOG = """\
examples:
  enfilade sandbox salesforce --port 9101 --env
  enfilade sandbox netsuite --port 9102 --env --data .enfilade/sandboxes/netsuite
  enfilade sandbox kantata --port 0               a free port, printed
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("vendor", choices=vendors())
    parser.add_argument("--port", type=int, metavar="N", help="0 for a free one; default: the vendor's own")
    parser.add_argument("--env", action="store_true", help="first print KEY=VALUE lines, then a blank one")
    parser.add_argument("--data", metavar="DIR", help="store the state in this folder")
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument(
        "--proxy-port", type=int, metavar="N", help="port of the CONNECT proxy with a temporary CA"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="seed of the generated ids")
    sandbox.__main__.add_own_options(parser)


def run(options: argparse.Namespace) -> int:
    given: list[str] = [options.vendor, *(["--env"] if options.env else [])]
    for name in ("port", "data", "host", "proxy_port", "seed", *own_options(options.vendor)):
        value = getattr(options, name)
        if value is not None:
            given += [f"--{name.replace('_', '-')}", str(value)]
    return sandbox.__main__.main(given)
