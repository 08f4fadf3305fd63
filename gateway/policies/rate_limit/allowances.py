"""Allowances: the remaining calls of every consumer and API in this worker; survive a policy change."""

import asyncio
import uuid
from collections.abc import Mapping

from contracts.problems import Problem
from gateway.plans import Limit, Plan
from gateway.plans.background import repeat
from gateway.plans.usage import Tally, Usage
from gateway.policies.rate_limit.leases import Lease, LimitCounter, LocalCounters, SharedCounters, batch_of
from gateway.policies.rate_limit.quota import Quota, QuotaBook
from gateway.policies.rate_limit.slots import ConsumerSlots, SlotStore
from gateway.policies.rate_limit.window import LocalWindows, SharedWindows
from kit.background import stop_background
from kit.cache import Cache
from kit.database import Database
from kit.telemetry import log

RENEW_SECONDS = 1.0
_log = log(__name__)


class PlanAllowance:
    """One consumer's limits of one API, on the plan that it subscribed to."""

    __slots__ = ("metered", "plan", "policy", "slots", "tally")

    def __init__(
        self, plan: Plan, metered: tuple[Lease | Quota, ...], slots: ConsumerSlots | None, tally: Tally
    ) -> None:
        self.plan = plan
        self.metered = metered
        self.slots = slots
        self.tally = tally
        self.restate()

    def restate(self) -> None:
        """Rebuild the RateLimit-Policy field: a new month may have another length."""
        limits = (*self.metered, self.slots) if self.slots is not None else self.metered
        self.policy = _joined([limit.policy for limit in limits])

    def spend(self, now: float) -> bool:
        """Spend one call of every limit if all have one locally, else none; False without any."""
        if self._lacking(now) is not None:
            return False
        for each in self.metered:
            each.left -= 1
        if self.slots is not None:
            self.slots.enter()
        self.tally.calls += 1
        return True

    async def refill(self, now: float) -> Lease | Quota | ConsumerSlots | None:
        """Refill the first limit with no calls left locally; that limit when it is reached, else None."""
        lacking = self._lacking(now)
        if lacking is None:
            return None
        refilled = await lacking.refill()
        if isinstance(lacking, Quota):
            self.restate()
        return None if refilled else lacking

    def _lacking(self, now: float) -> Lease | Quota | ConsumerSlots | None:
        for each in self.metered:
            if not each.ready(now):
                return each
        slots = self.slots
        return slots if slots is not None and not slots.ready(now) else None

    def fields(self, now: float, reached: Lease | Quota | None = None) -> bytes:
        """The RateLimit field; `reached` is the limit that refuses, if one does."""
        items = [each.refused(now) if each is reached else each.field(now) for each in self.metered]
        if self.slots is not None:
            items.append(self.slots.field())
        return _joined(items)


def _joined(items: list[str]) -> bytes:
    return ", ".join(items).encode()


class Allowances:
    """`workers` are all processes that share the limits, those of other replicas included."""

    def __init__(self, cache: Cache | None, database: Database | None, workers: int) -> None:
        self.usage = Usage(database)
        self._workers = workers
        self._counters = _counters(cache, workers)
        self._slot_store = SlotStore(cache, uuid.uuid4().hex) if cache is not None else None
        self._book = QuotaBook(database) if database is not None else None
        self._leases: dict[tuple[str, str, Limit, int], Lease] = {}
        self._slots: dict[tuple[str, str], ConsumerSlots] = {}
        self._quotas: dict[tuple[str, str], Quota] = {}
        self._task: asyncio.Task[None] | None = None

    def open(self, consumer: str, api: str, plan: Plan, largest_batch: int) -> PlanAllowance:
        """A consumer's allowance of an API; calls that it has used stay used when its plan changes."""
        key = f"{consumer}:{api}"
        metered: list[Lease | Quota] = [
            self._lease(consumer, api, limit, largest_batch) for limit in plan.limits
        ]
        if plan.monthly_quota is not None:
            metered.append(self._quota(consumer, api, plan.monthly_quota))
        slots = self._slots_of(consumer, api, key, plan.concurrency) if plan.concurrency is not None else None
        return PlanAllowance(plan, tuple(metered), slots, self.usage.tally(consumer, api))

    def _lease(self, consumer: str, api: str, limit: Limit, largest_batch: int) -> Lease:
        place = (consumer, api, limit, largest_batch)
        if place not in self._leases:
            batch = batch_of(limit.requests, self._workers, largest_batch)
            self._leases[place] = Lease(self._counters, limit, f"{consumer}:{api}", batch)
        return self._leases[place]

    def _quota(self, consumer: str, api: str, quota: int) -> Quota:
        if (consumer, api) not in self._quotas:
            self._quotas[consumer, api] = Quota(self._book, consumer, api, quota, self._workers)
        self._quotas[consumer, api].quota = quota
        return self._quotas[consumer, api]

    def _slots_of(self, consumer: str, api: str, key: str, limit: int) -> ConsumerSlots:
        if (consumer, api) not in self._slots:
            self._slots[consumer, api] = ConsumerSlots(self._slot_store, key, limit, self._workers)
        self._slots[consumer, api].limit = limit
        return self._slots[consumer, api]

    async def start(self) -> None:
        """Start renewing slots, refreshing quotas and writing usage."""
        await self.usage.start()
        self._task = repeat("allowances not renewed", RENEW_SECONDS, self.renew)

    async def close(self) -> None:
        """Return unused slots and quota, and write usage."""
        await stop_background(self._task)
        for slots in self._slots.values():
            await slots.close()
        for quota in self._quotas.values():
            await quota.close()
        await self.usage.close()

    async def renew(self) -> None:
        """Renew the slots in use, and read what all workers took of the quotas."""
        for slots in list(self._slots.values()):
            await slots.renew()
        await self._refresh_quotas()

    async def _refresh_quotas(self) -> None:
        quotas = dict(self._quotas)
        if self._book is None or not quotas:
            return
        for quota in quotas.values():
            quota.turn()
            try:
                await quota.settle()
            except Problem:
                raise
            except Exception as error:  # noqa: BLE001 - one quota that cannot be recorded must not block the others
                fields = {"consumer": quota.consumer, "api": quota.api, "reason": type(error).__name__}
                _log.error("quota not recorded", **fields)
        taken: Mapping[tuple[str, str], int] = await self._book.taken(next(iter(quotas.values())).month)
        for place, quota in quotas.items():
            quota.report(taken.get(place, 0))


def _counters(cache: Cache | None, workers: int) -> LimitCounter:
    local = LocalCounters(LocalWindows(), workers)
    if cache is None:
        return local
    return SharedCounters(SharedWindows(cache), local, lambda error: cache.count("rate limit", error))
