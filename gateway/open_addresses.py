"""Open addresses, which require no token: health, catalogue, vendors' pushes, the embedded issuer."""

from collections.abc import Awaitable, Callable, Mapping

from gateway.catalogue import Catalogue
from gateway.document_security import schemes_of
from gateway.exchange import Exchange, PipelineStep, Reply, Route, json_reply, require_type
from gateway.identity import DevelopmentIssuer, Proofs
from gateway.identity.issuing.addresses import Issuing
from gateway.identity.issuing.metadata import AUTHORIZE_PATH, well_known
from gateway.identity.jose import ALGORITHMS
from gateway.inventory import ApiInventory, scopes_of
from gateway.pipeline import GatewaySettings
from gateway.policies.wire import LIVE, READY
from kit.database import Database

HOOKS = (
    ("GET", "/hooks/{instance}"),
    ("POST", "/hooks/{instance}"),
    ("GET", "/hooks/{instance}/{name}"),
    ("POST", "/hooks/{instance}/{name}"),
    ("GET", "/vendor-hooks/{vendor}"),
    ("POST", "/vendor-hooks/{vendor}"),
)
"""Where vendors call: an instance, one of its further addresses, all instances of a vendor."""

Ready = Callable[[], Awaitable[Mapping[str, str]]]
"""What is not ready, by name and sentence; empty when all is."""


class OpenAddresses:
    """The gateway's open addresses at its public listener; challenges name `resource_metadata`."""

    def __init__(
        self,
        inventory: ApiInventory,
        public_url: str,
        *,
        issuer: DevelopmentIssuer | None,
        database: Database | None,
        hooks: PipelineStep | None,
        ready: Ready | None,
    ) -> None:
        self._described_at, self.resource_metadata = well_known("oauth-protected-resource", public_url)
        self._inventory = inventory
        self._public_url = public_url
        self._catalogue = Catalogue(inventory.public, public_url, inventory.lifecycles)
        self._pages = self._catalogue.pages()
        self._issuer = issuer
        self._database = database
        self._hooks = hooks
        self._ready = ready

    def routes(self, settings: GatewaySettings, proofs: Proofs) -> list[Route]:
        """The routes of the addresses that these settings switch on."""
        issuer = self._issuer if settings.identity.embedded_issuer else None
        described = self._describe_resource(settings, issuer)
        schemes = schemes_of(settings.identity, issuer, for_people=self._database is not None)
        documents = self._catalogue.documents(schemes.published)
        targets: dict[tuple[str, str], PipelineStep] = {
            ("GET", "/"): _go_to_catalogue,
            **{("GET", path): _live for path in LIVE},
            **{("GET", path): self._answer_ready for path in READY},
            ("GET", self._described_at): described,
            ("GET", "/.well-known/oauth-protected-resource"): described,
            **{("GET", path): page for path, page in (self._pages | documents).items()},
        }
        if self._hooks is not None:
            types = settings.wire.content_types
            targets |= dict.fromkeys(HOOKS, _taking(self._hooks, *types, any_json=True))
        if issuer is not None:
            days = settings.identity.embedded_key_days
            targets |= Issuing(issuer, self._database, proofs, key_days=days).steps()
        return [
            Route(method, path, f"endpoint {path}", step, page=path == AUTHORIZE_PATH)
            for (method, path), step in targets.items()
        ]

    def _describe_resource(self, settings: GatewaySettings, issuer: DevelopmentIssuer | None) -> PipelineStep:
        """The protected resource's metadata (RFC 9728)."""
        issuers = [one.issuer for one in settings.identity.issuers]
        if issuer is not None:
            issuers.insert(0, issuer.issuer)
        content = {
            "resource": self._public_url,
            "resource_name": "Enfilade",
            "authorization_servers": issuers,
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": list(ALGORITHMS),
            "tls_client_certificate_bound_access_tokens": bool(settings.identity.certificate_proxies),
            "scopes_supported": list(scopes_of(mounted.api for mounted in self._inventory.public)),
            "resource_documentation": self._public_url + "/apis",
        }

        async def describe(_: Exchange) -> Reply:
            return json_reply(200, content, (b"cache-control", b"public, max-age=300"))

        return describe

    async def _answer_ready(self, _: Exchange) -> Reply:
        """Whether the gateway is ready; only the internal listener answers why not."""
        missing = await self._ready() if self._ready is not None else {}
        return json_reply(503 if missing else 200, {"ready": not missing})


def _taking(step: PipelineStep, *types: str, any_json: bool = False) -> PipelineStep:
    """The step, which takes bodies of these media types only."""

    async def taking(exchange: Exchange) -> Reply:
        length = exchange.headers.get(b"content-length", b"")
        if length.strip(b"0") or b"transfer-encoding" in exchange.headers:
            require_type(exchange, *types, any_json=any_json)
        return await step(exchange)

    return taking


async def _live(_: Exchange) -> Reply:
    return json_reply(200, {"live": True})


async def _go_to_catalogue(_: Exchange) -> Reply:
    return Reply(307, [(b"location", b"/apis")])
