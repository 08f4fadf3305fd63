"""The consumers: who may call, who is suspended, and who called what how often."""

import datetime as dt
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from contracts.operation import Link, api, operation
from contracts.problems import Conflict, NotFound, Unavailable

ConsumerName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9\-]{1,62}$")]
ApiName = Annotated[
    str, Meta(pattern=r"^(system|process|experience|gateway)/[a-z0-9\-]+@[1-9][0-9]*$", max_length=120)
]
GrantedScope = Annotated[
    str,
    Meta(
        pattern=r"^(\*|system|process|experience|gateway)\.(\*|[a-z0-9\-]+)\.(\*|read|write|approve)$",
        max_length=120,
    ),
]
Reason = Annotated[str, Meta(min_length=3, max_length=500)]
Days = Annotated[int, Meta(ge=1, le=400)]
Word = Annotated[str, Meta(min_length=1, max_length=100)]


class Registration(msgspec.Struct, frozen=True, omit_defaults=True):
    """A consumer to be, granted as in consumers.toml. It may call nothing before it subscribes."""

    name: ConsumerName
    title: Annotated[str, Meta(min_length=3, max_length=200)]
    scopes: Annotated[tuple[GrantedScope, ...], Meta(max_length=100)] = ()
    outside: bool = False
    roles: Annotated[tuple[Word, ...], Meta(max_length=50)] = ()
    claims: dict[Word, Annotated[str, Meta(max_length=200)]] = {}


class Suspension(msgspec.Struct, frozen=True):
    """Why a consumer may not call for now."""

    reason: Reason


class KnownConsumer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A consumer; `origin` says whether the consumers' file declares it or it was registered.

    `subscriptions` are those in force: an API's name, a tier's ``…/*`` or ``*``, and the plan.
    """

    name: str
    title: str
    origin: Literal["declared", "registered"]
    state: Literal["active", "suspended"]
    scopes: tuple[str, ...]
    subscriptions: dict[str, str]
    outside: bool = False
    roles: tuple[str, ...] = ()
    suspended_because: str = ""


class KnownConsumers(msgspec.Struct, frozen=True):
    """All consumers."""

    items: tuple[KnownConsumer, ...]


class UsageOfApi(msgspec.Struct, frozen=True):
    """How often a consumer called an API, and on which day last (UTC)."""

    consumer: str
    api: str
    calls: int
    last_day: dt.date


class UsageOfApis(msgspec.Struct, frozen=True):
    """The usage of some days, most calls first."""

    items: tuple[UsageOfApi, ...]


@api(
    "gateway",
    "consumers",
    version=1,
    summary="Who may call, and who does",
    data_classes=("commercial",),
)
class Consumers(Protocol):
    """Declared and registered consumers."""

    @operation("GET", "/consumers", summary="List the consumers")
    async def list_consumers(self) -> KnownConsumers:
        """Every consumer, by name."""
        ...

    @operation("GET", "/consumers/{name}", summary="Read a consumer", problems=(NotFound,))
    async def get_consumer(self, name: ConsumerName) -> KnownConsumer:
        """The consumer; raises NotFound."""
        ...

    @operation(
        "POST",
        "/consumers",
        summary="Register a consumer",
        status=201,
        problems=(Conflict, Unavailable),
        links=(Link("get_consumer", "name", "name"),),
    )
    async def register_consumer(self, body: Registration) -> KnownConsumer:
        """The consumer as registered; raises Conflict where there is one of the name.

        Raises Invalid where it would hold conflicting duties.
        """
        ...

    @operation(
        "POST",
        "/consumers/{name}/suspension",
        summary="Suspend a consumer: its calls are refused within seconds",
        idempotency="natural",
        problems=(NotFound, Unavailable),
    )
    async def suspend_consumer(self, name: ConsumerName, body: Suspension) -> KnownConsumer:
        """The consumer as suspended; raises NotFound."""
        ...

    @operation(
        "POST",
        "/consumers/{name}/resumption",
        summary="Let a suspended consumer call again",
        idempotency="natural",
        problems=(NotFound, Unavailable),
    )
    async def resume_consumer(self, name: ConsumerName) -> KnownConsumer:
        """The consumer as active; raises NotFound."""
        ...

    @operation("GET", "/usage", summary="Who called which API how often", problems=(Unavailable,))
    async def list_usage(self, days: Days = 30, api: ApiName | None = None) -> UsageOfApis:
        """The usage of the last days, today included, of one API or of all."""
        ...
