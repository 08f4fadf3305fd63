"""tests/conformance/gateway: the demonstration upstream, which every target of the suite fronts.

The demo tiers of tests/gateway, with a few ids and customers at which they behave as README.md says.
"""

import asyncio
from typing import Any, Protocol

import msgspec
from litestar import Litestar

from contracts.canonical.values import Id
from contracts.operation import api, operation
from contracts.problems import Conflict, Unavailable
from kit import context
from kit.routes import answer_problem, router
from tests.gateway.demo import DemoTier, Order, Seen, Vault

FAR = "vault-far"
ARRIVED, LEAKY, UNFIT = "what-arrived", "leaky", "unfit"
LEAKS = [(b"server", b"secret/1.0"), (b"set-cookie", b"a=b"), (b"connection", b"x"), (b"keep-alive", b"5")]
WAIT_SECONDS = 0.8
_UNFIT = {
    UNFIT: (200, b"application/json", b'{"id": 5, "subject": "hunter2"}'),
    f"{UNFIT}-status": (201, b"application/json", b'{"id": "hunter2"}'),
    f"{UNFIT}-kind": (200, b"text/plain", b"hunter2"),
    f"{UNFIT}-text": (200, b"application/json", b"{hunter2"),
}


def _ageing(name: str) -> type:
    """An API of one read, for versions.toml to say where it stands in its life."""

    @api("process", name, version=1, summary=f"The {name}")
    class Ageing(Protocol):
        """Pages."""

        @operation("GET", "/pages/{page_id}", summary="Read a page")
        async def get_page(self, page_id: Id) -> Seen:
            """The page."""
            ...

    return Ageing


AGEING = tuple(_ageing(name) for name in ("ledger", "register", "almanac"))


class Upstream(DemoTier):
    """Orders of some customers wait, are refused, or fail once."""

    def __init__(self) -> None:
        super().__init__()
        self._failed: set[str] = set()

    async def place_order(self, body: Order) -> Seen:
        key = context.current().idempotency_key
        if body.customer == "waits":
            await asyncio.sleep(WAIT_SECONDS)
        elif body.customer == "refused":
            raise Conflict("Not for this customer")
        elif body.customer == "fails-once" and key not in self._failed:
            self._failed.add(key)
            raise Unavailable("Not now", retry_after=1)
        return await super().place_order(body)

    async def ask_quote(self, body: Order) -> Seen:
        if body.customer == "waits":
            await asyncio.sleep(WAIT_SECONDS)
        return await super().ask_quote(body)

    async def get_page(self, page_id: str) -> Seen:
        """Of whichever API that ages."""
        return await self.get_order(page_id)


def far_away() -> Any:
    """The instance `vault-far` as an ASGI application: the gateway reaches it over HTTP."""
    floor = Litestar(
        route_handlers=[router(Vault, Upstream(), f"/system/{FAR}/vault/v1")],
        openapi_config=None,
        logging_config=None,
        exception_handlers={Exception: answer_problem},
    )

    async def upstream(scope: Any, receive: Any, send: Any) -> None:
        asked = str(scope.get("path")).rpartition("/")[2]
        if asked == ARRIVED:
            await _tell(scope, send)
        elif asked.startswith(UNFIT):
            await _answer(send, *_UNFIT[asked])
        else:
            await floor(scope, receive, _leaking(send) if asked == LEAKY else send)

    return upstream


async def _tell(scope: Any, send: Any) -> None:
    """A record whose id is the request's headers, one per line."""
    told = "\n".join(f"{name.decode()}: {value.decode('latin-1')}" for name, value in scope["headers"])
    await _answer(send, 200, b"application/json", msgspec.json.encode(Seen(id=told)))


async def _answer(send: Any, status: int, kind: bytes, body: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _leaking(send: Any) -> Any:
    async def leak(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *LEAKS]}
        await send(message)

    return leak
