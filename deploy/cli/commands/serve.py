"""deploy: `enfilade serve`: the deployment, or some of its tiers, under granian."""

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy.exc

from deploy.composition.checking import startable_settings
from deploy.errors import CommandError
from deploy.process.draining import supervisor
from deploy.process.parent import die_with_parent
from deploy.process.ports import refuse_ports_in_use
from deploy.settings import TIERS, ServerSettings
from kit.database import migrate
from kit.database.refusals import UNREACHABLE, refusal_of
from kit.telemetry import configure_logging
from process_apis.app import MIGRATIONS

DESCRIPTION = """\
Run the deployment from settings named ENFILADE_… (options take precedence): all tiers in one process, or
some of them, each process answering requests, executing flows, or both.

The configuration is checked and the database migrated first (processes that start together wait for one
another). SIGTERM and SIGINT drain: after a notice no connection is accepted, requests and steps in flight
are finished. SIGHUP replaces the workers one by one.
"""
EPILOG = """\
examples:
  enfilade serve                                         all tiers, with the settings ENFILADE_…
  enfilade serve --workers 4 --role api                  answer requests only
  enfilade serve --tiers process,system --role worker   execute flows; no gateway
settings (environment):
  ENFILADE_DATABASE_URL   postgresql+psycopg://user:password@host/database   (required)
  ENFILADE_CACHE_URL      redis://host:6379/0
  ENFILADE_CONFIG         the folder with instances/, reference/, routing.toml, flows.toml, …
  ENFILADE_INTERNAL_KEY   env:NAME or file:PATH, the same for all processes of a split deployment
  ENFILADE_PROCESS_URL    the address of a tier that is not served here (also SYSTEM, EXPERIENCE)
"""
_OPTIONS = ("tiers", "role", "workers", "host", "port")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tiers", help=f"all, or some of {','.join(TIERS)}")
    parser.add_argument(
        "--role",
        choices=["all", "api", "worker"],
        help="answer requests (api), execute flows (worker), or both",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="processes that share the port")
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (8080)")
    parser.add_argument("--die-with-parent", action="store_true", help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    if options.die_with_parent:
        die_with_parent()
    given = {f"ENFILADE_{name.upper()}": getattr(options, name) for name in _OPTIONS}
    # The workers read their settings from the environment, as any other process of the deployment does.
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    settings = prepare(os.environ)
    refuse_ports_in_use(settings.host, {settings.port: "--port"})
    if settings.internal is not None:
        refuse_ports_in_use(settings.internal[0], {settings.internal[1]: "ENFILADE_INTERNAL_ADDRESS"})
    _serve(settings)
    return 0


def prepare(environ: Mapping[str, str]) -> ServerSettings:
    """The valid settings, with the database migrated; raises SettingsError and CommandError."""
    settings = startable_settings(environ)
    try:
        migrate(settings.database_url, MIGRATIONS)
    except (sqlalchemy.exc.DBAPIError, sqlalchemy.exc.ArgumentError) as error:
        refusal = refusal_of(error)
        if refusal is None and not isinstance(error, sqlalchemy.exc.ArgumentError):
            raise
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        where = urlsplit(settings.database_url).hostname or "the socket of ENFILADE_DATABASE_URL"
        remedy = refusal.remedy if refusal else UNREACHABLE.remedy
        raise CommandError(f"The database at {where} cannot be used ({reason}): {remedy}.") from None
    return settings


def _serve(settings: ServerSettings) -> None:
    with tempfile.TemporaryDirectory(prefix="enfilade-") as folder:
        os.environ["ENFILADE_RUN_DIR"] = folder
        server = supervisor("deploy.process.serving:app", settings, Path(folder))
        configure_logging(settings.log_level, pretty=settings.logs_for_people)
        server.serve()
