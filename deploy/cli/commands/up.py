"""deploy: `enfilade up`: the whole deployment on this machine, the demo, then serving."""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

import httpx

from deploy.cli.tokens import embedded_issuer
from deploy.composition.checking import start_faults, startable_settings
from deploy.console import paper, print_errors
from deploy.demo.cast import Role, read_roles
from deploy.demo.consoles import open_consoles
from deploy.demo.running import run_demo
from deploy.demo.welcome import welcome
from deploy.embedded import Embedded, EmbeddedError, wipe
from deploy.errors import FAILED, OK, CommandError
from deploy.process.children import Child
from deploy.process.ports import refuse_overlap, refuse_ports_in_use
from deploy.process.sandboxes import FIRST_PORT, Sandbox, credentials, port_of, standing_in
from deploy.process.server import serving, until_ready
from deploy.process.stack import Stack, data_dir, lock_data, write_stack
from deploy.settings import ServerSettings, is_production
from kit.settings import SettingsError
from sandbox.folders import vendors
from system_apis.app import survey_profiles
from system_apis.connector.closed import unresolved_references

T = TypeVar("T")

DESCRIPTION = """\
Start real PostgreSQL and Valkey (unless ENFILADE_DATABASE_URL and ENFILADE_CACHE_URL name others), the
sandboxes of the vendors whose instances the configuration has, and the gateway with all tiers; then run the
demo: a deal is won in the CRM and becomes a customer, a contract and a project. Prints what happened, the
addresses, ready-made tokens and one curl per tier, and keeps serving until Ctrl-C.

Where the environment has every secret and address that a profile refers to, that account is called, and no
sandbox is started for it.

All data is in one folder; the next start continues with it and closes another deal.
"""
EPILOG = """\
examples:
  enfilade up                         until Ctrl-C (or `enfilade down` from elsewhere)
  enfilade up --once                  stop after the demo: 0 only if every check passed
  enfilade up --fresh                 delete all data first, the vendors' too
  enfilade up --port 9000 --sandbox-port 9500 --data /srv/enfilade
"""
_NO_DATABASE_YET = "postgresql+psycopg://"
_LISTENING_SECONDS = 15.0
_REST_SECONDS = 20.0  # for the stand-ins and the stores, which stop after the server
_LOOK_EVERY_SECONDS = 0.05


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="stop after the demo")
    parser.add_argument("--fresh", action="store_true", help="delete all data first, the sandboxes' too")
    parser.add_argument("--no-demo", action="store_true", help="only start and serve")
    parser.add_argument("--port", type=int, help="the gateway's port (8080)")
    parser.add_argument("--host", help="the address that the gateway listens on (127.0.0.1)")
    parser.add_argument(
        "--sandbox-port",
        type=int,
        default=FIRST_PORT,
        metavar="N",
        help="the first sandbox's port (9101)",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="server processes (1)")
    parser.add_argument("--data", metavar="DIR", help="the data folder (.enfilade)")


class Interrupted(Exception):  # noqa: N818 - a person's wish, not an error
    """A signal to stop was received."""


def run(options: argparse.Namespace) -> int:
    folder = data_dir(options.data, os.environ)
    settings = _settings(options, folder)
    with lock_data(folder):
        internal = [(settings.internal[1], "ENFILADE_INTERNAL_ADDRESS")] if settings.internal else []
        ports = [(settings.port, "--port")]
        ports += [
            (port_of(vendor, options.sandbox_port), "--sandbox-port")
            for vendor in stood_in_for(settings.folder)
        ]
        refuse_overlap([*ports, *internal])
        refuse_ports_in_use(settings.host, dict(ports))
        if settings.internal is not None:
            refuse_ports_in_use(settings.internal[0], dict(internal))
        if options.fresh:
            _wipe(folder)
        try:
            return asyncio.run(_launch(options, settings, folder))
        except EmbeddedError as error:
            raise CommandError(str(error)) from None


def _settings(options: argparse.Namespace, folder: Path) -> ServerSettings:
    """The server's settings, validated before anything starts; raises SettingsError."""
    settings = {
        name: str(value)
        for name in ("port", "host", "workers")
        if (value := getattr(options, name)) is not None
    }
    environ = {**os.environ, **{f"ENFILADE_{name.upper()}": value for name, value in settings.items()}}
    environ["ENFILADE_DATA_DIR"] = str(folder)
    if options.fresh and os.environ.get("ENFILADE_DATABASE_URL"):
        raise CommandError(
            "--fresh deletes the embedded database only: clear yours by hand, or unset ENFILADE_DATABASE_URL."
        )
    if is_production(environ):
        said = "`enfilade up` runs the demo on embedded stores and stand-in vendors: use `enfilade serve`"
        raise SettingsError([said, *start_faults(environ)])
    environ.setdefault("ENFILADE_DATABASE_URL", _NO_DATABASE_YET)
    return startable_settings(environ)


def _wipe(folder: Path) -> None:
    try:
        wipe(folder)
    except EmbeddedError as error:
        raise CommandError(str(error)) from None
    for name in ("sandboxes", "keys"):
        shutil.rmtree(folder / name, ignore_errors=True)


def stood_in_for(config: Path) -> list[str]:
    """The vendors to stand in for, each once: those of instances whose references lead to nothing here."""
    roles = [role for role in read_roles(config) if role.instance not in _own_accounts(config)]
    return sorted({role.vendor for role in roles} & set(vendors()))


def _own_accounts(config: Path) -> set[str]:
    """The instances for whose accounts the environment has every address and secret."""
    survey = survey_profiles(config / "instances")
    sound = (profile for _, profile in survey.profiles if profile.name not in survey.faults)
    return {profile.name for profile in sound if not unresolved_references(profile, os.environ)}


async def _launch(options: argparse.Namespace, settings: ServerSettings, folder: Path) -> int:
    return await _Launch(options, settings, folder).run()


class _Launch:
    """One start, from the first server to the last."""

    def __init__(self, options: argparse.Namespace, settings: ServerSettings, folder: Path) -> None:
        self._options = options
        self._settings = settings
        self._folder = folder
        self._console = paper()
        self._begun = time.monotonic()
        self._stop: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._deaths: list[asyncio.Future[str]] = []

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._asked_to_stop)
        try:
            async with AsyncExitStack() as stack:
                return await self._live(stack)
        except Interrupted:
            return OK

    def _asked_to_stop(self) -> None:
        if not self._stop.done():
            self._stop.set_result(None)

    async def _live(self, stack: AsyncExitStack) -> int:
        ours = await self._first(stack.enter_async_context(self._whole()))
        self._say(f"Ready after {time.monotonic() - self._begun:.1f} s")
        issuer = embedded_issuer(str(self._folder))
        played = None if self._options.no_demo else await self._first(run_demo(ours, issuer, self._console))
        if self._options.once:
            return OK if played is None or played.passed else FAILED
        welcome(self._console, ours, issuer, played.opportunity_id if played else "OPPORTUNITY")
        await self._first(asyncio.get_running_loop().create_future())
        return OK

    @contextlib.asynccontextmanager
    async def _whole(self) -> AsyncIterator[Stack]:
        """Start everything, concurrently where possible."""
        async with AsyncExitStack() as stack:
            names = stood_in_for(self._settings.folder)
            with self._console.status(f"Starting PostgreSQL, Valkey and {len(names)} vendors …") as status:
                stores = asyncio.create_task(stack.enter_async_context(self._stores()))
                folder = self._folder / "sandboxes"
                stand_ins = asyncio.create_task(
                    stack.enter_async_context(standing_in(names, self._options.sandbox_port, folder))
                )
                (database_url, cache_url), sandboxes = await _both(stores, stand_ins)
                status.update("Starting the gateway and its three tiers …")
                ours = self._stack(database_url, cache_url, sandboxes)
                for sandbox in sandboxes:
                    self._watch(sandbox.child)
                await self._configure_accounts(ours)
                environ = self._environ(ours)
                server = await stack.enter_async_context(
                    serving(environ, self._folder / "logs" / "server.log", self._settings.stop_seconds)
                )
                self._watch(server)
                await until_ready(server, self._settings.own_address)
                await self._until_listening(ours)
            write_stack(self._folder, ours)
            yield ours

    @contextlib.asynccontextmanager
    async def _stores(self) -> AsyncIterator[tuple[str, str]]:
        """The databases' addresses: the configured ones, else those of the embedded servers."""
        given, cache = os.environ.get("ENFILADE_DATABASE_URL"), os.environ.get("ENFILADE_CACHE_URL")
        if given:
            yield given, cache or ""
            return
        async with Embedded(self._folder) as servers:
            self._deaths.append(asyncio.create_task(servers.died()))
            yield servers.database_url, cache or servers.cache_url

    def _stack(self, database_url: str, cache_url: str, sandboxes: list[Sandbox]) -> Stack:
        return Stack(
            pid=os.getpid(),
            gateway=self._settings.address,
            internal=self._settings.internal_url,
            database_url=database_url,
            cache_url=cache_url,
            config=str(self._settings.folder.absolute()),
            sandboxes={sandbox.vendor: sandbox.url for sandbox in sandboxes},
            environ=credentials(sandboxes),
            stop_seconds=self._settings.stop_seconds + _REST_SECONDS,
        )

    def _environ(self, ours: Stack) -> dict[str, str]:
        return {
            **os.environ,
            **ours.environ,
            "ENFILADE_DATABASE_URL": ours.database_url,
            "ENFILADE_CACHE_URL": ours.cache_url,
            "ENFILADE_CONFIG": ours.config,
            "ENFILADE_DATA_DIR": str(self._folder),
            "ENFILADE_HOST": self._settings.host,
            "ENFILADE_PORT": str(self._settings.port),
            "ENFILADE_WORKERS": str(self._settings.workers),
            "ENFILADE_PUBLIC_URL": ours.gateway,
        }

    async def _configure_accounts(self, ours: Stack) -> None:
        """Let the vendors push their notifications to the instances' addresses, where they can."""
        async with httpx.AsyncClient(trust_env=False) as http:
            consoles = open_consoles(ours.sandboxes, http)
            for role in self._roles(ours):
                console = consoles[role.vendor]
                if settings := console.settings(f"{ours.gateway}/hooks/{role.instance}"):
                    await console.screens.change_settings(settings)

    async def _until_listening(self, ours: Stack) -> None:
        """Wait for the first subscriptions: a stream has no deal that was won before it."""
        async with httpx.AsyncClient(trust_env=False) as http:
            consoles = open_consoles(ours.sandboxes, http).values()
            with contextlib.suppress(TimeoutError):  # the poll finds later what the stream misses
                async with asyncio.timeout(_LISTENING_SECONDS):
                    for console in consoles:
                        while not await console.is_listened_to():  # noqa: ASYNC110 - can only be asked
                            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    @staticmethod
    def _roles(ours: Stack) -> list[Role]:
        return [role for role in read_roles(Path(ours.config)) if role.vendor in ours.sandboxes]

    def _watch(self, child: Child) -> None:
        async def epitaph() -> str:
            await asyncio.shield(child.ended)
            return child.epitaph()

        self._deaths.append(asyncio.create_task(epitaph()))

    async def _first(self, work: Awaitable[T]) -> T:
        """The outcome of the work; raises Interrupted on a signal, CommandError when a child process dies."""
        task = asyncio.ensure_future(work)
        await asyncio.wait({task, self._stop, *self._deaths}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if self._stop.done():
            print_errors("Stopping …")
            raise Interrupted
        raise CommandError(next(death.result() for death in self._deaths if death.done()))

    def _say(self, line: str) -> None:
        self._console.print(line)


async def _both(first: "asyncio.Task[T]", second: "asyncio.Task[list[Sandbox]]") -> tuple[T, list[Sandbox]]:
    """Both outcomes; if one fails, the other is still awaited, so that it can be stopped."""
    try:
        await asyncio.wait({first, second})
    except asyncio.CancelledError:
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        raise
    return first.result(), second.result()
