"""Rate limit: how often a consumer may call an API, shared by all workers, announced in RateLimit fields.

Bursts and sustained rates, concurrent calls and the monthly quota: see docs/reference/limits.md.
"""

import time
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import QuotaExceeded, TooManyRequests
from gateway.exchange import Asked, Exchange, Reply, Route, Rule, Step
from gateway.plans import Plan
from gateway.plans.consumer_directory import ConsumerDirectory
from gateway.policies.rate_limit.allowances import Allowance, Allowances
from gateway.policies.rate_limit.leases import Lease
from gateway.policies.rate_limit.quota import Quota
from gateway.policies.rate_limit.slots import Slots

__all__ = ["Allowances", "RateLimit", "RateLimitSettings"]


class RateLimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The largest batch that a worker takes of a limit at once; the limits are those of the plans.

    When the cache is unavailable each worker serves its share of rates and slots, when the database is
    unavailable its share of what was left of the quota; metrics count both.
    """

    batch: Annotated[int, Meta(ge=1, le=256)] = 64


class RateLimit:
    """Spends one call of every limit of the consumer's plan, or none; counts the calls of each consumer."""

    def __init__(
        self,
        settings: RateLimitSettings,
        plans: Mapping[str, Plan],
        directory: ConsumerDirectory,
        allowances: Allowances,
    ) -> None:
        self._settings = settings
        self._plans = plans
        self._registry = directory
        self._allowances = allowances
        self._known: dict[str, dict[str, Allowance]] = {}

    def wrap(self, route: Route | None, call_next: Step) -> Step:
        if route is None or route.api is None:
            return call_next
        api, batch, allowances = route.api.slug, self._settings.batch, self._allowances
        known = self._known.setdefault(api, {})

        async def rate_limit(exchange: Exchange) -> Reply:
            plan = exchange.plan
            name = exchange.caller.consumer if exchange.caller else ""
            if plan is None:
                allowances.usage.tally(name, api).calls += 1
                return await call_next(exchange)
            allowance = known.get(name)
            if allowance is None or allowance.plan is not plan:
                allowance = known[name] = allowances.open(name, api, plan, batch)
            now = time.monotonic()
            while not allowance.spend(now):
                reached = await allowance.refill(now)
                now = time.monotonic()
                if reached is not None:
                    _refuse(exchange, allowance, reached, now)
            _set_headers(exchange, allowance, now)
            slots = allowance.slots
            if slots is None:
                return await call_next(exchange)
            try:
                reply = await call_next(exchange)
            except BaseException:
                slots.leave()
                raise
            if reply.stream is None:
                slots.leave()
            else:
                reply.stream.at_end(slots.leave)
            return reply

        return rate_limit

    def explain(self, asked: Asked) -> list[Rule]:
        api = asked.route.api
        name = self._registry.plan_for(asked.name, asked.consumer, api.slug) if api is not None else None
        plan = self._plans.get(name or "")
        return _rules(f"plans.{name}", plan) if plan is not None else []


def _rules(place: str, plan: Plan) -> list[Rule]:
    rules = [
        Rule(f"{limit.requests} requests per {limit.seconds} s", f"{place}.limits[{index}]")
        for index, limit in enumerate(plan.limits)
    ]
    if plan.concurrency is not None:
        rules.append(Rule(f"{plan.concurrency} calls at once", f"{place}.concurrency"))
    if plan.monthly_quota is not None:
        rules.append(Rule(f"{plan.monthly_quota} calls a month", f"{place}.monthly_quota"))
    return rules


def _set_headers(exchange: Exchange, allowance: Allowance, now: float) -> None:
    exchange.notes += ((b"ratelimit-policy", allowance.policy), (b"ratelimit", allowance.fields(now)))


def _refuse(exchange: Exchange, allowance: Allowance, reached: Lease | Quota | Slots, now: float) -> None:
    if isinstance(reached, Slots):
        _set_headers(exchange, allowance, now)
        raise TooManyRequests(
            f"{reached.limit} calls at once are the limit",
            retry_after=1,
            extra={"violated-policies": ["concurrency"]},
        )
    fields = allowance.fields(now, reached)
    exchange.notes += ((b"ratelimit-policy", allowance.policy), (b"ratelimit", fields))
    if isinstance(reached, Quota):
        raise QuotaExceeded(
            f"{reached.quota} calls are the month's quota",
            retry_after=reached.wait(now),
            extra={"violated-policies": ["month"]},
        )
    limit = reached.limit
    raise TooManyRequests(
        f"{limit.requests} requests per {limit.seconds} seconds are the limit {limit.name!r}",
        retry_after=reached.wait(now),
        extra={"violated-policies": [limit.name]},
    )
