"""Rate limit: how often a consumer may come, shared by all workers, told in the RateLimit fields."""

import time
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import TooManyRequests
from gateway.exchange import Asked, Exchange, Reply, Route, Rule, Step
from gateway.plans import Consumer, Limit, Plan
from gateway.policies.rate_limit.leases import Counters, Lease, LocalCounters, SharedCounters
from kit.cache import Cache
from kit.settings import SettingsError

_EXACT_BELOW = 20  # requests per window: so small a limit is counted one by one


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plans by name, and the largest batch that a worker takes of a limit at once.

    When the cache is away each worker gives its share of the limit, and that is counted.
    """

    plans: dict[str, Plan]
    batch: Annotated[int, Meta(ge=1, le=256)] = 64


class RateLimit:
    """Spends one request of every limit of the consumer's plan, or none of them."""

    def __init__(
        self, settings: Settings | None, consumers: Mapping[str, Consumer], cache: Cache | None, workers: int
    ) -> None:
        self.settings = settings
        self.consumers = consumers
        self._workers = workers
        self.counters: Counters = SharedCounters(cache, workers) if cache else LocalCounters(workers)
        self.leases: dict[str, tuple[bytes, tuple[Lease, ...]]] = {}
        if settings is not None:
            _check_plans(settings, consumers)

    def inherit(self, old: "RateLimit") -> None:
        """Go on with what was counted; a limit that is another now is counted anew."""
        self.counters = old.counters
        if self.settings is None or old.settings is None or old.settings.batch != self.settings.batch:
            return
        for name, consumer in self.consumers.items():
            before = old.consumers.get(name)
            if before is None or name not in old.leases:
                continue
            if old.settings.plans[before.plan] == self.settings.plans[consumer.plan]:
                self.leases[name] = old.leases[name]

    def around(self, route: Route | None, onward: Step) -> Step:
        if self.settings is None or route is None or route.operation is None:
            return onward
        known = self.leases

        async def rate_limit(exchange: Exchange) -> Reply:
            caller = exchange.caller
            name = caller.consumer if caller else ""
            policy, leases = known.get(name) or self._open(name, exchange.consumer)
            now = time.monotonic()
            for lease in leases:
                if not lease.ready(now) and not await lease.refill():
                    _refuse(exchange, policy, leases, lease)
            for lease in leases:
                lease.left -= 1
            fields = ", ".join([lease.field(now) for lease in leases])
            exchange.notes += ((b"ratelimit-policy", policy), (b"ratelimit", fields.encode()))
            return await onward(exchange)

        return rate_limit

    def explain(self, asked: Asked) -> list[Rule]:
        if self.settings is None or asked.consumer is None or asked.route.operation is None:
            return []
        plan = asked.consumer.plan
        place = f"rate_limit.plans.{plan}.limits"
        return [
            Rule(f"plan {plan}: {limit.requests} requests per {limit.seconds} s", f"{place}[{index}]")
            for index, limit in enumerate(self.settings.plans[plan].limits)
        ]

    def _open(self, name: str, consumer: Consumer | None) -> tuple[bytes, tuple[Lease, ...]]:
        plans = self.settings.plans if self.settings else {}
        limits = plans[consumer.plan].limits if consumer else ()
        policy = ", ".join(f'"{limit.name}";q={limit.requests};w={limit.seconds}' for limit in limits)
        leases = tuple(Lease(self.counters, limit, name, self._batch(limit)) for limit in limits)
        self.leases[name] = (policy.encode(), leases)
        return self.leases[name]

    def _batch(self, limit: Limit) -> int:
        """A quarter of a worker's share up to sixteen, or a twenty-fifth of it where that is more."""
        if self.settings is None or limit.requests < _EXACT_BELOW:
            return 1
        share = limit.requests // self._workers
        return max(1, min(self.settings.batch, max(min(16, share // 4), share // 25)))


def _refuse(exchange: Exchange, policy: bytes, leases: tuple[Lease, ...], reached: Lease) -> None:
    now = time.monotonic()
    fields = ", ".join(
        f'"{lease.limit.name}";r=0;t={lease.wait(now)}' if lease is reached else lease.field(now)
        for lease in leases
    )
    exchange.notes += ((b"ratelimit-policy", policy), (b"ratelimit", fields.encode()))
    limit = reached.limit
    raise TooManyRequests(
        f"{limit.requests} requests per {limit.seconds} seconds are the limit {limit.name!r}",
        retry_after=reached.wait(now),
        extra={"violated-policies": [limit.name]},
    )


def _check_plans(settings: Settings, consumers: Mapping[str, Consumer]) -> None:
    faults = [
        f"consumers.{name}.plan: there is no plan {consumer.plan!r} in the gateway's settings"
        for name, consumer in consumers.items()
        if consumer.plan not in settings.plans
    ]
    if faults:
        raise SettingsError(faults)
