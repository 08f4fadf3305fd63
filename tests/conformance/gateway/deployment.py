"""tests/conformance/gateway: our own gateway as a target of the suite, whole or with one policy taken out."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import httpx
from msgspec import structs

from gateway import policy_runtime
from gateway.app import Gateway
from gateway.exchange import Asked, Exchange, Header, PipelineStep, Reply, Route, Rule
from gateway.identity import DevelopmentIssuer
from gateway.identity.api_keys import create, new_key, revoke_key
from gateway.identity.revocation import revoke
from gateway.inventory import Mounted, scopes_of
from gateway.lifecycle import NONE, ApiLifecycle, ApiLifecycles, Slug
from gateway.pipeline import GatewaySettings
from gateway.plans import read, read_consumers
from gateway.policies.hop import in_process, over_http
from gateway.policies.route import RouteTable
from kit.database import Database
from kit.operations import document
from tests.conformance.gateway import upstream
from tests.conformance.gateway.running import SECONDS, Target
from tests.conformance.gateway.tokens import FOLDER, ISSUER, PUBLIC_URL, Mint
from tests.gateway import shelf
from tests.gateway.demo import INSTANCES, Shop, Vault, Works
from tests.support.databases import keyed
from tests.support.gateways import make_gateway
from tests.support.signing_keys import share_signing_keys


def configured() -> GatewaySettings:
    """The policies as the suite's file says."""
    return read(FOLDER / "gateway.toml", GatewaySettings)


def with_nonces(settings: GatewaySettings) -> GatewaySettings:
    """The same where proofs must carry a nonce."""
    proofs = structs.replace(settings.identity.dpop, nonces=True)
    return structs.replace(settings, identity=structs.replace(settings.identity, dpop=proofs))


def lifecycles() -> ApiLifecycles:
    """The versions' standings as the suite's file says."""
    return read(FOLDER / "versions.toml", dict[Slug, ApiLifecycle])


def make(
    folder: Path,
    jwks: dict[str, Any],
    database: Database,
    *,
    settings: GatewaySettings | None = None,
    lifecycles: ApiLifecycles = NONE,
) -> Gateway:
    """The gateway as the suite's files configure it, in front of an upstream of its own.

    `folder` keeps the embedded issuer's keys, `jwks` are those of the suite's tokens. `settings` are
    other ones than the suite's.
    """
    consumers = read_consumers(FOLDER / "consumers.toml")
    floor = upstream.Upstream()
    apis = [
        Mounted(Shop, document(Shop), in_process(Shop, floor)),
        Mounted(Works, document(Works), in_process(Works, floor)),
        *(Mounted(Vault, document(Vault), in_process(Vault, floor), instance=name) for name in INSTANCES),
        *(Mounted(one, document(one), in_process(one, floor)) for one in upstream.AGEING),
        shelf.mounted(shelf.ShelfTier()),
        Mounted(Vault, document(Vault), over_http("http://upstream.test", _sender()), instance=upstream.FAR),
    ]
    share_signing_keys(folder)
    embedded = DevelopmentIssuer(
        folder,
        issuer=PUBLIC_URL,
        audience=PUBLIC_URL,
        consumers=consumers,
        scopes=scopes_of(mounted.api for mounted in apis),
    )

    async def fetch(address: str) -> dict[str, Any]:
        if address != f"{ISSUER}/jwks":
            raise OSError(address)
        return jwks

    return make_gateway(
        settings=settings or configured(),
        lifecycles=lifecycles,
        consumers=consumers,
        apis=apis,
        public_url=PUBLIC_URL,
        issuer=embedded,
        fetch=fetch,
        database=database,
    )


async def revoke_all(database: Database) -> None:
    """Revoke what the suite's file names."""
    told = read(FOLDER / "revocations.toml", dict[str, tuple[dict[str, Any], ...]])
    before = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=25)
    async with database.begin() as connection:
        for one in told["revocation"]:
            await revoke(connection, **one, by="suite", issued_before=before)


async def prepare(database_url: str) -> dict[str, str]:
    """Revoke what is to be revoked, and give the API keys that the cases name."""
    database = keyed(database_url)
    await revoke_all(database)
    try:
        return await _make_keys(database)
    finally:
        await database.close()


async def _make_keys(database: Database) -> dict[str, str]:
    """API keys: one that holds, a narrow one, and two that hold no more."""
    async with database.begin() as connection:
        _, good = await create(connection, consumer="ci", kind="test", by="suite")
        _, narrow = await create(
            connection, consumer="ci", kind="test", by="suite", scopes=("experience.shop.read",)
        )
        row, revoked = await create(connection, consumer="screen", kind="test", by="suite")
        await revoke_key(connection, row.id, by="suite")
        past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
        _, expired = await create(connection, consumer="reader", kind="test", by="suite", expires_at=past)
        _, live = await create(connection, consumer="finance", kind="live", by="suite")
    return {
        "key": good,
        "key-narrow": narrow,
        "key-revoked": revoked,
        "key-expired": expired,
        "key-of-another-kind": live,
        "key-unknown": new_key("test")[0],
    }


def _sender() -> Any:
    """Sends to the instance that is far away."""
    http = httpx.AsyncClient(transport=httpx.ASGITransport(upstream.far_away()))

    async def send(
        method: str, address: str, headers: list[Header], body: bytes
    ) -> tuple[int, list[Header], bytes]:
        answer = await http.request(method, address, headers=headers, content=body)
        return answer.status_code, answer.headers.raw, answer.content

    return send


def secret_of(folder: Path, consumer: str) -> str:
    """The secret by which a consumer asks the embedded issuer for a token."""
    embedded = DevelopmentIssuer(folder, issuer=PUBLIC_URL, audience=PUBLIC_URL, consumers={}, scopes=())
    return embedded.client_secret(consumer)


def target_of(
    address: str,
    mint: Mint,
    credentials: dict[str, str],
    folder: Path,
    *,
    lacks: Iterable[str] = (),
    seconds: float = SECONDS,
) -> Target:
    """A gateway of ours at an address, which keeps the issuer's keys in `folder`, as the runner sees it."""
    return Target(
        base_url=address,
        public_url=PUBLIC_URL,
        tokens=credentials,
        proof_key=mint.proof_key(),
        secrets={name: secret_of(folder, name) for name in ("ci", "screen")},
        certificates=mint.certificates(),
        lacks=frozenset(lacks),
        seconds=seconds,
    )


class _Absent:
    """Stands where a policy was: around nothing, and otherwise as it was."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)

    def wrap(self, _: Route | None, call_next: PipelineStep) -> PipelineStep:
        return call_next

    def explain(self, _: Asked) -> list[Rule]:
        return []


def _lenient(table: RouteTable) -> Any:
    return _Lenient(table)


class _Lenient:
    """Stands where the table of routes was: whatever it does not know is somebody's catalogue."""

    def __init__(self, table: RouteTable) -> None:
        self._table = table
        self.routes = table.routes

    def compose(self, build: Callable[[Route], PipelineStep]) -> None:
        self._table.compose(build)

    def follow(self) -> PipelineStep:
        strict = self._table.follow()

        async def route(exchange: Exchange) -> Reply:
            try:
                return await strict(exchange)
            except Exception:  # noqa: BLE001 - being wrong is its purpose
                return Reply(200, [(b"content-type", b"application/json")], b"{}")

        return route


def make_without(policy: str, set_attribute: Callable[[Any, str, Any], None], *given: Any) -> Gateway:
    """The same with one policy taken out; `set_attribute` replaces an attribute for a while."""
    for name in ("before_route", "after_route"):
        set_attribute(policy_runtime, name, _less(getattr(policy_runtime, name), policy))
    if policy == "route":
        build = policy_runtime.build
        set_attribute(
            policy_runtime,
            "build",
            lambda before, table, *more: build(before, _lenient(table), *more),
        )
    return make(*given, lifecycles=lifecycles())


def _less(group_of: Callable[..., Any], policy: str) -> Callable[..., Any]:
    def less(*given: Any) -> Any:
        group = group_of(*given)
        found = policy in {field.name for field in fields(group)}
        return replace(group, **{policy: _Absent(getattr(group, policy))}) if found else group

    return less
