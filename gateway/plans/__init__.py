"""Plans: which consumers there are, what each was granted, and how often each may come. All of it is data."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contracts.operation import Api, DataClass
from gateway.plans.oauth_client import OAuthClient
from gateway.plans.reading import decode, read

__all__ = [
    "Consumer",
    "Consumers",
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
Lane = Literal["critical", "standard", "background"]
BY_DEFAULT: Mapping[str, str] = MappingProxyType({"*": "standard"})
"""The subscriptions of a consumer whose file names none."""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many requests per window of seconds; `name` is what the RateLimit fields call it."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9\-]*$")]
    requests: Annotated[int, Meta(ge=1)]
    seconds: Annotated[int, Meta(ge=1)]


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The terms on which a consumer calls an API: each subscriber has them for itself, and for each API.

    `limits` hold all at once; `concurrency` bounds the calls under way, `monthly_quota` those of a month of
    the calendar (UTC). `lane` says who is shed first when a process is overloaded. `approval` says whether a
    subscription begins at once or waits for another person. Who may come with another kind of credential
    than `credentials` is refused. `data_classes` are what may be seen, absent all: an API whose answers hold
    more is not called on the plan. `entities` are the legal entities whose rows a subscriber sees, of those
    that it may see otherwise.
    """

    limits: Annotated[tuple[Limit, ...], Meta(min_length=1)]
    title: str = ""
    concurrency: Annotated[int, Meta(ge=1)] | None = None
    monthly_quota: Annotated[int, Meta(ge=1)] | None = None
    lane: Lane = "standard"
    approval: Literal["automatic", "manual"] = "manual"
    credentials: Annotated[tuple[Credential, ...], Meta(min_length=1)] | None = None
    data_classes: Annotated[tuple[DataClass, ...], Meta(min_length=1)] | None = None
    entities: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None

    def __post_init__(self) -> None:
        names = [limit.name for limit in self.limits]
        if len(set(names)) < len(names) or {"month", "concurrency"} & set(names):
            raise ValueError("limits need names of their own, and neither month nor concurrency")


class Consumer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who calls.

    `outside` consumers reach experience APIs only. `scopes` are grants like ``process.*.read``: a token's
    scopes count only as far as they were granted. `roles` likewise. `claims` go into the tokens of the
    embedded issuer (``instance``, ``customer``) and restrict rows. `client` says how it gets those tokens.
    `credentials` are the kinds that it may come with: without *bearer* and *api_key*, only such as are of no
    use to a thief. `entities` are the legal entities whose rows it may see, absent all; a token's claim of
    that name narrows them and never widens. `subscriptions` say on which plan which APIs are called: an
    API's name, ``process/*`` or ``*``, of which the most exact holds.
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


class Consumers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every consumer by its name, which is its OAuth client id."""

    consumers: dict[Name, Consumer]


def read_consumers(path: Path) -> dict[str, Consumer]:
    """The consumers of a file; raises SettingsError with every fault."""
    return read(path, Consumers).consumers


def unknown_plans(consumers: Mapping[str, Consumer], plans: Mapping[str, Plan]) -> list[str]:
    """A sentence for every declared subscription to a plan that there is not.

    Without any plans nobody subscribes, and what a consumer has by default names none.
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
        mine in ("*", theirs) for mine, theirs in zip(grant, scope, strict=True)
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
    found = {**claims, **consumer.claims}
    if (entities := _entities(consumer.entities, claims.get("entities"))) is not None:
        found["entities"] = entities
    return found


def narrowed(claims: dict[str, Any], entities: tuple[str, ...]) -> dict[str, Any]:
    """A caller's claims where he sees no rows but those of these legal entities."""
    return {**claims, "entities": _entities(entities, claims.get("entities"))}


def _entities(granted: tuple[str, ...] | None, claimed: Any) -> tuple[str, ...] | None:
    """The legal entities that both the consumer and its token name; None for all, empty for none."""
    if claimed is None:
        return granted
    if isinstance(claimed, str):
        claimed = (claimed,)
    if not isinstance(claimed, list | tuple):
        return ()
    return tuple(entity for entity in claimed if granted is None or entity in granted)
