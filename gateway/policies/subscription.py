"""Subscription: on which plan a consumer calls an API, if on any, and whether it is suspended."""

from collections.abc import Mapping

from contracts.problems import ConsumerSuspended, Forbidden, NotSubscribed
from gateway.exchange import Asked, Exchange, Reply, Route, Rule, Step
from gateway.plans import Consumer, Plan, unknown_plans
from gateway.plans.roster import Roster
from kit.settings import SettingsError


class _Terms:
    """What was found for one consumer and API, and in which generation of the roster."""

    __slots__ = ("generation", "plan", "refusal")

    def __init__(self, generation: int, plan: Plan | None, refusal: Forbidden | None) -> None:
        self.generation = generation
        self.plan = plan
        self.refusal = refusal


class Subscription:
    """Needs no settings: the plans are data, and who subscribed to which is declared or approved.

    Raises ConsumerSuspended and NotSubscribed. Without any plans the policy is absent.
    """

    def __init__(
        self, plans: Mapping[str, Plan] | None, consumers: Mapping[str, Consumer], roster: Roster
    ) -> None:
        self._plans = plans
        self._registry = roster
        self._known: dict[str, dict[str, _Terms]] = {}
        if plans is not None and (faults := unknown_plans(consumers, plans)):
            raise SettingsError(faults)

    def around(self, route: Route | None, onward: Step) -> Step:
        if self._plans is None or route is None or route.api is None:
            return onward
        api, plans, roster = route.api.slug, self._plans, self._registry
        known = self._known.setdefault(api, {})

        async def subscription(exchange: Exchange) -> Reply:
            caller = exchange.caller
            name = caller.consumer if caller else ""
            terms = known.get(name)
            if terms is None or terms.generation != roster.generation:
                terms = known[name] = _find(plans, roster, name, exchange.consumer, api)
            if terms.refusal is not None:
                raise type(terms.refusal)(terms.refusal.detail, extra=terms.refusal.extra)
            exchange.plan = terms.plan
            return await onward(exchange)

        return subscription

    def explain(self, asked: Asked) -> list[Rule]:
        api = asked.route.api
        if self._plans is None or asked.consumer is None or api is None:
            return []
        plan = self._registry.plan_for(asked.name, asked.consumer, api.slug)
        if plan is None:
            says = f"no subscription to {api.slug}"
        elif plan == asked.consumer.plan_for(api.slug):
            says = f"subscribed to {api.slug} on the plan {plan}"
        else:
            says = f"subscribed to {api.slug} on the plan {plan}, as it was approved"
        return [Rule(says, f"consumers.{asked.name}.subscriptions", "consumers.toml")]


def _find(
    plans: Mapping[str, Plan], roster: Roster, name: str, consumer: Consumer | None, api: str
) -> _Terms:
    reason = roster.suspended(name)
    plan = roster.plan_for(name, consumer, api)
    refusal: Forbidden | None = None
    if reason is not None:
        refusal = ConsumerSuspended(f"{name} is suspended: {reason}")
    elif plan is None:
        refusal = NotSubscribed(
            f"{name} has no subscription to {api}. Ask for one: "
            f"enfilade subscriptions request --consumer {name} --api {api} --plan PLAN",
            extra={"api": api, "plans": sorted(plans)},
        )
    elif plan not in plans:
        refusal = NotSubscribed(f"The plan {plan!r} of the subscription to {api} is no longer offered")
    elif consumer is not None and (more := _granted_more(consumer, plans[plan])):
        refusal = NotSubscribed(f"The plan {plan!r} is not for {name}: {more}")
    return _Terms(roster.generation, plans.get(plan or ""), refusal)


def _granted_more(consumer: Consumer, plan: Plan) -> str:
    """What a consumer was granted beyond the bounds of a plan, in a sentence; empty when nothing was."""
    if plan.credentials is not None and not set(consumer.credentials) <= set(plan.credentials):
        return f"it takes credentials of the kind {' or '.join(plan.credentials)} only"
    if plan.entities is not None and not set(consumer.entities or ["*"]) <= set(plan.entities):
        return f"it is for the legal entities {', '.join(plan.entities)} only"
    return ""
