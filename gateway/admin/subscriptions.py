"""The admin API of subscriptions: asked for by one person, approved by another where the plan wants that."""

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
        """The latest that fit."""
        asked = {"consumer": consumer, "api": api, "state": state}
        fitting = [subscriptions.c[name] == value for name, value in asked.items() if value is not None]
        latest = select(*_COLUMNS).where(*fitting).order_by(subscriptions.c.requested_at.desc()).limit(_MANY)
        async with self._store().connect() as connection:
            rows = await connection.execute(latest)
            return ApiSubscriptions(tuple([await _shown(connection, ApiSubscription(*row)) for row in rows]))

    async def request_subscription(self, body: SubscriptionWanted) -> ApiSubscription:
        """The subscription: active at once where the plan says so, else waiting for another person."""
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
            waiting = [subscriptions.c[name] == row[name] for name in ("consumer", "api", "state")]
            if await connection.scalar(select(subscriptions.c.id).where(*waiting)):
                raise Conflict(f"{body.consumer} has asked for {body.api} already, and nobody has decided")
            await connection.execute(insert(subscriptions).values(**row))
            if plan.approval == "automatic":
                await _activate(connection, row["id"], body.consumer, body.api, "the plan", body.reason)
            return await _shown(connection, await _get(connection, row["id"]))

    async def decide_subscription(self, subscription_id: str, body: SubscriptionDecision) -> ApiSubscription:
        """The subscription as decided; whoever asked for it may not decide."""
        action = f"subscription.{body.outcome}"
        async with writing(self._store(), action, subscription_id, body.reason) as connection:
            found, by = await _get(connection, subscription_id), await privacy.actor(connection)
            if found.state != "requested":
                raise AlreadyDecided(f"The subscription is {found.state}")
            if found.requested_by in (by, context.current().who):
                raise SegregationOfDuties("Whoever asked for a subscription may not decide about it")
            if body.outcome == "approved":
                await _activate(connection, found.id, found.consumer, found.api, by, body.reason)
            else:
                await _set(connection, found.id, "rejected", by, body.reason)
            return await _shown(connection, await _get(connection, subscription_id))

    async def cancel_subscription(self, subscription_id: str, body: Cancellation) -> ApiSubscription:
        """The subscription as cancelled."""
        async with writing(self._store(), "subscription.cancel", subscription_id, body.reason) as connection:
            found = await _get(connection, subscription_id)
            if found.state not in ("requested", "active"):
                raise AlreadyDecided(f"The subscription is {found.state}")
            by = await privacy.actor(connection)
            await _set(connection, found.id, "cancelled", by, body.reason)
            return await _shown(connection, await _get(connection, subscription_id))

    async def _plan(self, body: SubscriptionWanted) -> Plan:
        """The plan that is wanted; raises Invalid with everything that there is not, or that does not fit."""
        await self._directory.refresh()
        plans = self._runtime.settings.plans
        there = {
            "consumer": self._directory.consumers(self._runtime.bundle.consumers),
            "api": self._inventory.apis,
            "plan": plans,
        }
        faults = [
            Fault(f"/{name}", f"there is no {name} named {getattr(body, name)}", "unknown", field=name)
            for name, known in there.items()
            if getattr(body, name) not in known
        ]
        if faults:
            raise Invalid("The subscription names what there is not", errors=faults)
        plan = plans[body.plan]
        if reason := unsuited(plan, self._inventory.apis[body.api]):
            raise Invalid(errors=[Fault("/plan", f"does not cover this: {reason}", "unsuited", field="plan")])
        return plan


async def _get(connection: AsyncConnection, id: str) -> ApiSubscription:  # noqa: A002
    """The subscription as it is kept, held until the transaction ends; raises NotFound."""
    asked = select(*_COLUMNS).where(subscriptions.c.id == id).with_for_update()
    row = (await connection.execute(asked)).one_or_none()
    if row is None:
        raise NotFound(f"There is no subscription {id}")
    return ApiSubscription(*row)


async def _shown(connection: AsyncConnection, kept: ApiSubscription) -> ApiSubscription:
    """The subscription with its persons as the caller may see them."""
    return msgspec.structs.replace(
        kept,
        requested_by=await privacy.shown(connection, kept.requested_by),
        decided_by=await privacy.shown(connection, kept.decided_by),
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
    """Put one in force in the place of the one before."""
    before = select(subscriptions.c.id).where(
        subscriptions.c.consumer == consumer, subscriptions.c.api == api, subscriptions.c.state == "active"
    )
    for replaced in (await connection.scalars(before)).all():
        await _set(connection, replaced, "cancelled", by, f"replaced by {id}")
    await _set(connection, id, "active", by, reason)
