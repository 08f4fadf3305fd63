"""The admin API of subscriptions: requested by one person, approved by another where the plan requires it."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.admin.subscriptions import (
    ApiSubscription,
    ApiSubscriptions,
    Cancellation,
    SubscriptionDecision,
    SubscriptionWanted,
)
from contracts.problems import AlreadyDecided, Conflict, Fault, Invalid, NotFound, SegregationOfDuties
from gateway.admin.writing import writing
from gateway.inventory import ApiInventory
from gateway.plans import Plan, unsuited
from gateway.plans.consumer_directory import ConsumerDirectory
from gateway.policy_runtime import PolicyRuntime
from gateway.tables import subscriptions
from kit import clock, context, privacy
from kit.database import Database

_MANY = 500
_COLUMNS = [subscriptions.c[name] for name in ApiSubscription.__struct_fields__]


class SubscriptionsService:
    """A consumer has at most one request and one active subscription per API."""

    def __init__(
        self,
        runtime: PolicyRuntime,
        directory: ConsumerDirectory,
        inventory: ApiInventory,
        store: Callable[[], Database],
    ) -> None:
        self._runtime = runtime
        self._directory = directory
        self._inventory = inventory
        self._store = store

    async def list_subscriptions(
        self, consumer: str | None = None, api: str | None = None, state: str | None = None
    ) -> ApiSubscriptions:
        """The latest that match."""
        filters = {"consumer": consumer, "api": api, "state": state}
        matching = [subscriptions.c[name] == value for name, value in filters.items() if value is not None]
        latest = select(*_COLUMNS).where(*matching).order_by(subscriptions.c.requested_at.desc()).limit(_MANY)
        async with self._store().connect() as connection:
            rows = await connection.execute(latest)
            return ApiSubscriptions(tuple([await _shown(connection, ApiSubscription(*row)) for row in rows]))

    async def request_subscription(self, body: SubscriptionWanted) -> ApiSubscription:
        """The subscription: active at once where the plan approves automatically, else requested."""
        plan = await self._plan(body)
        row: dict[str, Any] = {
            "id": context.new_id("sub"),
            "consumer": body.consumer,
            "api": body.api,
            "plan": body.plan,
            "state": "requested",
            "reason": body.reason,
            "requested_at": clock.now(),
        }
        async with writing(self._store(), "subscription.request", row["id"], body.reason) as connection:
            row["requested_by"] = await privacy.actor(connection)
            pending = [subscriptions.c[name] == row[name] for name in ("consumer", "api", "state")]
            if await connection.scalar(select(subscriptions.c.id).where(*pending)):
                raise Conflict(
                    f"{body.consumer} has requested {body.api} already; the request is not decided yet"
                )
            await connection.execute(insert(subscriptions).values(**row))
            if plan.approval == "automatic":
                await _activate(connection, row["id"], body.consumer, body.api, "the plan", body.reason)
            return await _shown(connection, await _get(connection, row["id"]))

    async def decide_subscription(self, subscription_id: str, body: SubscriptionDecision) -> ApiSubscription:
        """The subscription as decided; raises SegregationOfDuties for the person who requested it."""
        action = f"subscription.{body.outcome}"
        async with writing(self._store(), action, subscription_id, body.reason) as connection:
            subscription, by = await _get(connection, subscription_id), await privacy.actor(connection)
            if subscription.state != "requested":
                raise AlreadyDecided(f"The subscription is {subscription.state}")
            if subscription.requested_by in (by, context.current().who):
                raise SegregationOfDuties("The person who requested a subscription may not decide about it")
            if body.outcome == "approved":
                await _activate(
                    connection, subscription.id, subscription.consumer, subscription.api, by, body.reason
                )
            else:
                await _set(connection, subscription.id, "rejected", by, body.reason)
            return await _shown(connection, await _get(connection, subscription_id))

    async def cancel_subscription(self, subscription_id: str, body: Cancellation) -> ApiSubscription:
        """The subscription as cancelled."""
        async with writing(self._store(), "subscription.cancel", subscription_id, body.reason) as connection:
            subscription = await _get(connection, subscription_id)
            if subscription.state not in ("requested", "active"):
                raise AlreadyDecided(f"The subscription is {subscription.state}")
            by = await privacy.actor(connection)
            await _set(connection, subscription.id, "cancelled", by, body.reason)
            return await _shown(connection, await _get(connection, subscription_id))

    async def _plan(self, body: SubscriptionWanted) -> Plan:
        """The requested plan; raises Invalid with every unknown name, or for a plan that excludes the API."""
        await self._directory.refresh()
        plans = self._runtime.settings.plans
        known_names = {
            "consumer": self._directory.consumers(self._runtime.bundle.consumers),
            "api": self._inventory.apis,
            "plan": plans,
        }
        faults = [
            Fault(f"/{name}", f"there is no {name} named {getattr(body, name)}", "unknown", field=name)
            for name, names in known_names.items()
            if getattr(body, name) not in names
        ]
        if faults:
            raise Invalid("The subscription names something that does not exist", errors=faults)
        plan = plans[body.plan]
        api = self._inventory.apis[body.api]
        if reason := unsuited(plan, api):
            suited = sorted(name for name, other in plans.items() if not unsuited(other, api))
            others = f"plans that do: {', '.join(suited)}" if suited else "no plan does"
            detail = f"does not cover this: {reason}; {others}"
            raise Invalid(errors=[Fault("/plan", detail, "unsuited", field="plan")])
        return plan


async def _get(connection: AsyncConnection, id: str) -> ApiSubscription:  # noqa: A002
    """The stored subscription, locked until the transaction ends; raises NotFound."""
    locked = select(*_COLUMNS).where(subscriptions.c.id == id).with_for_update()
    row = (await connection.execute(locked)).one_or_none()
    if row is None:
        raise NotFound(f"There is no subscription {id}")
    return ApiSubscription(*row)


async def _shown(connection: AsyncConnection, subscription: ApiSubscription) -> ApiSubscription:
    """The subscription with the names of persons that the caller may see."""
    return msgspec.structs.replace(
        subscription,
        requested_by=await privacy.shown(connection, subscription.requested_by),
        decided_by=await privacy.shown(connection, subscription.decided_by),
    )


async def _set(connection: AsyncConnection, id: str, state: str, by: str, reason: str) -> None:  # noqa: A002
    decided = {"state": state, "reason": reason, "decided_by": by, "decided_at": clock.now()}
    await connection.execute(update(subscriptions).where(subscriptions.c.id == id).values(**decided))


async def _activate(
    connection: AsyncConnection,
    id: str,  # noqa: A002
    consumer: str,
    api: str,
    by: str,
    reason: str,
) -> None:
    """Activate a subscription and cancel the one that it replaces."""
    before = select(subscriptions.c.id).where(
        subscriptions.c.consumer == consumer, subscriptions.c.api == api, subscriptions.c.state == "active"
    )
    for replaced in (await connection.scalars(before)).all():
        await _set(connection, replaced, "cancelled", by, f"replaced by {id}")
    await _set(connection, id, "active", by, reason)
