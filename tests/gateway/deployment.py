"""tests/gateway: the gateway over the demo tiers, with consumers, tokens and a client at hand."""

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from gateway.admin import interfaces as admin_interfaces
from gateway.identity import DevelopmentIssuer
from gateway.identity.issuing.personas import Persona
from gateway.inventory import Mounted, scopes_of
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, Limit, Plan
from gateway.policies.hop import in_process
from kit.operations import api_of, document
from tests.gateway.demo import INSTANCES, DemoTier, Shop, Vault, Works
from tests.support.gateways import make_gateway

URL = "http://gateway.test"

CONSUMERS = {
    "screen": Consumer(
        title="A screen",
        scopes=("experience.shop.read", "experience.shop.write"),
        claims={"instance": "vault-main"},
    ),
    "partner": Consumer(title="A partner", outside=True, scopes=("*.*.*",), claims={"customer": "acme"}),
    "finance": Consumer(
        title="Finance", scopes=("process.works.read", "process.works.approve"), roles=("finance",)
    ),
    "reader": Consumer(title="A reader", scopes=("*.*.read",)),
    "bound": Consumer(title="Bound", scopes=("system.*.read",), claims={"instance": "vault-main"}),
    "unbound": Consumer(title="Sees every row", scopes=("system.*.read",)),
    "platform": Consumer(title="The platform team", scopes=("gateway.*.*",), roles=("platform",)),
    "ci": Consumer(title="All", scopes=("*.*.*",), claims={"customer": "acme"}),
    "dismissed": Consumer(title="Whose tokens were revoked", scopes=("*.*.*",)),
    "sealed": Consumer(title="Proves its key", scopes=("*.*.*",), credentials=("dpop",)),
    "certified": Consumer(title="Shows its certificate", scopes=("*.*.*",), credentials=("mtls",)),
}
PLANS = {
    "standard": Plan(limits=(Limit("burst", 100_000, 60),)),
}

described = functools.cache(document)
"""An interface's document, built once: hundreds of deployments share it."""


def believing(settings: GatewaySettings) -> GatewaySettings:
    """The same settings, with the embedded issuer asked for."""
    identity = msgspec.structs.replace(settings.identity, embedded_issuer=True)
    return msgspec.structs.replace(settings, identity=identity)


class Deployment:
    """One gateway and how to speak to it; `base_url` may also name a server elsewhere."""

    def __init__(
        self,
        folder: Path,
        settings: GatewaySettings | None = None,
        consumers: Mapping[str, Consumer] = CONSUMERS,
        people: Mapping[str, Persona] | None = None,
        url: str = URL,
        tier: DemoTier | None = None,
        apis: tuple[Mounted, ...] = (),
        *,
        embedded: bool = True,
        **more: Any,
    ) -> None:
        self.tier = tier or DemoTier()
        self.apis = [
            Mounted(Shop, described(Shop), in_process(Shop, self.tier)),
            Mounted(Works, described(Works), in_process(Works, self.tier)),
            *(
                Mounted(Vault, described(Vault), in_process(Vault, self.tier), instance=name)
                for name in INSTANCES
            ),
            *apis,
        ]
        self.issuer = DevelopmentIssuer(
            folder,
            issuer=url,
            audience=url,
            consumers=consumers,
            people=people,
            scopes=scopes_of(
                [*(mounted.api for mounted in self.apis), *(api_of(kind) for kind in admin_interfaces())]
            ),
        )
        self.gateway = make_gateway(
            settings=believing(settings or GatewaySettings(plans=PLANS)) if embedded else settings,
            consumers=consumers,
            apis=self.apis,
            public_url=url,
            issuer=self.issuer,
            admin=described,
            **more,
        )
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.gateway), base_url=url)
        internal = httpx.ASGITransport(self.gateway.answer_internal)
        self.internal = httpx.AsyncClient(transport=internal, base_url=url)
        self._tokens: dict[str, str] = {}

    def token(self, consumer: str) -> str:
        if consumer not in self._tokens:
            self._tokens[consumer] = self.issuer.mint(consumer)
        return self._tokens[consumer]

    async def call(
        self,
        method: str,
        path: str,
        consumer: str = "ci",
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """A call with a consumer's token."""
        auth = {"Authorization": f"Bearer {self.token(consumer)}"} if consumer else {}
        return await self.http.request(method, path, headers={**auth, **(headers or {})}, **more)

    async def administer(
        self, method: str, path: str, consumer: str = "platform", **more: Any
    ) -> httpx.Response:
        """A call of an admin API on the internal listener."""
        auth = {"Authorization": f"Bearer {self.token(consumer)}"} if consumer else {}
        headers = {**auth, **more.pop("headers", {})}
        return await self.internal.request(method, "/admin/v1" + path, headers=headers, **more)

    async def place(self, key: str = "key-00000001", consumer: str = "ci", **more: Any) -> httpx.Response:
        """Place an order under an idempotency key."""
        more.setdefault("json", ORDER)
        return await self.call(
            "POST", "/experience/shop/v1/orders", consumer, headers={"Idempotency-Key": key}, **more
        )


ORDER = {"customer": "acme", "lines": [{"name": "tea", "price": {"amount": "3.20", "currency": "EUR"}}]}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer, held to RFC 9457 and our own promises."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found = answer.json()
    assert (answer.status_code, found["status"], found["code"]) == (status, status, code), found
    assert re.fullmatch(rf"https?://[^/]+(/[^/]+)*/apis/problems/{code}", found["type"])
    assert found["correlation_id"] == answer.headers["correlation-id"]
    assert found["title"]
    assert found["detail"]
    return found


def pointers(found: dict[str, Any]) -> set[str]:
    """Where the faults are."""
    return {fault["pointer"] for fault in found["errors"]}
