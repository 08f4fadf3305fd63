"""tests/gateway: the demo house with every way to be identified, for an ASGI server to be pointed at."""

import os
from pathlib import Path

import httpx
import msgspec

from deploy.composition.issuers import IssuerCalls
from gateway.identity import Issuer
from gateway.pipeline import GatewaySettings
from gateway.policies.identity import IdentitySettings
from kit.cache import Cache
from kit.telemetry import configure_logging
from tests.gateway.deployment import CONSUMERS, PLANS, Deployment
from tests.support.databases import keyed

configure_logging("debug")
_calls = IssuerCalls(httpx.AsyncClient())

SETTINGS = IdentitySettings(
    issuers=msgspec.json.decode(os.environ["ISSUERS"], type=tuple[Issuer, ...]),
    api_keys="test",
    certificate_proxies=("127.0.0.2/32",),
    refresh_seconds=0.1,
)
app = Deployment(
    Path(os.environ["ISSUER_FOLDER"]),
    GatewaySettings(plans=PLANS, identity=SETTINGS),
    CONSUMERS,
    database=keyed(os.environ["DATABASE_URL"]),
    cache=Cache(os.environ["CACHE_URL"], timeout=5),
    fetch=_calls.fetch,
    post=_calls.post,
    environ=os.environ,
).gateway
