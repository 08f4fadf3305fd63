"""tests/support: a gateway from the few things that a test says of it, all else as by default."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from contracts.duties import Duties
from contracts.routing import Routing
from gateway.app import CredentialSources, Gateway, GatewayStores, Reloading
from gateway.identity import DevelopmentIssuer, Fetch, Post
from gateway.inventory import ApiInventory, Mounted
from gateway.lifecycle import NONE, ApiLifecycles
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer
from gateway.policy_bundle import make_bundle
from gateway.policy_bundle.reloader import Participant
from kit.cache import Cache
from kit.database import Database


def make_gateway(
    *,
    settings: GatewaySettings,
    consumers: Mapping[str, Consumer],
    apis: Iterable[Mounted],
    public_url: str,
    duties: Duties | None = None,
    routing: Routing | None = None,
    lifecycles: ApiLifecycles = NONE,
    issuer: DevelopmentIssuer | None = None,
    fetch: Fetch | None = None,
    post: Post | None = None,
    environ: Mapping[str, str] | None = None,
    database: Database | None = None,
    cache: Cache | None = None,
    workers: int = 1,
    policy_folder: Path | None = None,
    look_seconds: float = 1.0,
    participants: Iterable[Participant] = (),
    **more: Any,
) -> Gateway:
    """The gateway; `more` are its own arguments."""
    return Gateway(
        make_bundle(settings, consumers, duties, routing),
        ApiInventory(apis, lifecycles=lifecycles),
        public_url=public_url,
        credentials=CredentialSources(issuer, fetch, post, environ or {}),
        stores=GatewayStores(database, cache, workers),
        reloading=Reloading(policy_folder, look_seconds, tuple(participants)),
        **more,
    )
