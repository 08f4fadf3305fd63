"""tests/guides: what the calls of an example are given: a whole deployment in this process.

A plugin of pytest, for the copy of the tree in which a guide was followed.
"""

import asyncio
import datetime as dt
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.canonical.customer import Customer
from contracts.canonical.values import Ref
from contracts.events.kinds import CUSTOMER_APPROVED, CustomerApproved
from deploy.composition.assemble import assemble
from deploy.composition.gateway_assembly import issuer_of
from deploy.settings import DEMO_CONFIG, read_settings
from gateway.app import Gateway
from gateway.plans import read_consumers
from kit import clock
from kit.database import Database
from kit.inbox import publish

URL = "http://gateway.test"


async def until(what: str, look: Callable[[], Awaitable[Any]], seconds: float = 60) -> Any:
    """What `look` answers once it is true; fails with `what` after a while."""
    deadline = time.monotonic() + seconds
    while not (answer := await look()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain until {what}"
        await asyncio.sleep(0.02)
    return answer


@dataclass
class Trial:
    """A deployment with all tiers, and how to call it."""

    gateway: Gateway
    database: Database
    environ: dict[str, str]
    data: Path
    mint: Callable[[str], str]
    _tokens: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, consumer: str = "operations", **more: Any) -> httpx.Response:
        """A call through the gateway with a consumer's token."""
        return await self._send(self.gateway, consumer, method, path, **more)

    async def administer(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A call on the internal listener."""
        return await self._send(self.gateway.answer_internal, "platform", method, path, **more)

    async def _send(
        self,
        app: Any,
        consumer: str,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        token = self._tokens.setdefault(consumer, self.mint(consumer))
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as http:
            return await http.request(method, path, headers=sent, **more)


@pytest.fixture(scope="session")
async def trial(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    """The deployment of the demo's configuration, none of whose vendors answers."""
    folder = tmp_path_factory.mktemp("trial")
    shutil.copytree(DEMO_CONFIG, folder / "config")
    environ = {
        "ENFILADE_DATABASE_URL": os.environ["GUIDE_DATABASE_URL"],
        "ENFILADE_CONFIG": str(folder / "config"),
        "ENFILADE_DATA_DIR": str(folder),
        "ENFILADE_PUBLIC_URL": URL,
    }
    settings = read_settings(environ)
    async with assemble(settings, environ) as deployment:
        assert deployment.gateway is not None
        consumers = read_consumers(settings.folder / "consumers.toml")
        issuer = issuer_of(settings, consumers)
        yield Trial(deployment.gateway, deployment.stores.database, environ, folder, issuer.mint)


async def approve(database: Database, customer_id: str, name: str, entity: str) -> None:
    """Publish that an account became a customer of a legal entity."""
    ref = Ref("crm-1", "customer", f"acc-{customer_id}")
    now: dt.datetime = clock.now()
    customer = Customer(customer_id, "1", now, name, "approved", selling_entity=entity, refs=(ref,))
    async with database.begin() as connection:
        await publish(
            connection,
            type=CUSTOMER_APPROVED,
            subject=customer_id,
            key=customer_id,
            data=CustomerApproved(customer_id, name, entity, ref.instance, ref.id, name, customer),
            correlation_id="cor_1",
            deliver=True,
        )
