"""The gateway: an ASGI application over the mounted APIs and the gateway's open addresses."""

import asyncio
import contextlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gateway.admin import AdminDependencies, Documents
from gateway.admin import mounted as admin_apis
from gateway.exchange import Exchange, PipelineStep, Reply
from gateway.identity import CredentialStatus, Memory
from gateway.inventory import ApiInventory
from gateway.open_addresses import OpenAddresses, Ready
from gateway.pages.mounting import PageDependencies
from gateway.plans.consumer_directory import ConsumerDirectory
from gateway.policies.account import AccountPolicy
from gateway.policies.cache import InvalidationListener
from gateway.policies.rate_limit import Allowances
from gateway.policy_bundle import PolicyBundle
from gateway.policy_runtime import CredentialSources, Lasting, PolicyRuntime, Reloading
from gateway.public_path import ProblemTypes, PublicPath, path_of
from gateway.streams import OpenStreams
from kit.cache import Cache
from kit.database import Database
from kit.telemetry import log

__all__ = ["CredentialSources", "Gateway", "GatewayStores", "Reloading"]

_WITHOUT_LENGTH = frozenset(
    {204, 304}
)  # No Content has no body, and Not Modified must not send a length of its own
_log = log(__name__)
_DRAIN_SECONDS = 15.0
_NO_SOURCES = CredentialSources()
_NO_RELOADING = Reloading()


@dataclass(frozen=True, slots=True)
class GatewayStores:
    """The stores of the gateway's state, and how many workers of all replicas share them."""

    database: Database | None = None
    cache: Cache | None = None
    workers: int = 1


class Gateway:
    """The ASGI application. The process calls `start` and `close` in its lifespan.

    `admin` returns the frozen documents of the gateway's own APIs, which `answer_internal` serves; without it
    there are none.
    """

    def __init__(
        self,
        bundle: PolicyBundle,
        inventory: ApiInventory,
        *,
        public_url: str,
        credentials: CredentialSources = _NO_SOURCES,
        stores: GatewayStores | None = None,
        reloading: Reloading = _NO_RELOADING,
        admin: Documents | None = None,
        hooks: PipelineStep | None = None,
        ready: Ready | None = None,
    ) -> None:
        stores = stores or GatewayStores()
        database, public_url = stores.database, public_url.rstrip("/")
        path = path_of(public_url)
        self._public_path = PublicPath(path) if path else None
        self._problem_types = ProblemTypes(public_url)
        self.inventory = inventory
        self.directory = ConsumerDirectory(database)
        self.allowances = Allowances(stores.cache, database, stores.workers)
        self.credential_status = _credential_status(bundle, database)
        self._streams = OpenStreams()
        self._account = AccountPolicy(bundle.settings.account, database)
        addresses = OpenAddresses(
            inventory, public_url, issuer=credentials.issuer, database=database, hooks=hooks, ready=ready
        )
        self.runtime = PolicyRuntime(
            inventory,
            Lasting(
                public_url=public_url,
                resource_metadata=addresses.resource_metadata,
                credentials=credentials,
                account=self._account,
                directory=self.directory,
                allowances=self.allowances,
                proofs_used=Memory(stores.cache, alone=stores.workers == 1),
                credential_status=self.credential_status,
                database=database,
                open_routes=addresses.routes,
                streams=self._streams,
                pages=PageDependencies(
                    public_url,
                    database=database,
                    issuer=credentials.issuer,
                    fetch=credentials.fetch,
                    post=credentials.post,
                    environ=credentials.environ,
                    credential_status=self.credential_status,
                ),
            ),
        )
        if admin is not None:
            inventory.own = tuple(admin_apis(self._admin_dependencies(database), admin))
        self.runtime.load(bundle, reloading)
        self._listener = (
            InvalidationListener(database, lambda: self.runtime.version.after.cache.tags)
            if database is not None
            else None
        )
        self._closing = False

    def _admin_dependencies(self, database: Database | None) -> AdminDependencies:
        return AdminDependencies(
            runtime=self.runtime,
            inventory=self.inventory,
            directory=self.directory,
            usage=self.allowances.usage,
            credential_status=self.credential_status,
            database=database,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            exchange = Exchange(scope, receive)
            if self._public_path is not None:
                self._public_path.enter(exchange)
            reply = await self.runtime.version.public(exchange)
            if self._public_path is not None:
                self._public_path.leave(reply)
            if reply.status >= HTTPStatus.BAD_REQUEST:
                self._problem_types.complete(reply)
            if self._closing:
                reply.headers.append((b"connection", b"close"))
            await self._send(send, exchange, reply)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def answer_internal(self, scope: Any, receive: Any, send: Any) -> None:
        """The internal listener's ASGI application, for HTTP requests: the gateway's own APIs."""
        exchange = Exchange(scope, receive)
        reply = await self.runtime.version.internal(exchange)
        if reply.status >= HTTPStatus.BAD_REQUEST:
            self._problem_types.complete(reply)
        await self._send(send, exchange, reply)

    async def _send(self, send: Any, exchange: Exchange, reply: Reply) -> None:
        stream = reply.stream
        if stream is None:
            await _send_whole(send, exchange, reply)
            return
        try:
            await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
            if exchange.method == "HEAD":
                await send({"type": "http.response.body"})
            else:
                await self._streams.send(
                    stream, send, exchange.receive, exchange.path, exchange.correlation_id
                )
        finally:
            await stream.close()

    def close_connections(self) -> None:
        """Close the connection with every answer from now on, so that callers reconnect to other workers.

        The readers of events are asked to reconnect.
        """
        self._closing = True
        self._streams.end()

    async def drain(self, seconds: float) -> None:
        """Close connections, and wait until no request is under way, for `seconds` at most."""
        self.close_connections()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._account.idle()

    async def start(self) -> None:
        """Start the background work."""
        await self.directory.start()
        await self.allowances.start()
        await self._account.start()
        if self.credential_status is not None:
            await self.credential_status.start()
        if self._listener is not None:
            self._listener.start()
        await self.runtime.start()

    async def close(self) -> None:
        """Close every part and write what waits; a part that fails does not stop the others."""
        parts = (
            self.runtime.reloader,
            self.credential_status,
            self._listener,
            self.runtime.version.after.cache,
            self._account,
            self.allowances,
            self.directory,
        )
        for part in parts:
            if part is not None:
                try:
                    await part.close()
                except Exception as error:  # noqa: BLE001 - the next part must be closed in any case
                    _log.error("not closed", part=type(part).__name__, exc_info=error)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.drain(_DRAIN_SECONDS)
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})


def _credential_status(bundle: PolicyBundle, database: Database | None) -> CredentialStatus | None:
    if database is None:
        return None
    identity = bundle.settings.identity
    return CredentialStatus(database, refresh=identity.refresh_seconds, stale=identity.stale_seconds)


async def _send_whole(send: Any, exchange: Exchange, reply: Reply) -> None:
    body, headers = reply.body, reply.headers
    for name, _ in headers:
        if name == b"content-length":
            break
    else:
        if reply.status not in _WITHOUT_LENGTH:
            headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})
