"""bench: a deployment of the benchmark read alone, composed as deploy composes the real one."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from litestar import Litestar

from bench.read import modules
from bench.read.interfaces import BenchRecord, BenchScreen, BenchSummary
from deploy.composition.assemble import master_keys
from deploy.settings import ServerSettings
from gateway.app import CredentialSources, Gateway, GatewayStores
from gateway.identity import DevelopmentIssuer
from gateway.inventory import ApiInventory, Mounted, scopes_of
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, read
from gateway.policies.hop import in_process
from gateway.policy_bundle import make_bundle
from kit import privacy
from kit.cache import Cache
from kit.clients import local
from kit.database import Database
from kit.operations import api_of, document
from kit.routes import answer_problem, router
from system_apis.app import open_instances
from system_apis.connector import Connector, ConnectorContext, Profile

PREFIX = api_of(BenchRecord).prefix
GATEWAY_SETTINGS = Path(__file__).parent / "gateway.toml"
CONSUMERS = {
    "reader": Consumer(title="A screen", scopes=("experience.bench-screen.*",), claims={"instance": "x"}),
    "waiter": Consumer(title="The caller of a vendor that hangs", scopes=("system.bench-record.read",)),
}
CONSUMER, WAITER = CONSUMERS


@dataclass(frozen=True, slots=True)
class Tiers:
    """The three tiers: each calls the next by a local client."""

    records: Mapping[str, BenchRecord]
    summaries: BenchSummary
    screens: BenchScreen

    def app(self) -> Litestar:
        """The system tier as an ASGI application, for a process of its own."""
        prefix = PREFIX.format(instance=modules.INSTANCE)
        return Litestar(
            route_handlers=[router(BenchRecord, self.records[modules.INSTANCE], prefix)],
            openapi_config=None,
            logging_config=None,
            exception_handlers={Exception: answer_problem},
        )

    def mounted(self) -> list[Mounted]:
        """The three APIs as the gateway mounts them, that of the records once per instance."""
        modules = [
            (BenchSummary, self.summaries, ""),
            (BenchScreen, self.screens, ""),
            *((BenchRecord, adapter, instance) for instance, adapter in self.records.items()),
        ]
        return [
            Mounted(interface, document(interface), in_process(interface, service), instance=instance)
            for interface, service, instance in modules
        ]


@asynccontextmanager
async def open_tiers() -> AsyncIterator[Tiers]:
    """The tiers over an open instance of the vendor in memory."""
    profiles: list[tuple[Connector, Profile]] = [(modules.CONNECTOR, profile) for profile in modules.PROFILES]
    async with open_instances(profiles, ConnectorContext(environ={})) as instances:
        records = {name: one.opened.capabilities[modules.CAPABILITY] for name, one in instances.items()}
        flow = modules.Flow(local(BenchRecord, records[modules.INSTANCE]))
        yield Tiers(records, flow, modules.Audience(local(BenchSummary, flow)))


def issuer(folder: Path, address: str) -> DevelopmentIssuer:
    """The embedded issuer of the bench, whose keys are in its folder."""
    apis = [api_of(interface) for interface in (BenchRecord, BenchSummary, BenchScreen)]
    return DevelopmentIssuer(
        folder / "keys", issuer=address, audience=address, consumers=CONSUMERS, scopes=scopes_of(apis)
    )


@asynccontextmanager
async def open_database(url: str, folder: Path) -> AsyncIterator[Database]:
    """The bench's database, with the keys that every deployment on its folder has."""
    database = Database(url, name="enfilade bench")
    try:
        await privacy.claim(database, master_keys(ServerSettings(database_url=url, data_dir=str(folder)), {}))
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_deployment(environ: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """The gateway over the three tiers, every policy on; its stores are those of a real deployment."""
    async with AsyncExitStack() as stack:
        tiers = await stack.enter_async_context(open_tiers())
        folder = Path(environ["BENCH_FOLDER"])
        database = await stack.enter_async_context(open_database(environ["BENCH_DATABASE_URL"], folder))
        cache = Cache(environ["BENCH_CACHE_URL"])
        stack.push_async_callback(cache.close)
        gateway = Gateway(
            make_bundle(read(GATEWAY_SETTINGS, GatewaySettings), CONSUMERS),
            ApiInventory(tiers.mounted()),
            public_url=environ["BENCH_URL"],
            credentials=CredentialSources(issuer(folder, environ["BENCH_URL"])),
            stores=GatewayStores(database, cache, int(environ.get("BENCH_WORKERS", "1"))),
        )
        await gateway.start()
        stack.push_async_callback(gateway.close)
        yield gateway
