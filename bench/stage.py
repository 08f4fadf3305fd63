"""bench: everything that is measured, side by side: the stores, the servers, and what to ask them."""

import datetime as dt
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from bench import envoy
from bench.house import CONSUMER, GATEWAY_SETTINGS, issuer
from bench.processes import Process, children_named, free_port, python, running
from bench.read.rooms import RECORD_ID
from bench.serving import BARE_PATH, OVERVIEW_INSTANCE, OVERVIEW_PATH
from contracts.canonical.contract import BillingLine
from contracts.canonical.values import Money
from deploy.door import issuer_of
from deploy.embedded import Embedded
from deploy.settings import STORY, read_settings
from gateway.plans import read_consumers
from kit.database import Database
from process_apis import read_models
from process_apis.read_models import Engagement

ACCOUNT_ID = "001000000000001AAA"
ENGAGEMENTS = 3


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to answer a read: what is asked, and whose processor time it costs."""

    name: str
    path: str
    process: Process
    headers: dict[str, str] = field(default_factory=dict)
    beside: tuple[int, ...] = ()

    @property
    def url(self) -> str:
        return self.process.url + self.path

    @property
    def pids(self) -> tuple[int, ...]:
        """All processes that work for it: its own, and those of its stores."""
        return (self.process.pid, *self.beside)


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
        """The benchmark read: bare, through the house, and bare behind Envoy where there is one."""
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        tokens = issuer(self.folder, address)
        path = f"{BARE_PATH}/{RECORD_ID}"
        authorised = {"Authorization": f"Bearer {tokens.mint(CONSUMER)}"}
        bare = await self.server("bare", free_port())
        house = await self.server("house", port, BENCH_URL=address)
        found = [
            Contender("bare", path, bare),
            Contender("house", path, house, authorised, (*self._cache, *self._database)),
        ]
        program = envoy.binary()
        if program is not None:
            door = free_port()
            config = envoy.write_config(
                self.folder / "envoy.json",
                port=door,
                upstream=int(bare.url.rpartition(":")[2]),
                issuer=address,
                jwks=tokens.jwks(),
            )
            process = await self._start("envoy", envoy.command(program, config), door)
            found.append(Contender("envoy", path, process, authorised, (bare.pid,)))
        return found

    async def overview(self) -> list[Contender]:
        """The account overview: its SQL bare, and the real one through gateway, experience and process."""
        await _fill(self.database_url)
        bare = await self.server("overview", free_port())
        port = free_port()
        environ = self._real_house(port)
        real = await self._start("real", python("deploy.cli", "serve"), port, **environ)
        settings = read_settings(environ)
        tokens = issuer_of(settings, read_consumers(settings.folder / "consumers.toml"))
        path = f"{OVERVIEW_PATH}/{ACCOUNT_ID}/overview"
        authorised = {"Authorization": f"Bearer {tokens.mint('crm-screen')}"}
        return [
            Contender("overview bare", path, bare, {}, self._database),
            Contender("overview", path, real, authorised, (*self._cache, *self._database)),
        ]

    async def server(self, name: str, port: int, **environ: str) -> Process:
        """One of the servers of bench/serving.py, until the stage goes."""
        told = {
            "BENCH_DATABASE_URL": self.database_url,
            "BENCH_CACHE_URL": self.cache_url,
            "BENCH_FOLDER": str(self.folder),
            "BENCH_INTERNAL_KEY": self.internal_key,
            **environ,
        }
        return await self._start(name, python("bench.serving", name, "--port", str(port)), port, **told)

    async def _start(self, name: str, command: list[str], port: int, **environ: str) -> Process:
        log = self.folder / "logs" / f"{name}.log"
        starting = running(command, environ, port=port, log=log, ready="/")
        return await self._stack.enter_async_context(starting)

    def _real_house(self, port: int) -> dict[str, str]:
        """The story's house without its vendors: the overview asks none."""
        config = self.folder / "config"
        shutil.copytree(STORY, config)
        shutil.copy(GATEWAY_SETTINGS, config / "gateway.toml")
        return {
            "ENFILADE_DATABASE_URL": self.database_url,
            "ENFILADE_CACHE_URL": self.cache_url,
            "ENFILADE_CONFIG": str(config),
            "ENFILADE_DATA_DIR": str(self.folder),
            "ENFILADE_FLOORS": "gateway,experience,process",
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
        await read_models.put_account(connection, OVERVIEW_INSTANCE, ACCOUNT_ID, "Globex Corporation")
        for number in range(ENGAGEMENTS):
            await read_models.put_engagement(
                connection,
                activation_id=f"act_{number}",
                instance=OVERVIEW_INSTANCE,
                account_id=ACCOUNT_ID,
                opportunity_id=f"006{number}",
                status="done",
                engagement=_engagement(number),
            )
    await database.close()


def _engagement(number: int) -> Engagement:
    amount = Money(Decimal("60000.00"), "USD")
    schedule = tuple(BillingLine(f"Month {month}", dt.date(2027, month, 28), amount) for month in (1, 2, 3))
    return Engagement(
        opportunity_name=f"Globex data platform {number}",
        value=Money(Decimal("180000.00"), "USD"),
        contract_id=f"con_{number}",
        project_id=f"prj_{number}",
        start=dt.date(2027, 1, 11),
        end=dt.date(2027, 6, 30),
        billing_schedule=schedule,
    )
