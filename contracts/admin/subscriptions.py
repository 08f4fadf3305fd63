"""The subscriptions: on which plan a consumer calls an API, asked for and approved."""

import datetime as dt
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from contracts.admin.consumers import ApiName, ConsumerName, Reason
from contracts.canonical.values import Id
from contracts.operation import Link, api, operation
from contracts.problems import (
    AlreadyDecided,
    Conflict,
    Invalid,
    NotFound,
    SegregationOfDuties,
    Unavailable,
)

State = Literal["requested", "active", "rejected", "cancelled"]


class SubscriptionWanted(msgspec.Struct, frozen=True):
    """Which consumer would call which API on which plan, and why."""

    consumer: ConsumerName
    api: ApiName
    plan: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_\-]+$", max_length=60)]
    reason: Reason


class SubscriptionDecision(msgspec.Struct, frozen=True):
    """What another person than the requester decides."""

    outcome: Literal["approved", "rejected"]
    reason: Reason


class Cancellation(msgspec.Struct, frozen=True):
    """Why a subscription ends."""

    reason: Reason


class ApiSubscription(msgspec.Struct, frozen=True, omit_defaults=True):
    """A consumer's subscription to an API; `reason` is that of the latest step."""

    id: str
    consumer: str
    api: str
    plan: str
    state: State
    reason: str
    requested_by: str
    requested_at: dt.datetime
    decided_by: str = ""
    decided_at: dt.datetime | None = None


class ApiSubscriptions(msgspec.Struct, frozen=True):
    """Some subscriptions, the latest request first."""

    items: tuple[ApiSubscription, ...]


@api(
    "gateway",
    "subscriptions",
    version=1,
    summary="Who calls which API on which plan",
    data_classes=("commercial", "personal"),
)
class Subscriptions(Protocol):
    """Requested subscriptions; those that the consumers' file declares are shown with the consumer."""

    @operation("GET", "/subscriptions", summary="List subscriptions", problems=(Unavailable,))
    async def list_subscriptions(
        self,
        consumer: ConsumerName | None = None,
        api: ApiName | None = None,
        state: State | None = None,
    ) -> ApiSubscriptions:
        """The latest 500 that fit."""
        ...

    @operation(
        "POST",
        "/subscriptions",
        summary="Ask for a subscription",
        status=201,
        problems=(Conflict, Invalid, Unavailable),
        links=(Link("decide_subscription", "subscription_id", "id"),),
    )
    async def request_subscription(self, body: SubscriptionWanted) -> ApiSubscription:
        """The subscription: active at once where the plan says so, else waiting for another person.

        Raises Invalid for an unknown consumer, API or plan, Conflict while a request is undecided.
        """
        ...

    @operation(
        "POST",
        "/subscriptions/{subscription_id}/decision",
        summary="Approve or reject a subscription that somebody else asked for",
        access="approve",
        problems=(NotFound, AlreadyDecided, SegregationOfDuties, Unavailable),
    )
    async def decide_subscription(self, subscription_id: Id, body: SubscriptionDecision) -> ApiSubscription:
        """The subscription as decided; the one it replaces, if any, ends with it."""
        ...

    @operation(
        "POST",
        "/subscriptions/{subscription_id}/cancellation",
        summary="End a subscription, or take a request back",
        problems=(NotFound, AlreadyDecided, Unavailable),
    )
    async def cancel_subscription(self, subscription_id: Id, body: Cancellation) -> ApiSubscription:
        """The subscription as cancelled."""
        ...
