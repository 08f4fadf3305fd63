"""Load shedding: which calls an overloaded process refuses first.

The gateway's own APIs, its health and its other open addresses are never shed.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import Overloaded
from gateway.exchange import Asked, Exchange, PipelineStep, Reply, Route, Rule
from gateway.plans import SheddingLane
from kit.telemetry import log, meter

_TICK_SECONDS = 0.05
_FADE = 0.8  # what is left of a lag one tick later, where the new one is less
_log = log(__name__)
_shed = meter(__name__).create_counter(
    "enfilade.gateway.shed", description="Calls refused for the sake of others, by lane"
)


class LoadSheddingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The capacity of a process, and the share of it at which each lane is shed.

    Load is the greater of two shares: calls under way of `max_in_flight`, and the event loop's lag of
    `max_lag_seconds`. A shed lane is admitted again when the load has fallen to `resume` of its share. A shed
    caller may retry after `retry_seconds` to twice that.
    """

    max_in_flight: Annotated[int, Meta(ge=1)] = 500
    max_lag_seconds: Annotated[float, Meta(gt=0)] = 1.0
    background: Annotated[float, Meta(gt=0, le=1)] = 0.4
    standard: Annotated[float, Meta(gt=0, le=1)] = 0.7
    critical: Annotated[float, Meta(gt=0, le=1)] = 1.0
    resume: Annotated[float, Meta(gt=0, lt=1)] = 0.7
    retry_seconds: Annotated[float, Meta(gt=0)] = 1.0

    def __post_init__(self) -> None:
        if not self.background < self.standard < self.critical:
            raise ValueError("background is shed before standard, and standard before critical")


class Load:
    """The load of this process, and the lanes that it sheds."""

    def __init__(self, settings: LoadSheddingSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.in_flight = 0
        self._clock = clock
        self._lag = 0.0
        self._due: float | None = None
        self._shedding: set[SheddingLane] = set()
        self.judge_by(settings)

    def judge_by(self, settings: LoadSheddingSettings) -> None:
        """Use other settings from now on."""
        self._settings = settings
        self._bounds: dict[SheddingLane, float] = {
            "background": settings.background,
            "standard": settings.standard,
            "critical": settings.critical,
        }

    def share(self) -> float:
        """The load as a share of the capacity of the process.

        An overdue tick counts at once, even within one turn of the loop, so that a burst which arrives
        together is not admitted as a whole.
        """
        overdue = self._clock() - self._due if self._due is not None else 0.0
        lag = max(self._lag, overdue)
        return max(self.in_flight / self._settings.max_in_flight, lag / self._settings.max_lag_seconds)

    def takes(self, lane: SheddingLane) -> bool:
        """Whether a call of a lane is admitted."""
        share, bound = self.share(), self._bounds[lane]
        if lane in self._shedding:
            if share >= bound * self._settings.resume:
                return False
            self._shedding.discard(lane)
            _log.info("lane admitted again", lane=lane)
        elif share >= bound:
            self._shedding.add(lane)
            _log.warning("lane shed", lane=lane, in_flight=self.in_flight, lag_seconds=round(self._lag, 3))
            return False
        return True

    def watch(self) -> None:
        """Start measuring the loop's lag, for as long as there are calls."""
        if self._due is None:
            self._expect_tick()

    def tick(self) -> None:
        """Measure the lag of the loop by the delay of this callback."""
        due = self._due if self._due is not None else self._clock()
        self._lag = max(self._clock() - due, self._lag * _FADE)
        if self.in_flight or self._lag > _TICK_SECONDS / 10:
            self._expect_tick()
        else:
            self._due, self._lag = None, 0.0

    def _expect_tick(self) -> None:
        self._due = self._clock() + _TICK_SECONDS
        asyncio.get_running_loop().call_later(_TICK_SECONDS, self.tick)


class LoadShedding:
    """Raises Overloaded for calls of a shed lane; these use no call of any limit."""

    def __init__(self, settings: LoadSheddingSettings | None) -> None:
        self.settings = settings
        self.load = Load(settings) if settings is not None else None

    def inherit(self, old: "LoadShedding") -> None:
        """Continue with the measured load."""
        if self.settings is not None and old.load is not None:
            self.load = old.load
            self.load.judge_by(self.settings)

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        if self.settings is None or route is None or route.api is None or route.api.tier == "gateway":
            return call_next
        batch = route.operation is not None and route.operation.lane == "batch"
        retry = self.settings.retry_seconds

        async def load_shedding(exchange: Exchange) -> Reply:
            load = self.load
            if load is None:
                return await call_next(exchange)
            lane = _lane(exchange, batch=batch)
            load.watch()
            if not load.takes(lane):
                _shed.add(1, {"lane": lane})
                # Random, so that callers which are refused together do not retry together.
                wait = retry * (1 + random.random())  # noqa: S311 - no secret
                raise Overloaded(
                    f"Calls of the lane {lane} are refused for the moment",
                    retry_after=wait,
                    extra={"lane": lane},
                )
            load.in_flight += 1
            try:
                return await call_next(exchange)
            finally:
                load.in_flight -= 1

        return load_shedding

    def explain(self, asked: Asked) -> list[Rule]:
        settings, api = self.settings, asked.route.api
        if settings is None or api is None or api.tier == "gateway":
            return []
        says = (
            f"shed by lane when {settings.max_in_flight} calls are under way"
            f" or the loop is {settings.max_lag_seconds:g} s late"
        )
        return [Rule(says, "load_shedding")]


def _lane(exchange: Exchange, *, batch: bool) -> SheddingLane:
    """The lane of the caller's plan; background for operations that are declared as batch work."""
    if batch:
        return "background"
    return exchange.plan.lane if exchange.plan is not None else "standard"
