"""The gateway: an ASGI application over the mounted APIs and the gateway's own addresses."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.admin.policy import Explanation
from contracts.duties import Duties
from contracts.operation import Api
from contracts.problems import NotFound
from contracts.routing import Routing
from gateway.admin import AdminDependencies, Documents
from gateway.admin import mounted as admin_apis
from gateway.catalogue import Catalogue
from gateway.duties import Matrix, matrix_of, refuse_conflicts
from gateway.exchange import Exchange, Policy, Reply, Route, Step, json_reply
from gateway.identity import CredentialStatus, DevelopmentIssuer, Fetch, Memory, Post, Proofs
from gateway.identity.issuer import scopes_of
from gateway.identity.issuing.addresses import Issuing
from gateway.identity.issuing.metadata import AUTHORIZE_PATH, well_known
from gateway.identity.jose import ALGORITHMS
from gateway.lifecycle import NONE, ApiLifecycles, retired, warn_of_dates
from gateway.pipeline import (
    AfterRoute,
    GatewaySettings,
    PolicyDependencies,
    after_route,
    before_route,
    build,
    in_order,
    inside,
    succeed,
)
from gateway.plans import Consumer
from gateway.plans.consumer_directory import ConsumerDirectory
from gateway.policies.account import Account
from gateway.policies.cache import InvalidationListener
from gateway.policies.hop import Target, in_process, over_http
from gateway.policies.identity import credential_verifiers
from gateway.policies.rate_limit import Allowances
from gateway.policies.route import Mounted, RouteTable
from gateway.policy_bundle import PolicyBundle, make_bundle
from gateway.policy_bundle.explain import Question, explain
from gateway.policy_bundle.reloader import Participant, PolicyReloader, Refusal
from kit.cache import Cache
from kit.database import Database
from kit.telemetry import log

__all__ = ["Gateway", "GatewaySettings", "Mounted", "Target", "in_process", "over_http", "scopes_of"]

Hooks = Callable[[str, Mapping[str, str], bytes], Awaitable[None]]
"""Takes instance, headers (lower case) and raw body of a vendor's push; verifies it itself."""

Ready = Callable[[], Awaitable[Mapping[str, str]]]
"""What is not ready, by name and sentence; empty when all is."""

_WITHOUT_LENGTH = frozenset({204, 304})  # No Content has none, and Not Modified none of its own
_log = log(__name__)
_DRAIN_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Version:
    """What is compiled from a policy bundle: the pipelines of the public and the internal listener."""

    duties: Matrix
    after: AfterRoute
    policies: Mapping[str, Policy | RouteTable]
    table: RouteTable
    public: Step
    internal_policies: Mapping[str, Policy | RouteTable]
    internal_table: RouteTable
    internal: Step


class Gateway:
    """The ASGI application. `start` and `close` belong into the process's lifespan.

    `admin` finds the frozen documents of the gateway's own APIs, which `answer_internal` serves; without it
    there are none. Without `duties` none are kept apart. `policy_folder` is where settings, consumers,
    duties and routing were read from; a change there, looked for every `look_seconds`, is put in force for
    the requests that begin after it, together with the process's other `participants`, which follow the
    same policy. `lifecycles` say which versions are drafts, deprecated or retired; one that they do not name
    is
    published.
    """

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        consumers: Mapping[str, Consumer],
        duties: Duties | None = None,
        routing: Routing | None = None,
        apis: Iterable[Mounted],
        public_url: str,
        issuer: DevelopmentIssuer | None = None,
        fetch: Fetch | None = None,
        post: Post | None = None,
        environ: Mapping[str, str] | None = None,
        database: Database | None = None,
        cache: Cache | None = None,
        workers: int = 1,
        hooks: Hooks | None = None,
        ready: Ready | None = None,
        admin: Documents | None = None,
        lifecycles: ApiLifecycles = NONE,
        policy_folder: Path | None = None,
        look_seconds: float = 1.0,
        participants: Iterable[Participant] = (),
    ) -> None:
        self.public_url = public_url.rstrip("/")
        self._described_at, self._description = well_known("oauth-protected-resource", self.public_url)
        self._apis = tuple(apis)
        self._lifecycles = lifecycles
        self._pages = Catalogue(self._apis, self.public_url, lifecycles).pages()
        self._issuer = issuer
        self._fetch = fetch
        self._post = post
        self._environ = environ or {}
        self._database = database
        self._hooks = hooks
        self._ready = ready
        self._account = Account(settings.account, database)
        # They outlive every change of policy: who was revoked, which proofs were used, and what was spent.
        self.credential_status = _credential_status(settings, database)
        self._proofs_used = Memory(cache, alone=workers == 1)
        self.directory = ConsumerDirectory(database)
        self.allowances = Allowances(cache, database, workers)
        self._listener = (
            InvalidationListener(database, lambda: self._version.after.cache.tags)
            if database is not None
            else None
        )
        dependencies = AdminDependencies(gateway=self, database=database, cache=cache)
        self._admin = admin_apis(dependencies, admin) if admin is not None else []
        bundle = make_bundle(settings, consumers, duties, routing)
        self._version = self._compile(bundle)
        self._watch_credential_status()
        self._update_issuer(bundle)
        self.policy = PolicyReloader(
            bundle, (self._prepare, *participants), folder=policy_folder, look_seconds=look_seconds
        )
        self._closing = False

    @property
    def bundle(self) -> PolicyBundle:
        """The policy that new requests meet."""
        return self.policy.bundle

    @property
    def refused(self) -> Refusal | None:
        """The change of the policy files that is refused now, if one is."""
        return self.policy.refused

    @property
    def settings(self) -> GatewaySettings:
        """The settings of the policy that new requests meet."""
        return self.bundle.settings

    @property
    def handle(self) -> Step:
        """The public pipeline that new requests go through."""
        return self._version.public

    @property
    def table(self) -> RouteTable:
        """The public routes."""
        return self._version.table

    @property
    def internal_table(self) -> RouteTable:
        """The routes of the internal listener."""
        return self._version.internal_table

    def _compile(self, bundle: PolicyBundle) -> Version:
        """The pipelines of a policy bundle; raises SettingsError where it does not fit the deployment."""
        settings = bundle.settings
        matrix = matrix_of(bundle.duties, (each.interface for each in (*self._apis, *self._admin)))
        refuse_conflicts(matrix, bundle.consumers)
        dependencies = PolicyDependencies(
            consumers=self.directory.consumers(bundle.consumers),
            directory=self.directory,
            allowances=self.allowances,
            scopes=scopes_of(each.api for each in (*self._apis, *self._admin)),
            verifiers=credential_verifiers(
                settings.identity,
                public_url=self.public_url,
                embedded=self._issuer,
                fetch=self._fetch,
                post=self._post,
                environ=self._environ,
                credential_status=self.credential_status,
                memory=self._proofs_used,
            ),
            resource_metadata=self._description,
            database=self._database,
            lifecycles=self._lifecycles,
            judge=matrix.refusals,
        )
        before = before_route(settings, self._account, self._lifecycles)
        after = after_route(settings, dependencies)
        gone = retired(self._lifecycles, [mounted.api for mounted in self._apis])
        table = RouteTable(self._apis, self._open_routes(settings, dependencies.verifiers.proofs), gone)
        inner_before, inner_after = inside(settings, before, after)
        inner = RouteTable(self._admin)
        return Version(
            duties=matrix,
            after=after,
            policies=in_order(before, table, after),
            table=table,
            public=build(before, table, after),
            internal_policies=in_order(inner_before, inner, inner_after),
            internal_table=inner,
            internal=build(inner_before, inner, inner_after),
        )

    def _prepare(self, bundle: PolicyBundle) -> Callable[[], None]:
        """The gateway's part in a change of policy: a request in flight ends under the one it began with."""
        made = self._compile(bundle)

        def put_in_force() -> None:
            succeed(self._version.after, made.after)
            self._version = made
            self._watch_credential_status()
            self._update_issuer(bundle)
            warn_of_dates(self._lifecycles, bundle.consumers)

        return put_in_force

    def _watch_credential_status(self) -> None:
        """Let the identity policy in force hear when what it believes may not hold any more."""
        if self.credential_status is not None:
            self.credential_status.watch(self._version.after.identity.evict_revoked)

    @property
    def consumers(self) -> Mapping[str, Consumer]:
        """Every consumer that is known, declared or registered."""
        return self.directory.consumers(self.bundle.consumers)

    @property
    def apis(self) -> dict[str, Api]:
        """Every API that stands here by its name, its own included."""
        return {mounted.api.slug: mounted.api for mounted in (*self._apis, *self._admin)}

    def refusals(self, name: str, consumer: Consumer) -> list[str]:
        """Why the duties in force let nobody in who was granted this, a sentence each; empty when they do."""
        return self._version.duties.refusals(name, consumer)

    def _update_issuer(self, bundle: PolicyBundle) -> None:
        """Let the embedded issuer know whom it may give tokens to."""
        if self._issuer is not None:
            self._issuer.consumers = self.directory.consumers(bundle.consumers)

    async def explain(self, method: str, path: str, consumer: str, person: str = "") -> Explanation:
        """Which rules a request of a consumer would meet, on whichever listener it stands."""
        version = self._version
        internal = path.startswith("/admin/")
        return await explain(
            self.bundle,
            self.consumers,
            version.internal_policies if internal else version.policies,
            Question(method, path, consumer, person),
        )

    @property
    def restart_required(self) -> list[str]:
        """What the policy files say and this process cannot do before it starts anew."""
        found = [] if self.settings.account == self._account.settings else ["gateway.toml: account"]
        identity, credential_status = self.settings.identity, self.credential_status
        if credential_status is not None and credential_status.seconds != (
            identity.refresh_seconds,
            identity.stale_seconds,
        ):
            found.append("gateway.toml: identity.refresh_seconds, identity.stale_seconds")
        return found + self.policy.waiting()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            exchange = Exchange(scope, receive)
            reply = await self._version.public(exchange)
            if self._closing:
                reply.headers.append((b"connection", b"close"))
            await _send(send, exchange, reply)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def answer_internal(self, scope: Any, receive: Any, send: Any) -> None:
        """The internal listener's ASGI application, for HTTP requests: the gateway's own APIs."""
        exchange = Exchange(scope, receive)
        await _send(send, exchange, await self._version.internal(exchange))

    def close_connections(self) -> None:
        """From now on every answer closes its connection: its caller shall go on elsewhere."""
        self._closing = True

    async def drain(self, seconds: float) -> None:
        """Wait until all that is being answered is, for some seconds at most."""
        self.close_connections()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._account.idle()

    async def start(self) -> None:
        """Begin the work in the background."""
        warn_of_dates(self._lifecycles, self.bundle.consumers)
        await self.directory.start()
        await self.allowances.start()
        await self._account.start()
        if self.credential_status is not None:
            await self.credential_status.start()
        if self._listener is not None:
            self._listener.start()
        await self.policy.start()

    async def close(self) -> None:
        """End it, with nothing lost: a part that does not end well keeps no other from writing the rest."""
        participants = (
            self.policy,
            self.credential_status,
            self._listener,
            self._version.after.cache,
            self._account,
            self.allowances,
            self.directory,
        )
        for part in participants:
            if part is not None:
                try:
                    await part.close()
                except Exception as error:  # noqa: BLE001 - whatever it is, the next part is closed
                    _log.error("not closed", part=type(part).__name__, exc_info=error)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.drain(_DRAIN_SECONDS)
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _open_routes(self, settings: GatewaySettings, proofs: Proofs) -> list[Route]:
        """The gateway's own addresses, where no token is asked for."""
        issuer = self._issuer if settings.identity.embedded_issuer else None
        targets: dict[tuple[str, str], Step] = {
            ("GET", "/"): _go_to_catalogue,
            ("GET", "/health/live"): _live,
            ("GET", "/health/ready"): self._answer_ready,
            ("GET", self._described_at): self._describe_resource(settings, issuer),
            **{("GET", path): page for path, page in self._pages.items()},
        }
        if self._hooks is not None:
            targets["POST", "/hooks/{instance}"] = self._take_hook
        if issuer is not None:
            days = settings.identity.embedded_key_days
            targets |= Issuing(issuer, self._database, proofs, key_days=days).steps()
        return [
            Route(method, path, f"endpoint {path}", step, page=path == AUTHORIZE_PATH)
            for (method, path), step in targets.items()
        ]

    def _describe_resource(self, settings: GatewaySettings, issuer: DevelopmentIssuer | None) -> Step:
        """The protected resource's metadata (RFC 9728)."""
        believed = [one.issuer for one in settings.identity.issuers]
        if issuer is not None:
            believed.insert(0, issuer.issuer)
        content = {
            "resource": self.public_url,
            "resource_name": "Enfilade",
            "authorization_servers": believed,
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": list(ALGORITHMS),
            "tls_client_certificate_bound_access_tokens": bool(settings.identity.certificate_proxies),
            "scopes_supported": list(scopes_of(mounted.api for mounted in self._apis)),
            "resource_documentation": self.public_url + "/apis",
        }

        async def describe(_: Exchange) -> Reply:
            return json_reply(200, content, (b"cache-control", b"public, max-age=300"))

        return describe

    async def _take_hook(self, exchange: Exchange) -> Reply:
        if self._hooks is None:
            raise NotFound
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in exchange.headers.items()
        }
        await self._hooks(exchange.path_parameters["instance"], headers, await exchange.read_body())
        return json_reply(202, {"received": True})

    async def _answer_ready(self, _: Exchange) -> Reply:
        """Whether, and no more: why not is told on the internal listener."""
        missing = await self._ready() if self._ready is not None else {}
        return json_reply(503 if missing else 200, {"ready": not missing})


def _credential_status(settings: GatewaySettings, database: Database | None) -> CredentialStatus | None:
    if database is None:
        return None
    identity = settings.identity
    return CredentialStatus(database, refresh=identity.refresh_seconds, stale=identity.stale_seconds)


async def _live(_: Exchange) -> Reply:
    return json_reply(200, {"live": True})


async def _go_to_catalogue(_: Exchange) -> Reply:
    return Reply(307, [(b"location", b"/apis")])


async def _send(send: Any, exchange: Exchange, reply: Reply) -> None:
    body, headers = reply.body, reply.headers
    for name, _ in headers:
        if name == b"content-length":
            break
    else:
        if reply.status not in _WITHOUT_LENGTH:
            headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})
