"""deploy: development tokens, from the embedded issuer of a data folder."""

import os

from deploy.composition.gateway_assembly import issuer_of
from deploy.errors import MISUSED, CommandError
from deploy.process.stack import data_dir, settings_beside
from gateway.identity import DevelopmentIssuer
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, expand, read, read_consumers


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
    """A token; raises CommandError for an unknown consumer, and for scopes that it was not granted."""
    granted = expand(known_consumer(issuer, consumer), issuer.scopes)
    if foreign := sorted(set(scopes or ()) - set(granted)):
        raise CommandError(
            f"{consumer} has no scope {', '.join(foreign)}; it has: {', '.join(granted)}.", MISUSED
        )
    return issuer.mint(consumer, subject=subject, scopes=scopes)


def known_consumer(issuer: DevelopmentIssuer, name: str) -> Consumer:
    """The consumer of that name; raises CommandError with the known consumers for any other name."""
    if name not in issuer.consumers:
        known = ", ".join(sorted(issuer.consumers))
        raise CommandError(f"No consumer is named {name!r}; there are: {known}.", MISUSED)
    return issuer.consumers[name]
