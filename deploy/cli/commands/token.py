"""deploy: `enfilade token`: a development token of a consumer, from the embedded issuer."""

import argparse

from deploy.cli.tokens import embedded_issuer, mint
from deploy.console import print_lines
from deploy.errors import MISUSED, OK, CommandError

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
    if options.list and (options.subject or options.scope):
        raise CommandError("--list takes neither --subject nor --scope.", MISUSED)
    issuer = embedded_issuer(options.data)
    if options.list:
        for name, consumer in sorted(issuer.consumers.items()):
            print_lines(f"{name:<16} {consumer.title}")
        print_lines("", "people (--subject):")
        for name, person in sorted(issuer.people.items()):
            print_lines(f"{name:<16} {', '.join((person.name, *person.roles))}")
        return OK
    print_lines(mint(issuer, options.consumer, options.subject, options.scope))
    return OK
