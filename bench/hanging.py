"""bench: what the read's slowest answers become while one vendor does not answer at all."""

import asyncio
import statistics
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import load
from bench.contender import Contender
from bench.deployment import PREFIX, WAITER, issuer
from bench.read import modules

CALLERS = 4
WAITERS = 64
_RAMP_SECONDS = 1.0  # the deadline of the calls: spread over it, they do not all expire at once


class Hanging(msgspec.Struct, frozen=True):
    """The read's 99th percentile in milliseconds, round by round: alone, and beside a vendor that hangs.

    `waited` are the calls of that vendor that were given up at their deadline meanwhile.
    """

    alone: tuple[float, ...]
    beside: tuple[float, ...]
    waited: int

    @property
    def ratio(self) -> float:
        """How much slower the slowest answers are beside it: 1 without an effect."""
        pairs = zip(self.beside, self.alone, strict=True)
        return statistics.median(beside / alone for beside, alone in pairs)


async def measure(
    reader: Contender, waiter: Contender, *, rounds: int, seconds: float, progress: Callable[[str], None]
) -> Hanging:
    """The same read in turns, with and without callers that wait for another instance of the same vendor."""
    await load.run(reader.url, reader.headers, min(seconds, 1.0), CALLERS)
    alone: list[float] = []
    beside: list[float] = []
    waited = 0
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}: alone")
        alone.append(await _slowest(reader, seconds))
        progress(f"round {number + 1} of {rounds}: beside a vendor that hangs")
        hanging = asyncio.create_task(
            load.run(
                waiter.url,
                waiter.headers,
                seconds + 1.5 * _RAMP_SECONDS,
                WAITERS,
                ramp_seconds=_RAMP_SECONDS,
            )
        )
        # The callers start one after the other over the ramp: after this time all of them wait, as is checked
        # by how many are given up in the end.
        await asyncio.sleep(1.5 * _RAMP_SECONDS)
        beside.append(await _slowest(reader, seconds))
        answered = await hanging
        if answered.good or answered.bad < WAITERS:
            raise RuntimeError(f"{WAITERS} callers should wait in vain; it was {answered}")
        waited += answered.bad
    return Hanging(tuple(alone), tuple(beside), waited)


def waiter_at(reader: Contender, folder: Path) -> Contender:
    """The caller of the instance that hangs, at the same deployment."""
    token = issuer(folder, reader.process.url).mint(WAITER)
    path = f"{PREFIX.format(instance=modules.HUNG)}/records/{modules.RECORD_ID}"
    return Contender("waiter", path, reader.process, {"Authorization": f"Bearer {token}"})


async def _slowest(reader: Contender, seconds: float) -> float:
    answered = await load.run(reader.url, reader.headers, seconds, CALLERS)
    if answered.bad or not answered.good:
        raise RuntimeError(f"the read: {answered.bad} of {answered} were not answered with 200")
    return answered.p99
