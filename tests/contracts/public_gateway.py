"""tests/contracts: callers of a gateway with bad intentions, bad luck or bad manners."""

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
from sqlalchemy.engine import make_url

from deploy.composition.gateway_assembly import issuer_of
from deploy.settings import read_settings
from gateway.plans import read_consumers
from tests.support.deals import LARGE, Deal, holdings, new_deal
from tests.support.instances import CRM_INSTANCE, ERP_INSTANCE
from tests.support.stack import Stack, until

MARK = "WORDS-OF-THE-VENDOR"  # in every answer that a vendor is made to give: none of it may come out
_NUMBERS = itertools.count(1)


def fresh(prefix: str = "key") -> str:
    """A name that nobody has used."""
    return f"{prefix}-{next(_NUMBERS):08d}"


@dataclass
class PublicGateway:
    """The gateway of one deployment, with the tokens shown there and the answers given."""

    deployment: Stack
    http: httpx.AsyncClient
    tokens: list[str] = field(default_factory=list)
    answers: list[httpx.Response] = field(default_factory=list)
    deals: dict[str, Deal] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def token(self, consumer: str, subject: str = "", **claims: Any) -> str:
        self.tokens.append(self.deployment.token(consumer, subject, **claims))
        return self.tokens[-1]

    def forged(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token of our own issuer's hand, with something wrong about it."""
        config = self.deployment.config / "consumers.toml"
        issuer = issuer_of(read_settings(self.deployment.environment()), read_consumers(config))
        now = int(time.time())
        whole = {
            "iss": issuer.issuer,
            "sub": "ci",
            "aud": issuer.audience,
            "client_id": "ci",
            "iat": now,
            "exp": now + 300,
            "jti": fresh("jti"),
            "scope": " ".join(issuer.scopes),
            "instance": CRM_INSTANCE,
        }
        self.tokens.append(issuer.sign({**whole, **claims}, **(header or {})))
        return self.tokens[-1]

    async def call(
        self,
        method: str,
        path: str,
        by: str | None = "ci",
        *,
        token: str = "",
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        claims: dict[str, Any] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """A call with a consumer's token, a given one, or none; who sees screens is of the demo's CRM."""
        screen = {"instance": CRM_INSTANCE} if path.startswith("/experience") else {}
        shown = token or (self.token(by, "cecil", **(screen if claims is None else claims)) if by else "")
        given = list(headers.items() if isinstance(headers, dict) else headers or ())
        given += [("Authorization", f"Bearer {shown}")] if shown else []
        answer = await self.http.request(method, path, headers=given, **more)
        self.answers.append(answer)
        return answer

    async def announce(self, method: str, path: str, length: int) -> httpx.Response:
        """A call that says how long its body is and waits with it: who is refused unread need not send it."""
        token = self.token("ci", instance=CRM_INSTANCE)
        head = [
            f"{method} {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {token}",
            "Content-Type: application/json",
            f"Content-Length: {length}",
            "",
            "",
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.deployment.port)
        try:
            writer.write("\r\n".join(head).encode())
            async with asyncio.timeout(15):
                lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = [
                    (name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:-2])
                ]
                body = await reader.readexactly(int(dict(headers)["content-length"]))
        finally:
            writer.close()
        self.answers.append(httpx.Response(int(lines[0].split()[1]), headers=headers, content=body))
        return self.answers[-1]

    async def post(self, path: str, body: Any, *, key: str = "", **more: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key or fresh(), **more.pop("headers", {})}
        return await self.call("POST", path, headers=headers, json=body, **more)

    async def push(
        self, body: bytes, *, stamp: int = 0, signature: str = "", event: str = ""
    ) -> httpx.Response:
        """A push of our script at NetSuite, rightly signed unless told otherwise."""
        at = str(stamp or int(time.time()))
        secret = self.deployment.accounts.erp.env["NETSUITE_PUSH_SECRET"]
        rightly = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-NS-Timestamp": at,
            "X-NS-Signature": signature or f"sha256={rightly}",
            "X-NS-Event-Id": event,
        }
        return await self.call("POST", f"/hooks/{ERP_INSTANCE}", None, headers=headers, content=body)

    async def held(self) -> dict[str, int]:
        """How much there is of everything, at the vendors and in our own rows."""
        async with self.rows() as connection:
            runs = await (await connection.execute("SELECT count(*) FROM enfilade.runs")).fetchall()
        return {**await self.held_outside(), "runs": runs[0][0]}

    async def held_outside(self) -> dict[str, int]:
        """How much there is at the systems."""
        return await holdings(self.deployment.accounts)

    @asynccontextmanager
    async def rows(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """The deployment's own database."""
        address = make_url(self.deployment.database_url)
        connection = await psycopg.AsyncConnection.connect(
            host=str(address.query["host"]),
            port=str(address.query["port"]),
            user=address.username,
            dbname=address.database,
            autocommit=True,
        )
        async with connection:
            yield connection

    def logged(self) -> str:
        """Every line that the deployment has written."""
        return "\n".join(member.logged() for member in self.deployment.members)


def push_of(event: str, record: str = "101") -> bytes:
    """A thin event as our script sends it."""
    said = {
        "eventId": event,
        "recordType": "customer",
        "internalId": record,
        "action": "edit",
        "lastModified": "2026-11-20T10:00:00Z",
    }
    return json.dumps(said).encode()


async def furnish(public: PublicGateway) -> None:
    """A finished deal, one that waits for finance, one that is parked, and one that lacks everything."""
    crm = public.deployment.accounts.crm
    wanted = {
        "done": {"stage": "won"},
        "waiting": {"stage": "won", "credit_limit": LARGE},
        "open": {"payment_terms": None, "rate_card": None},
        "parked": {"rate_card": None},
    }
    for name, fields in wanted.items():
        public.deals[name] = await new_deal(crm, **fields)
    async with (
        public.deployment.caller("crm-screen") as screen,
        public.deployment.caller("ci", "carla") as ci,
    ):
        await public.deals["parked"].close()
        for name in ("done", "waiting"):
            await screen.activate(public.deals[name].opportunity_id)
        done = await screen.activation(public.deals["done"].opportunity_id, "done")
        waiting = await screen.activation(public.deals["waiting"].opportunity_id, "waiting")
        flows = "/process/opportunity-to-project/v1/activations"
        for name, activation in (("done", done), ("waiting", waiting)):
            found = await ci.get(f"{flows}/{activation['id']}")
            public.ids[name] = found["customer_request_id"]
        parked = await screen.activation(public.deals["parked"].opportunity_id, "parked")
        public.ids["parked"] = parked["exception_id"]


async def settled(public: PublicGateway, request_id: str, status: str) -> None:
    """Until a request of customer master has a status."""
    async with public.deployment.caller("ci", "carla") as ci:
        path = f"/process/customer-master/v1/requests/{request_id}"

        async def look() -> bool:
            return (await ci.get(path))["status"] == status

        await until(f"{request_id} is {status}", look)
