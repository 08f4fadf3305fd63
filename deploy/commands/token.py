"""deploy/commands: `enfilade token`: a development token of a consumer, from the embedded issuer."""

import argparse
import os

from deploy.console import print_lines
from deploy.errors import MISUSED, OK, CommandError
from deploy.gateway_assembly import issuer_of
from deploy.launching.stack import data_dir, settings_beside
from gateway.identity import DevelopmentIssuer
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, read, read_consumers

DESCRIPTION = """\
Print an access token of a consumer of consumers.toml, signed by the embedded issuer of this data folder,
valid for one hour. With --subject it names a person behind the consumer, as approvals require. A person of
people.toml has the roles that the person and the consumer both have, any other subject the consumer's.
"""
EPILOG = """\
examples:
  curl -H "Authorization: Bearer $(enfilade token --as crm-screen)" \\
       http://127.0.0.1:8080/experience/crm-ui/v1/opportunities/006…/activation
  enfilade token --as finance-desk --subject fiona.finance
  enfilade token --list
"""


def configure(parser: argparse.ArgumentParser) -> None:
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--as", dest="consumer", metavar="CONSUMER", help="the consumer")
    wanted.add_argument("--list", action="store_true", help="list the consumers and people")
    parser.add_argument("--subject", default="", help="the person behind the consumer")
    parser.add_argument(
        "--scope", action="append", metavar="SCOPE", help="restrict it to this scope (repeatable)"
    )
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


def run(options: argparse.Namespace) -> int:
    issuer = embedded_issuer(options.data)
    if options.list:
        for name, consumer in sorted(issuer.consumers.items()):
            print_lines(f"{name:<16} {consumer.title}")
        print_lines("", "people (--subject):")
        for name, person in sorted(issuer.people.items()):
            print_lines(f"{name:<16} {person.name}, {', '.join(person.roles)}")
        return OK
    print_lines(mint(issuer, options.consumer, options.subject, options.scope))
    return OK


def embedded_issuer(data: str | None) -> DevelopmentIssuer:
    """The issuer of a data folder; raises CommandError if the configuration does not enable it."""
    settings = settings_beside(data_dir(data, os.environ), os.environ)
    asked_for = read(settings.folder / "gateway.toml", GatewaySettings).identity.embedded_issuer
    if settings.production or not asked_for:
        raise CommandError(
            "The embedded issuer is not enabled (gateway.toml, identity.embedded_issuer): "
            "obtain a token from the issuer that is configured there."
        )
    return issuer_of(settings, read_consumers(settings.folder / "consumers.toml"))


def mint(issuer: DevelopmentIssuer, consumer: str, subject: str = "", scopes: list[str] | None = None) -> str:
    """A token; raises CommandError with the known consumers for any other name."""
    known_consumer(issuer, consumer)
    return issuer.mint(consumer, subject=subject, scopes=scopes)


def known_consumer(issuer: DevelopmentIssuer, name: str) -> Consumer:
    """The consumer of that name; raises CommandError with the known consumers for any other name."""
    if name not in issuer.consumers:
        known = ", ".join(sorted(issuer.consumers))
        raise CommandError(f"No consumer is named {name!r}; there are: {known}.", MISUSED)
    return issuer.consumers[name]
