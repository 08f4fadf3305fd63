"""tests/conformance/gateway: the demonstration upstream, which every target of the suite fronts.

The demo floors of tests/gateway, with a few ids and customers at which they behave as README.md says.
"""

import asyncio
from typing import Any

import msgspec
from litestar import Litestar

from contracts.problems import Conflict, Unavailable
from kit import context
from kit.routes import answer_problem, room
from tests.gateway.demo import Floor, Order, Seen, Vault

FAR = "vault-far"
ARRIVED, LEAKY = "what-arrived", "leaky"
LEAKS = [(b"server", b"secret/1.0"), (b"set-cookie", b"a=b"), (b"connection", b"x"), (b"keep-alive", b"5")]
WAIT_SECONDS = 0.4


class Upstream(Floor):
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


def far_away() -> Any:
    """The instance `vault-far` as an ASGI application: the gateway reaches it over HTTP."""
    floor = Litestar(
        route_handlers=[room(Vault, Upstream(), f"/system/{FAR}/vault/v1")],
        openapi_config=None,
        logging_config=None,
        exception_handlers={Exception: answer_problem},
    )

    async def upstream(scope: Any, receive: Any, send: Any) -> None:
        asked = str(scope.get("path")).rpartition("/")[2]
        if asked == ARRIVED:
            await _tell(scope, send)
        else:
            await floor(scope, receive, _leaking(send) if asked == LEAKY else send)

    return upstream


async def _tell(scope: Any, send: Any) -> None:
    """A record whose id is the request's headers, one per line."""
    told = "\n".join(f"{name.decode()}: {value.decode('latin-1')}" for name, value in scope["headers"])
    body = msgspec.json.encode(Seen(id=told))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _leaking(send: Any) -> Any:
    async def leak(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *LEAKS]}
        await send(message)

    return leak
