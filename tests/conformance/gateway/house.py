"""tests/conformance/gateway: our own gateway as a target of the suite, whole or with one policy taken out."""

import datetime as dt
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import httpx

import gateway.app
from gateway.app import Gateway, Mounted, in_process, over_http, scopes_of
from gateway.exchange import Exchange, Reply, Route, Step
from gateway.identity import DevelopmentIssuer
from gateway.identity.api_keys import create, new_key, revoke_key
from gateway.pipeline import Settings
from gateway.plans import read, read_consumers
from gateway.policies.route import RouteTable
from kit.database import Database
from kit.operations import document
from tests.conformance.gateway import upstream
from tests.conformance.gateway.tokens import FOLDER, ISSUER, PUBLIC_URL
from tests.gateway.demo import INSTANCES, Shop, Vault, Works


def make(folder: Path, jwks: dict[str, Any], database: Database) -> Gateway:
    """The gateway as the suite's files configure it, in front of an upstream of its own.

    `folder` keeps the embedded issuer's keys, `jwks` are those of the suite's tokens.
    """
    consumers = read_consumers(FOLDER / "consumers.toml")
    floor = upstream.Upstream()
    apis = [
        Mounted(Shop, document(Shop), in_process(Shop, floor)),
        Mounted(Works, document(Works), in_process(Works, floor)),
        *(Mounted(Vault, document(Vault), in_process(Vault, floor), instance=name) for name in INSTANCES),
        Mounted(Vault, document(Vault), over_http("http://upstream.test", _sender()), instance=upstream.FAR),
    ]
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

    return Gateway(
        settings=read(FOLDER / "gateway.toml", Settings),
        consumers=consumers,
        apis=apis,
        public_url=PUBLIC_URL,
        issuer=embedded,
        fetch=fetch,
        database=database,
    )


async def make_keys(database_url: str) -> dict[str, str]:
    """API keys as the cases name them: one that holds, a narrow one, and two that hold no more."""
    database = Database(database_url)
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
    await database.close()
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
        method: str, address: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        answer = await http.request(method, address, headers=headers, content=body)
        return answer.status_code, dict(answer.headers), answer.content

    return send


def secret_of(folder: Path, consumer: str) -> str:
    """The secret by which a consumer asks the embedded issuer for a token."""
    embedded = DevelopmentIssuer(folder, issuer=PUBLIC_URL, audience=PUBLIC_URL, consumers={}, scopes=())
    return embedded.client_secret(consumer)


class _Absent:
    """Stands where a policy was: around nothing, and otherwise as it was."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)

    def around(self, _: Route | None, onward: Step) -> Step:
        return onward


def _lenient(table: RouteTable) -> Any:
    return _Lenient(table)


class _Lenient:
    """Stands where the table of routes was: whatever it does not know is somebody's catalogue."""

    def __init__(self, table: RouteTable) -> None:
        self._table = table
        self.routes = table.routes

    def compose(self, build: Callable[[Route], Step]) -> None:
        self._table.compose(build)

    def follow(self) -> Step:
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
        set_attribute(gateway.app, name, _less(getattr(gateway.app, name), policy))
    if policy == "route":
        build = gateway.app.build
        set_attribute(
            gateway.app, "build", lambda before, table, *more: build(before, _lenient(table), *more)
        )
    return make(*given)


def _less(group_of: Callable[..., Any], policy: str) -> Callable[..., Any]:
    def less(*given: Any) -> Any:
        group = group_of(*given)
        found = policy in {field.name for field in fields(group)}
        return replace(group, **{policy: _Absent(getattr(group, policy))}) if found else group

    return less
