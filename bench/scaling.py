"""bench: what a second worker adds."""

import os
import statistics
from collections.abc import Callable
from dataclasses import replace

import msgspec

from bench import throughput
from bench.contender import Contender
from bench.throughput import Rates


class Scaling(msgspec.Struct, frozen=True):
    """The read through a deployment of one worker, and of two, on so many processors.

    The load generator and the stores need processors as well: with two, twice as many is out of reach.
    """

    one: Rates
    two: Rates
    processors: int

    @property
    def ratio(self) -> float:
        """How many times the requests of one worker two of them answer in the same time."""
        pairs = zip(self.two.by_the_clock, self.one.by_the_clock, strict=True)
        return statistics.median(two / one for two, one in pairs)


async def measure(
    deployments: tuple[Contender, Contender], *, rounds: int, seconds: float, progress: Callable[[str], None]
) -> Scaling:
    """A deployment of one worker and one of two, in turns."""
    named = [
        replace(deployment, name=name)
        for deployment, name in zip(deployments, ("1 worker", "2 workers"), strict=True)
    ]
    rates = await throughput.measure(named, rounds=rounds, seconds=seconds, progress=progress)
    return Scaling(*rates.values(), processors=len(os.sched_getaffinity(0)))
