"""deploy: `enfilade issuer`: the embedded issuer's signing keys, and the secrets of its clients."""

import argparse
import datetime as dt

from deploy.cli.tokens import embedded_issuer, known_consumer
from deploy.console import paper, print_json, print_lines, table
from deploy.errors import MISUSED, OK, CommandError
from gateway.identity import DevelopmentIssuer

DESCRIPTION = """\
Manage the embedded issuer of this data folder. `keys` lists its signing keys: the current key signs, the
next key is already published so that verifiers have it in time, a retiring key still verifies the tokens
that it signed. `rotate` makes the next key the current one; running workers use it at once, and all tokens
stay valid. `secret` prints the development secret with which a consumer obtains its own tokens (client
credentials).
"""
EPILOG = """\
examples:
  enfilade issuer keys
  enfilade issuer rotate
  curl -u "psa-screen:$(enfilade issuer secret psa-screen)" -d grant_type=client_credentials \\
       http://127.0.0.1:8080/oauth/token
Keys also rotate automatically (gateway.toml, identity.embedded_key_days).
"""

TAKES = {"keys": "json", "rotate": "json", "secret": "consumer"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["keys", "rotate", "secret"])
    parser.add_argument("consumer", nargs="?", metavar="CONSUMER", help="the consumer (secret)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table (keys, rotate)")
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    issuer = embedded_issuer(options.data)
    if options.action == "secret":
        print_lines(_secret(issuer, options.consumer))
        return OK
    if options.action == "rotate":
        issuer.keyring.rotate()
    _show(issuer, as_json=options.json)
    return OK


def _secret(issuer: DevelopmentIssuer, name: str | None) -> str:
    if not name:
        raise CommandError("Name the consumer: enfilade issuer secret psa-screen", MISUSED)
    client = known_consumer(issuer, name).client
    if client.public or client.jwks:
        raise CommandError(
            f"{name} has no secret: it authenticates by {'PKCE only' if client.public else 'its own keys'}."
        )
    return issuer.client_secret(name)


def _show(issuer: DevelopmentIssuer, *, as_json: bool) -> None:
    keys = issuer.keyring.list()
    if as_json:
        print_json(keys)
        return
    made = table("", "state", "key id", "since or until")
    for key in keys:
        at = dt.datetime.fromtimestamp(key.at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        made.add_row(key.state, key.kid, f"{'until' if key.state == 'retiring' else 'since'} {at}")
    paper().print(made)
