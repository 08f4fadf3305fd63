"""How the door is assembled: an ASGI application over the mounted APIs and the gateway's own addresses."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from contracts.problems import NotFound
from gateway.exchange import Exchange, Reply, Route, Step, json_reply
from gateway.identity import DevelopmentIssuer, Fetch, Issuer, Keys, Verifier
from gateway.identity.issuer import TOKEN_PATH, scopes_of
from gateway.pipeline import Settings, Surroundings, after_route, before_route, build
from gateway.plans import Consumer
from gateway.policies.hop import Target, in_process, over_http
from gateway.policies.route import Mounted, RouteTable
from gateway.portal import Portal
from kit.cache import Cache
from kit.database import Database
from kit.settings import SettingsError

__all__ = ["Gateway", "Mounted", "Settings", "Target", "in_process", "over_http", "scopes_of"]

Hooks = Callable[[str, Mapping[str, str], bytes], Awaitable[None]]
"""Takes instance, headers (lower case) and raw body of a vendor's push; verifies it itself."""

Ready = Callable[[], Awaitable[Mapping[str, str]]]
"""What is not ready, by name and sentence; empty when all is."""

_METADATA = "/.well-known/oauth-protected-resource"
_WANTED = "The embedded issuer is switched on, but none was given"


class Gateway:
    """The ASGI application. `start` and `close` belong into the process's lifespan."""

    def __init__(
        self,
        *,
        settings: Settings,
        consumers: Mapping[str, Consumer],
        apis: Iterable[Mounted],
        public_url: str,
        issuer: DevelopmentIssuer | None = None,
        fetch: Fetch | None = None,
        database: Database | None = None,
        cache: Cache | None = None,
        workers: int = 1,
        hooks: Hooks | None = None,
        ready: Ready | None = None,
    ) -> None:
        self.public_url = public_url.rstrip("/")
        self.settings = settings
        self._hooks = hooks
        self._ready = ready
        mounted = tuple(apis)
        around = Surroundings(
            consumers=consumers,
            verifier=_verifier(settings, self.public_url, issuer, fetch),
            resource_metadata=self.public_url + _METADATA,
            database=database,
            cache=cache,
            workers=workers,
        )
        before = before_route(settings, around)
        self._account = before.account
        self.table = RouteTable(mounted, self._open_routes(mounted, issuer))
        self.handle: Step = build(before, self.table, after_route(settings, around))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            exchange = Exchange(scope, receive)
            reply = await self.handle(exchange)
            await _send(send, exchange, reply)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def start(self) -> None:
        """Begin the work in the background."""
        await self._account.start()

    async def close(self) -> None:
        """End it, with nothing lost."""
        await self._account.close()

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _open_routes(self, apis: tuple[Mounted, ...], issuer: DevelopmentIssuer | None) -> list[Route]:
        """The gateway's own addresses, where no token is asked for."""
        targets: dict[tuple[str, str], Step] = {
            ("GET", "/"): _go_to_catalogue,
            ("GET", "/health/live"): _live,
            ("GET", "/health/ready"): self._answer_ready,
            ("GET", _METADATA): self._describe_resource(apis, issuer),
            **{("GET", path): page for path, page in Portal(apis, self.public_url).pages().items()},
        }
        if self._hooks is not None:
            targets["POST", "/hooks/{instance}"] = self._take_hook
        if issuer is not None and self.settings.identity.embedded_issuer:
            targets["POST", TOKEN_PATH] = issuer.answer_token
            targets["GET", "/.well-known/jwks.json"] = issuer.answer_jwks
            targets["GET", "/.well-known/oauth-authorization-server"] = issuer.answer_metadata
        return [Route(method, path, f"door {path}", step) for (method, path), step in targets.items()]

    def _describe_resource(self, apis: tuple[Mounted, ...], issuer: DevelopmentIssuer | None) -> Step:
        """The protected resource's metadata (RFC 9728)."""
        believed = [one.issuer for one in self.settings.identity.issuers]
        if issuer is not None and self.settings.identity.embedded_issuer:
            believed.insert(0, issuer.issuer)
        content = {
            "resource": self.public_url,
            "authorization_servers": believed,
            "bearer_methods_supported": ["header"],
            "scopes_supported": list(scopes_of(mounted.api for mounted in apis)),
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
        missing = dict(await self._ready()) if self._ready is not None else {}
        return json_reply(503 if missing else 200, {"ready": not missing, "missing": missing})


def _verifier(
    settings: Settings, public_url: str, embedded: DevelopmentIssuer | None, fetch: Fetch | None
) -> Verifier:
    identity = settings.identity
    issuers = {one.issuer: (one, Keys(address=one.jwks_uri, fetch=fetch)) for one in identity.issuers}
    if identity.embedded_issuer:
        if embedded is None:
            raise SettingsError([f"identity.embedded_issuer: {_WANTED}"])
        own = Issuer(issuer=embedded.issuer, jwks_uri="", audience=embedded.audience)
        issuers[embedded.issuer] = (own, Keys(document=embedded.jwks()))
    if identity.issuers and fetch is None:
        raise SettingsError(["identity.issuers: nothing was given that fetches their keys"])
    return Verifier(issuers, public_url, identity.leeway_seconds)


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
        if reply.status != 204:  # noqa: PLR2004 - No Content has none
            headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})
