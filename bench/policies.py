"""bench: what each policy of the gateway costs by itself, in this process, in microseconds of its time."""

import itertools
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from bench import deployment
from bench.read import modules
from bench.read.interfaces import BenchScreen
from bench.stage import Stage
from gateway.app import CredentialSources, Gateway, GatewayStores
from gateway.exchange import Exchange, PipelineStep, Reply, Route
from gateway.identity import Memory
from gateway.inventory import ApiInventory
from gateway.pipeline import ORDER, GatewaySettings, PolicyDependencies, after_route, before_route
from gateway.plans import read
from gateway.plans.consumer_directory import ConsumerDirectory
from gateway.policies.account import AccountPolicy
from gateway.policies.identity import credential_verifiers
from gateway.policies.rate_limit import Allowances
from gateway.policies.route import RouteTable
from gateway.policy_bundle import make_bundle
from kit.cache import Cache
from kit.database import Database
from kit.operations import api_of

CALLS = 1000
TURNS = 20
TIERS, WHOLE = "(the tiers)", "(all together)"
ADDRESS = "http://127.0.0.1:1"
READ_PATH = f"{api_of(BenchScreen).prefix}/screens/{modules.RECORD_ID}"
WRITE_PATH = f"{READ_PATH}/notes"
_KEYS = itertools.count()


class Cost(msgspec.Struct, frozen=True):
    """One policy alone in front of a step that answers at once, on a read and on a write with a body of 1 KB.

    Of policies that query the database, as idempotency_key does, only this process's time is included.
    """

    policy: str
    read: float
    write: float


async def measure(stage: Stage, *, calls: int = CALLS) -> list[Cost]:
    """Every policy alone, then the tiers behind the gateway, then the whole read."""
    cache = Cache(stage.cache_url)
    try:
        async with deployment.open_database(stage.database_url, stage.folder) as database:
            return await _measure(stage.folder, cache, database, calls)
    finally:
        await cache.close()


async def _measure(folder: Path, cache: Cache, database: Database, calls: int) -> list[Cost]:
    tokens = deployment.issuer(folder, ADDRESS)
    settings = read(deployment.GATEWAY_SETTINGS, GatewaySettings)
    requests = Requests(tokens.mint(deployment.CONSUMER))
    async with deployment.open_tiers() as tiers:
        apis = tiers.mounted()
        table = RouteTable(apis)
        dependencies = PolicyDependencies(
            consumers=deployment.CONSUMERS,
            scopes=tokens.scopes,
            verifiers=credential_verifiers(
                settings.identity,
                public_url=ADDRESS,
                embedded=tokens,
                fetch=None,
                post=None,
                environ={},
                credential_status=None,
                memory=Memory(cache, alone=True),
            ),
            resource_metadata=f"{ADDRESS}/.well-known/oauth-protected-resource",
            directory=ConsumerDirectory(None),
            allowances=Allowances(cache, database, 1),
            database=database,
        )
        policies: dict[str, Any] = {}
        for group in (
            before_route(settings, AccountPolicy(settings.account, database)),
            after_route(settings, dependencies),
        ):
            policies |= {field.name: getattr(group, field.name) for field in fields(group)}
        facts = await _facts(policies, requests, table)
        meter = _Meter(requests, table, facts, calls, await _answers(requests, table, facts))
        costs = [await meter.alone(name, policies.get(name)) for name in ORDER]
        costs.append(await meter.tiers())
        gateway = Gateway(
            make_bundle(settings, deployment.CONSUMERS),
            ApiInventory(apis),
            public_url=ADDRESS,
            credentials=CredentialSources(tokens),
            stores=GatewayStores(database, cache),
        )
        costs.append(await meter.whole(gateway.runtime.version.public))
        return costs


class Requests:
    """The two requests, as a server passes them on."""

    def __init__(self, token: str) -> None:
        self._body = modules.note()
        self._headers = [
            (b"host", b"127.0.0.1:1"),
            (b"authorization", f"Bearer {token}".encode()),
            (b"accept", b"application/json"),
            (b"user-agent", b"bench"),
        ]

    def make(self, method: str) -> Exchange:
        headers, path = list(self._headers), READ_PATH
        if method == "POST":
            path = WRITE_PATH
            headers += [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(self._body)).encode()),
                (b"idempotency-key", f"bench-{next(_KEYS):08}".encode()),
            ]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 5000),
            "server": ("127.0.0.1", 1),
        }
        return Exchange(scope, self._receive)

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self._body, "more_body": False}


async def _facts(policies: dict[str, Any], requests: Requests, table: RouteTable) -> dict[str, Any]:
    """The results of the earlier policies that a later one needs: route, caller, source."""
    exchange = requests.make("GET")
    route = _route(table, "GET")
    await policies["identity"].wrap(route, _nothing)(exchange)
    return {
        "caller": exchange.caller,
        "consumer": exchange.consumer,
        "source": "127.0.0.1",
        "path_parameters": {"record_id": modules.RECORD_ID},
    }


def _route(table: RouteTable, method: str) -> Route:
    template = "/screens/{record_id}" + ("/notes" if method == "POST" else "")
    return next(r for r in table.routes if r.method == method and r.template.endswith(template))


async def _nothing(_: Exchange) -> Reply:
    return Reply(200, [(b"content-type", b"application/json")], b"{}")


async def _answers(requests: Requests, table: RouteTable, facts: dict[str, Any]) -> dict[str, PipelineStep]:
    """By method, a step that answers at once what the tiers answer, which is on the contract."""
    return {method: await _answered(requests, _route(table, method), facts) for method in ("GET", "POST")}


async def _answered(requests: Requests, route: Route, facts: dict[str, Any]) -> PipelineStep:
    reply = await route.target(_prepare(requests, route, facts))

    async def step(_: Exchange) -> Reply:
        return Reply(reply.status, list(reply.headers), reply.body)

    return step


def _prepare(requests: Requests, route: Route, facts: dict[str, Any]) -> Exchange:
    """An exchange as the policies before have left it."""
    exchange = requests.make(route.method)
    for name, value in facts.items():
        setattr(exchange, name, value)
    exchange.route = route
    if route.method == "POST":
        exchange.idempotency_key = f"bench-{next(_KEYS):08}"
        exchange.body = modules.note()
    return exchange


class _Meter:
    """Times steps over exchanges that are prepared alike."""

    def __init__(
        self,
        requests: Requests,
        table: RouteTable,
        facts: dict[str, Any],
        calls: int,
        answers: dict[str, PipelineStep],
    ) -> None:
        self._requests = requests
        self._table = table
        self._facts = facts
        self._calls = calls
        self._answers = answers

    async def alone(self, name: str, policy: Any) -> Cost:
        """A policy alone, less what the same costs without it; `route` is the table."""
        costs = []
        for method in ("GET", "POST"):
            answer = self._answers[method]
            if policy is None:
                self._table.compose(lambda _, answer=answer: answer)
                step = self._table.follow()
            else:
                step = policy.wrap(_route(self._table, method), answer)
            costs.append(await self._more(method, step))
        return Cost(name, *costs)

    async def tiers(self) -> Cost:
        """The three tiers as the hop calls them, less the cost of an empty pipeline."""
        reads, writes = (_route(self._table, method).target for method in ("GET", "POST"))
        return Cost(TIERS, await self._more("GET", reads), await self._more("POST", writes))

    async def whole(self, step: PipelineStep) -> Cost:
        """The whole gateway with the tiers behind it."""
        return Cost(WHOLE, await self._time("GET", step), await self._time("POST", step))

    async def _more(self, method: str, step: PipelineStep) -> float:
        answer = self._answers[method]
        if step is answer:
            return 0.0
        return max(0.0, await self._time(method, step) - await self._time(method, answer))

    async def _time(self, method: str, step: PipelineStep) -> float:
        calls = self._calls if method == "GET" else max(1, self._calls // 10)
        return min([await self._turn(method, step, calls) for _ in range(TURNS)]) * 1e6

    async def _turn(self, method: str, step: PipelineStep, calls: int) -> float:
        route = _route(self._table, method)
        prepared = [_prepare(self._requests, route, self._facts) for _ in range(calls)]
        before = time.process_time()
        for exchange in prepared:
            await step(exchange)
        return (time.process_time() - before) / calls
