"""Plans: the consumers, their grants and the limits of their calls, all of it data."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contracts.operation import Api, DataClass
from contracts.rows import DIMENSIONS, names_of
from gateway.plans.oauth_client import OAuthClient
from gateway.plans.reading import decode, read

__all__ = [
    "Consumer",
    "ConsumersFile",
    "Limit",
    "OAuthClient",
    "Plan",
    "decode",
    "grants",
    "narrowed",
    "read",
    "read_consumers",
    "unknown_plans",
    "unsuited",
]

Credential = Literal["bearer", "dpop", "mtls", "api_key"]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9\-]{1,62}$")]
Grant = Annotated[
    str, Meta(pattern=r"^(\*|system|process|experience|gateway)\.(\*|[a-z0-9\-]+)\.(\*|read|write|approve)$")
]


Subscribed = Annotated[
    str, Meta(pattern=r"^(\*|(system|process|experience|gateway)/(\*|[a-z0-9\-]+@[1-9][0-9]*))$")
]
SheddingLane = Literal["critical", "standard", "background"]
BY_DEFAULT: Mapping[str, str] = MappingProxyType({"*": "standard"})
"""The subscriptions of a consumer whose file names none."""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The requests per window of seconds; `name` identifies the limit in the RateLimit fields."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9\-]*$")]
    requests: Annotated[int, Meta(ge=1)]
    seconds: Annotated[int, Meta(ge=1)]


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The terms on which a consumer calls an API: each subscriber has them for itself, and for each API.

    `limits` apply all at once; `concurrency` bounds the calls under way, `monthly_quota` those of a calendar
    month (UTC). `lane` decides which calls an overloaded process sheds first. `approval` says whether a
    subscription is active at once or needs the approval of another person. A consumer that may use another
    kind of credential than `credentials` is refused. `data_classes` are the classes of data that the plan
    covers, absent all: an API with others is refused. `entities` are the legal entities to whose rows a
    subscriber is restricted.
    """

    limits: Annotated[tuple[Limit, ...], Meta(min_length=1)]
    title: str = ""
    concurrency: Annotated[int, Meta(ge=1)] | None = None
    monthly_quota: Annotated[int, Meta(ge=1)] | None = None
    lane: SheddingLane = "standard"
    approval: Literal["automatic", "manual"] = "manual"
    credentials: Annotated[tuple[Credential, ...], Meta(min_length=1)] | None = None
    data_classes: Annotated[tuple[DataClass, ...], Meta(min_length=1)] | None = None
    entities: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None

    def __post_init__(self) -> None:
        names = [limit.name for limit in self.limits]
        if len(set(names)) < len(names) or {"month", "concurrency"} & set(names):
            raise ValueError("limits need names of their own, and neither month nor concurrency")


class Consumer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consumer of APIs, and its grants.

    `outside` consumers reach experience APIs only. `scopes` are grants like ``process.*.read``: a token's
    scopes count only as far as they were granted. `roles` likewise. `claims` go into the tokens of the
    embedded issuer (``instance``, ``customer``) and restrict rows. `client` says how it gets those tokens.
    `credentials` are the kinds that it may use: without *bearer* and *api_key*, only those that are useless
    when stolen. `entities` are the legal entities whose rows it may see, absent all; a token's claim of
    that name narrows them and never widens. `subscriptions` say on which plan which APIs are called: an
    API's name, ``process/*`` or ``*``, of which the most specific applies.
    """

    title: str
    scopes: tuple[Grant, ...]
    outside: bool = False
    roles: tuple[str, ...] = ()
    claims: dict[str, str] = {}
    entities: tuple[str, ...] | None = None
    client: OAuthClient = OAuthClient()
    credentials: Annotated[tuple[Credential, ...], Meta(min_length=1)] = ("bearer", "dpop", "mtls", "api_key")
    subscriptions: dict[Subscribed, str] = msgspec.field(default_factory=lambda: dict(BY_DEFAULT))

    def plan_for(self, api: str) -> str | None:
        """The name of the plan on which an API is called by its own subscriptions; None without one."""
        tier = api.partition("/")[0]
        for name in (api, f"{tier}/*", "*"):
            if name in self.subscriptions:
                return self.subscriptions[name]
        return None


class ConsumersFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every consumer by its name, which is its OAuth client id."""

    consumers: dict[Name, Consumer]


def read_consumers(path: Path) -> dict[str, Consumer]:
    """The consumers of a file; raises SettingsError with every fault."""
    return read(path, ConsumersFile).consumers


def unknown_plans(consumers: Mapping[str, Consumer], plans: Mapping[str, Plan]) -> list[str]:
    """A sentence for every declared subscription to an unknown plan.

    Without any plans the default subscriptions are not checked.
    """
    return [
        f"consumers.{name}.subscriptions.{api}: there is no plan {plan!r} in the gateway's settings"
        for name, consumer in consumers.items()
        if plans or consumer.subscriptions != BY_DEFAULT
        for api, plan in consumer.subscriptions.items()
        if plan not in plans
    ]


@lru_cache(maxsize=4096)
def grants(granted: tuple[str, ...], scope: str) -> bool:
    """Whether a scope is covered by grants, of which any part may be ``*``."""
    parts = scope.split(".")
    return any(_covers(grant.split("."), parts) for grant in granted)


def _covers(grant: list[str], scope: list[str]) -> bool:
    return len(grant) == len(scope) and all(
        granted in ("*", wanted) for granted, wanted in zip(grant, scope, strict=True)
    )


def expand(consumer: Consumer, known: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes among the known ones that a consumer was granted."""
    return tuple(scope for scope in known if grants(consumer.scopes, scope))


def unsuited(plan: Plan, api: Api) -> str:
    """Why an API is not called on a plan, in half a sentence; empty when it is."""
    if plan.entities is not None and api.tier == "system":
        return "vendors' records do not say of which legal entity they are"
    allowed = plan.data_classes
    if allowed is not None and (more := [each for each in api.data_classes if each not in allowed]):
        return f"{api.slug} holds {' and '.join(more)} data"
    return ""


def row_claims(consumer: Consumer, claims: dict[str, Any]) -> dict[str, Any]:
    """A token's claims, with those that the consumer is bound to taking precedence."""
    bound = {**claims, **consumer.claims}
    if (entities := _entities(consumer.entities, claims)) is not None:
        bound["entities"] = entities
    return bound


def narrowed(claims: dict[str, Any], entities: tuple[str, ...]) -> dict[str, Any]:
    """A caller's claims, restricted to rows of these legal entities."""
    return {**claims, "entities": _entities(entities, claims)}


def _entities(granted: tuple[str, ...] | None, claims: dict[str, Any]) -> tuple[str, ...] | None:
    """The legal entities that both the consumer and its token name; None for all, empty for none."""
    claimed = names_of(claims, DIMENSIONS["entity"])
    if claimed is None:
        return granted
    return tuple(entity for entity in claimed if granted is None or entity in granted)
