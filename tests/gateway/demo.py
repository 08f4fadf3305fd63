"""tests/gateway: a small house behind the gateway: one API per tier, answered from memory."""

import asyncio
import datetime as dt
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Id, Money, PageSize
from contracts.operation import Deprecation, RowRule, api, operation
from contracts.problems import Conflict, NotFound, Unavailable
from kit import context
from kit.conditions import require_match


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    name: Annotated[str, Meta(min_length=1, max_length=40)]
    quantity: Annotated[int, Meta(ge=1)] = 1
    price: Money | None = None


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    customer: Id
    lines: Annotated[tuple[Line, ...], Meta(min_length=1)]
    due: dt.date | None = None


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the tier was told of the request."""

    id: str
    version: str = "1"
    subject: str = ""
    consumer: str = ""
    correlation_id: str = ""
    traceparent: str = ""
    key: str = ""
    lane: str = ""
    roles: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    count: int = 0


@api(
    "experience",
    "shop",
    version=1,
    summary="Orders for a screen",
    audiences=("internal", "outside"),
    data_classes=("commercial", "financial"),
)
class Shop(Protocol):
    """The screen's orders."""

    @operation("GET", "/orders/{order_id}", summary="Read an order", problems=(NotFound,))
    async def get_order(self, order_id: Id) -> Seen:
        """The order; raises NotFound."""
        ...

    @operation("GET", "/orders", summary="List orders")
    async def list_orders(
        self,
        limit: PageSize = 50,
        state: Literal["open", "done"] | None = None,
        since: dt.datetime | None = None,
        mine: bool = False,
    ) -> Seen:
        """A page of orders."""
        ...

    @operation("POST", "/orders", summary="Place an order", status=202, problems=(Conflict, Unavailable))
    async def place_order(self, body: Order) -> Seen:
        """The order."""
        ...

    @operation(
        "PUT", "/orders/{order_id}", summary="Change an order", precondition=True, problems=(NotFound,)
    )
    async def put_order(self, order_id: Id, body: Order, if_match: str | None = None) -> Seen:
        """The order after the change."""
        ...

    @operation("POST", "/orders/{order_id}/poke", summary="Poke an order", idempotency="natural")
    async def poke_order(self, order_id: Id) -> Seen:
        """The order."""
        ...

    @operation("GET", "/slow", summary="Take too long", deadline=0.1)
    async def read_slowly(self) -> Seen:
        """Nothing, in time."""
        ...

    @operation("GET", "/broken", summary="Fail in an unforeseen way")
    async def read_broken(self) -> Seen:
        """Never."""
        ...

    @operation(
        "GET",
        "/customers/{customer}",
        summary="Read a customer",
        rows=(RowRule("path", "customer", "customer"),),
    )
    async def get_customer(self, customer: Id) -> Seen:
        """The customer."""
        ...

    @operation(
        "POST",
        "/quotes",
        summary="Ask for a quote",
        idempotency="natural",
        rows=(RowRule("body", "customer", "customer", required=True),),
    )
    async def ask_quote(self, body: Order) -> Seen:
        """The quote."""
        ...

    @operation(
        "GET",
        "/old",
        summary="Read in the old way",
        deprecation=Deprecation("2026-01-01", "2026-12-31", "/experience/shop/v1/orders"),
    )
    async def read_old(self) -> Seen:
        """As before."""
        ...


@api("process", "works", version=1, summary="A flow of the firm")
class Works(Protocol):
    """For other systems of the firm."""

    @operation("GET", "/works/{work_id}", summary="Read a work")
    async def get_work(self, work_id: Id) -> Seen:
        """The work."""
        ...

    @operation("POST", "/works/{work_id}/decision", summary="Decide", access="approve", idempotency="natural")
    async def decide(self, work_id: Id, body: Order) -> Seen:
        """The work as decided."""
        ...

    @operation(
        "POST",
        "/works/{work_id}/seal",
        summary="Seal",
        access="approve",
        roles=("finance", "works"),
        idempotency="natural",
    )
    async def seal(self, work_id: Id) -> Seen:
        """The work as sealed."""
        ...


@api("system", "vault", version=1, summary="One vendor's records")
class Vault(Protocol):
    """One vault."""

    @operation("GET", "/records/{record_id}", summary="Read a record")
    async def get_record(self, record_id: Id) -> Seen:
        """The record."""
        ...


class DemoTier:
    """Implements all three, and counts."""

    def __init__(self) -> None:
        self.count = 0
        self.fail: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()
        self.cancelled = 0

    def _seen(self, id: str) -> Seen:  # noqa: A002
        self.count += 1
        now = context.current()
        caller = now.caller
        return Seen(
            id=id,
            subject=caller.subject if caller else "",
            consumer=caller.consumer if caller else "",
            correlation_id=now.correlation_id,
            traceparent=now.traceparent,
            key=now.idempotency_key,
            lane=now.lane,
            roles=tuple(sorted(caller.roles)) if caller else (),
            entities=caller.claims.get("entities", ()) if caller else (),
            count=self.count,
        )

    async def get_order(self, order_id: str) -> Seen:
        if order_id == "gone":
            raise NotFound(f"There is no order {order_id}")
        return self._seen(order_id)

    async def list_orders(self, **query: Any) -> Seen:
        return self._seen(f"{query['limit']}-{query['state']}-{query['mine']}")

    async def place_order(self, body: Order) -> Seen:
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail
        return self._seen(body.customer)

    async def put_order(self, order_id: str, body: Order, if_match: str | None = None) -> Seen:  # noqa: ARG002
        require_match(if_match, 1)
        return self._seen(order_id)

    async def poke_order(self, order_id: str) -> Seen:
        return self._seen(order_id)

    async def read_slowly(self) -> Seen:
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled += 1
        raise AssertionError

    async def read_broken(self) -> Seen:
        raise RuntimeError("secret=hunter2")

    async def get_customer(self, customer: str) -> Seen:
        return self._seen(customer)

    async def ask_quote(self, body: Order) -> Seen:
        return self._seen(body.customer)

    async def read_old(self) -> Seen:
        return self._seen("old")

    async def get_work(self, work_id: str) -> Seen:
        return self._seen(work_id)

    async def decide(self, work_id: str, body: Order) -> Seen:  # noqa: ARG002
        return self._seen(work_id)

    async def seal(self, work_id: str) -> Seen:
        return self._seen(work_id)

    async def get_record(self, record_id: str) -> Seen:
        return self._seen(record_id)


INSTANCES = ("vault-main", "vault-other")
