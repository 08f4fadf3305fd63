"""bench: everything that is measured, side by side: the stores, the servers, and their requests."""

import datetime as dt
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from bench import envoy
from bench.contender import Contender
from bench.deployment import CONSUMER, GATEWAY_SETTINGS, issuer
from bench.ports import free_port
from bench.processes import Process, children_named, python, running
from bench.read.interfaces import BenchScreen
from bench.read.modules import RECORD_ID
from bench.rivals import node
from bench.rivals.services import starting as services
from bench.serving import BARE_PATH, OVERVIEW_INSTANCE, OVERVIEW_PATH
from contracts.canonical.contract import BillingLine
from contracts.canonical.values import Money
from contracts.events.kinds import ActivationUpdated
from deploy.composition.gateway_assembly import issuer_of
from deploy.embedded import Embedded
from deploy.settings import DEMO_CONFIG, read_settings
from gateway.identity import DevelopmentIssuer
from gateway.plans import read_consumers
from kit import clock
from kit.database import Database
from kit.operations import api_of
from process_apis.views.projects.projector import put

ACCOUNT_ID = "001000000000001AAA"
PROJECT_SUMMARIES = 3


@dataclass(frozen=True, slots=True)
class _Asked:
    """The request of the read, for all contenders."""

    path: str
    tokens: DevelopmentIssuer
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Stage:
    """The stores of one run, and the servers that are started on them."""

    def __init__(self, folder: Path, database_url: str, cache_url: str, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.database_url = database_url
        self.cache_url = cache_url
        self.internal_key = secrets.token_hex(32)
        self._stack = stack
        self._cache = tuple(children_named("valkey"))
        self._database = tuple(children_named("postgres"))

    async def read(self) -> list[Contender]:
        """The benchmark read: bare, through the deployment, and through each rival that this machine has."""
        deployment = await self.deployment()
        tokens = issuer(self.folder, deployment.process.url)
        asked = _Asked(deployment.path, tokens, tokens.mint(CONSUMER))
        bare = await self.server("bare", free_port())
        contenders = [Contender("bare", deployment.path, bare), deployment]
        if envoy.binary() is not None:
            contenders.append(await self._envoy(asked, bare))
        if services.installed():
            contenders.append(await self._services(asked))
        if node.installed():
            contenders.append(await self._node(asked, bare))
        return contenders

    async def deployment(self, workers: int = 1) -> Contender:
        """A separate deployment, for the benchmark read."""
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        authorised = {"Authorization": f"Bearer {issuer(self.folder, address).mint(CONSUMER)}"}
        process = await self.server("gateway", port, workers=workers, BENCH_URL=address)
        return Contender("gateway", f"{BARE_PATH}/{RECORD_ID}", process, authorised, self.stores)

    @property
    def stores(self) -> tuple[int, ...]:
        """The processes of PostgreSQL and Valkey."""
        return (*self._cache, *self._database)

    async def _envoy(self, asked: "_Asked", bare: Process) -> Contender:
        program, port = envoy.binary(), free_port()
        config = envoy.write_config(
            self.folder / "envoy.json",
            port=port,
            upstream=int(bare.url.rpartition(":")[2]),
            issuer=asked.tokens.issuer,
            jwks=asked.tokens.jwks(),
        )
        process = await self._start("envoy", envoy.command(program, config), port)  # pyright: ignore[reportArgumentType]
        return Contender("envoy", asked.path, process, asked.headers, (bare.pid,))

    async def _services(self, asked: "_Asked") -> Contender:
        """Three FastAPI services, each of which calls the one that was started before it."""
        started: list[Process] = []
        for layer in services.LAYERS:
            options = services.write_options(
                self.folder / f"{layer}.json",
                issuer=asked.tokens.issuer,
                jwks=asked.tokens.jwks(),
                scope=api_of(BenchScreen).scope("read"),
                following=started[-1].url if started else "",
            )
            port = free_port()
            command = services.command(layer, port)
            started.append(await self._start(f"fastapi-{layer}", command, port, BENCH_RIVAL=str(options)))
        *beside, first = started
        return Contender(
            "fastapi", asked.path, first, asked.headers, tuple(process.pid for process in beside)
        )

    async def _node(self, asked: "_Asked", bare: Process) -> Contender:
        port = free_port()
        config = node.write_config(
            self.folder / "node.json",
            port=port,
            upstream=bare.url,
            issuer=asked.tokens.issuer,
            jwks=asked.tokens.jwks(),
            token=asked.token,
        )
        process = await self._start("node", node.command(config), port)
        return Contender("node", asked.path, process, asked.headers, (bare.pid,))

    async def overview(self) -> list[Contender]:
        """The account overview: its SQL bare, and the real one through gateway, experience and process."""
        await _fill(self.database_url)
        bare = await self.server("overview", free_port())
        port = free_port()
        environ = self._real_deployment(port)
        real = await self._start("real", python("deploy.cli.main", "serve"), port, **environ)
        settings = read_settings(environ)
        tokens = issuer_of(settings, read_consumers(settings.folder / "consumers.toml"))
        path = f"{OVERVIEW_PATH}/{ACCOUNT_ID}/overview"
        authorised = {"Authorization": f"Bearer {tokens.mint('crm-screen')}"}
        return [
            Contender("overview bare", path, bare, {}, self._database),
            Contender("overview", path, real, authorised, self.stores),
        ]

    async def real(self, name: str, **settings: str) -> Process:
        """The real deployment, with further settings, for health checks only."""
        port = free_port()
        environ = self._real_deployment(port, name) | settings
        return await self._start(name, python("deploy.cli.main", "serve"), port, **environ)

    async def server(self, name: str, port: int, *, workers: int = 1, **environ: str) -> Process:
        """One of the servers of bench/serving.py, until the stage is closed."""
        variables = {
            "BENCH_DATABASE_URL": self.database_url,
            "BENCH_CACHE_URL": self.cache_url,
            "BENCH_FOLDER": str(self.folder),
            "BENCH_INTERNAL_KEY": self.internal_key,
            **environ,
        }
        command = python("bench.serving", name, "--port", str(port), "--workers", str(workers))
        return await self._start(f"{name}-{port}", command, port, **variables)

    async def _start(self, name: str, command: list[str], port: int, **environ: str) -> Process:
        log = self.folder / "logs" / f"{name}.log"
        starting = running(command, environ, port=port, log=log, ready="/")
        return await self._stack.enter_async_context(starting)

    def _real_deployment(self, port: int, name: str = "config") -> dict[str, str]:
        """The demo's deployment without its vendors: what is measured calls none."""
        config = self.folder / name
        shutil.copytree(DEMO_CONFIG, config)
        shutil.copy(GATEWAY_SETTINGS, config / "gateway.toml")
        return {
            "ENFILADE_DATABASE_URL": self.database_url,
            "ENFILADE_CACHE_URL": self.cache_url,
            "ENFILADE_CONFIG": str(config),
            "ENFILADE_DATA_DIR": str(self.folder),
            "ENFILADE_TIERS": "gateway,experience,process",
            "ENFILADE_SYSTEM_URL": "http://127.0.0.1:9",
            "ENFILADE_INTERNAL_KEY": "env:BENCH_INTERNAL_KEY",
            "BENCH_INTERNAL_KEY": self.internal_key,
            "ENFILADE_ROLE": "api",
            "ENFILADE_PORT": str(port),
            "ENFILADE_LOG_LEVEL": "warning",
        }


@asynccontextmanager
async def open_stage(folder: Path) -> AsyncIterator[Stage]:
    """PostgreSQL and Valkey, and an empty stage on them."""
    async with Embedded(folder / "stores", durable=False) as servers, AsyncExitStack() as stack:
        yield Stage(folder, servers.database_url, servers.cache_url, stack)


async def _fill(database_url: str) -> None:
    """An account with a few projects, as the flows write them."""
    database = Database(database_url, name="enfilade bench")
    async with database.begin() as connection:
        for number in range(PROJECT_SUMMARIES):
            await put(connection, _project(number), clock.now())
    await database.close()


def _project(number: int) -> ActivationUpdated:
    amount = Money(Decimal("60000.00"), "USD")
    schedule = tuple(BillingLine(f"Month {month}", dt.date(2027, month, 28), amount) for month in (1, 2, 3))
    return ActivationUpdated(
        activation_id=f"act_{number}",
        status="done",
        instance=OVERVIEW_INSTANCE,
        opportunity_id=f"006{number}",
        account_id=ACCOUNT_ID,
        account_name="Globex Corporation",
        name=f"Globex data platform {number}",
        value=Money(Decimal("180000.00"), "USD"),
        contract_id=f"con_{number}",
        project_id=f"prj_{number}",
        start=dt.date(2027, 1, 11),
        end=dt.date(2027, 6, 30),
        billing_schedule=schedule,
    )
