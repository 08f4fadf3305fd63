"""deploy: calls the gateway's own APIs for commands: on the internal listener, with a development token."""

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from deploy.cli.tokens import embedded_issuer, mint
from deploy.composition.gateway_assembly import issuer_of
from deploy.errors import CommandError
from deploy.people import Person
from deploy.process.stack import data_dir, settings_beside
from gateway.identity import DevelopmentIssuer
from gateway.plans import Consumer
from kit.settings import SettingsError

CONSUMER = "platform"
_TIMEOUT_SECONDS = 30


def configure_admin(parser: argparse.ArgumentParser) -> None:
    """The options of every command that calls an admin API."""
    parser.add_argument(
        "--by", default="petra.platform", metavar="PERSON", help="the acting person, for the audit"
    )
    parser.add_argument("--url", help="the internal listener's address (that of the stack on --data)")
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


@asynccontextmanager
async def administrator(options: argparse.Namespace, consumer: str = CONSUMER) -> AsyncIterator[Person]:
    """The person of the options, for calls of admin APIs; raises CommandError without a listener."""
    settings = settings_beside(data_dir(options.data, os.environ), os.environ)
    url = options.url or settings.internal_url
    if not url:
        raise CommandError(
            "The internal listener is switched off (ENFILADE_INTERNAL_ADDRESS); name one with --url."
        )
    token = mint(_issuer(options.data, consumer), consumer, options.by)
    async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_SECONDS) as http:
        yield Person(options.by, url.rstrip("/"), token, http)


def _issuer(data: str | None, consumer: str) -> DevelopmentIssuer:
    """The embedded issuer; also while a policy file is faulty, when its state is needed most."""
    try:
        return embedded_issuer(data)
    except SettingsError:
        settings = settings_beside(data_dir(data, os.environ), os.environ)
        # The gateway's current policy decides what is granted, not the scopes that are requested here.
        return issuer_of(settings, {consumer: Consumer(title=consumer, scopes=("gateway.*.*",))})
