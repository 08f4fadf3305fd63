"""Subscription: the plan on which a consumer calls an API, and whether the consumer is suspended."""

from collections.abc import Callable, Mapping

import msgspec

from contracts.operation import Api
from contracts.problems import ConsumerSuspended, Forbidden, NotSubscribed
from gateway.exchange import Asked, Exchange, PipelineStep, Reply, Route, Rule, try_policy
from gateway.plans import Consumer, Plan, narrowed, unknown_plans, unsuited
from gateway.plans.consumer_directory import ConsumerDirectory
from kit.context import Caller
from kit.settings import SettingsError

Judge = Callable[[str, Consumer], list[str]]
"""Why the duties refuse a consumer with these grants, a sentence each; empty when they do not."""


class _Terms:
    """The cached decision for one consumer and API, of a generation of the consumer directory."""

    __slots__ = ("entities", "generation", "plan", "refusal")

    def __init__(self, generation: int, plan: Plan | None, refusal: Forbidden | None) -> None:
        self.generation = generation
        self.plan = plan
        self.entities = plan.entities if plan is not None else None
        self.refusal = refusal


class Subscription:
    """Needs no settings: plans are data, and subscriptions are declared or approved.

    Raises ConsumerSuspended, also for a registered consumer that `judge` refuses, and NotSubscribed. Without
    any plans no subscription is needed, and all else applies.
    """

    def __init__(
        self,
        plans: Mapping[str, Plan],
        consumers: Mapping[str, Consumer],
        directory: ConsumerDirectory,
        judge: Judge,
    ) -> None:
        self._plans = plans
        self._registry = directory
        self._judge = judge
        self._known: dict[str, dict[str, _Terms]] = {}
        if faults := unknown_plans(consumers, plans):
            raise SettingsError(faults)

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        if route is None or route.api is None:
            return call_next
        api, plans, directory = route.api, self._plans, self._registry
        known, judge = self._known.setdefault(api.slug, {}), self._judge

        async def subscription(exchange: Exchange) -> Reply:
            caller = exchange.caller
            name = caller.consumer if caller else ""
            terms = known.get(name)
            if terms is None or terms.generation != directory.generation:
                terms = known[name] = _find(plans, directory, judge, name, exchange.consumer, api)
            if terms.refusal is not None:
                raise type(terms.refusal)(terms.refusal.detail, extra=terms.refusal.extra)
            exchange.plan = terms.plan
            if terms.entities is not None and caller is not None:
                exchange.caller = _within(caller, terms.entities)
            return await call_next(exchange)

        return subscription

    async def judge(self, probe: Exchange, asked: Asked | None) -> None:
        await try_policy(self, asked.route if asked else None, probe)

    def explain(self, asked: Asked) -> list[Rule]:
        api = asked.route.api
        if not self._plans or asked.consumer is None or api is None:
            return []
        plan = self._registry.plan_for(asked.name, asked.consumer, api.slug)
        section = f"consumers.{asked.name}.subscriptions"
        if plan is None:
            return [Rule(f"no subscription to {api.slug}", section, "consumers.toml")]
        if plan == asked.consumer.plan_for(api.slug):
            says = f"subscribed to {api.slug} on the plan {plan}"
        else:
            says = f"subscribed to {api.slug} on the plan {plan}, as it was approved"
        bounds = _bounds(plan, self._plans[plan]) if plan in self._plans else []
        return [Rule(says, section, "consumers.toml"), *bounds]


def _within(caller: Caller, entities: tuple[str, ...]) -> Caller:
    """The caller, restricted to rows of these legal entities."""
    return msgspec.structs.replace(caller, claims=narrowed(caller.claims, entities))


def _bounds(name: str, plan: Plan) -> list[Rule]:
    """The bounds of a plan on data, beside its limits."""
    place = f"plans.{name}"
    rules: list[Rule] = []
    if plan.data_classes is not None:
        classes = ", ".join(plan.data_classes)
        rules.append(Rule(f"for data of the classes {classes} only", f"{place}.data_classes"))
    if plan.entities is not None:
        entities = ", ".join(plan.entities)
        rules.append(Rule(f"rows of the legal entities {entities} only", f"{place}.entities"))
    return rules


def _find(
    plans: Mapping[str, Plan],
    directory: ConsumerDirectory,
    judge: Judge,
    name: str,
    consumer: Consumer | None,
    api: Api,
) -> _Terms:
    reason = directory.suspended(name)
    # Without plans only an approved subscription names one, which has ended with its plan.
    plan = directory.plan_for(name, consumer if plans else None, api.slug)
    refusal: Forbidden | None = None
    if reason is not None:
        refusal = ConsumerSuspended(f"{name} is suspended: {reason}")
    elif consumer is not None and (refusals := judge(name, consumer)):
        refusal = ConsumerSuspended(f"{name} is suspended: {refusals[0]}")
    elif plan is None and not plans:
        return _Terms(directory.generation, None, None)
    elif plan is None:
        refusal = NotSubscribed(
            f"{name} has no subscription to {api.slug}. Ask for one: "
            f"enfilade subscriptions request --consumer {name} --api {api.slug} --plan PLAN",
            extra=_offer(plans, api),
        )
    elif plan not in plans:
        refusal = NotSubscribed(f"The plan {plan!r} of the subscription to {api.slug} is no longer offered")
    elif consumer is not None and (more := _granted_more(consumer, plans[plan])):
        refusal = NotSubscribed(f"The plan {plan!r} is not for {name}: {more}")
    elif reason := unsuited(plans[plan], api):
        refusal = NotSubscribed(f"The plan {plan!r} does not cover this: {reason}", extra=_offer(plans, api))
    return _Terms(directory.generation, plans.get(plan or ""), refusal)


def _offer(plans: Mapping[str, Plan], api: Api) -> dict[str, object]:
    """What a refused consumer may request: the plans that cover the API."""
    return {"api": api.slug, "plans": sorted(name for name, plan in plans.items() if not unsuited(plan, api))}


def _granted_more(consumer: Consumer, plan: Plan) -> str:
    """What a consumer was granted beyond the bounds of a plan, in a sentence; empty when nothing was."""
    if plan.credentials is not None and not set(consumer.credentials) <= set(plan.credentials):
        return f"it takes credentials of the kind {' or '.join(plan.credentials)} only"
    return ""
