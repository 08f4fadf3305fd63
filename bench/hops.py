"""bench: the cost of a hop between two tiers: a plain await, a local client, a remote one over loopback."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec

from bench.ports import free_port
from bench.processes import cpu_seconds
from bench.read import modules
from bench.read.interfaces import BenchRecord
from bench.stage import Stage
from kit import context
from kit.clients import local, remote
from kit.delegation import delegation
from kit.operations import api_of
from kit.secrets import Secret

LOCAL_CALLS = 100_000
REMOTE_CALLS = 1000
TURNS = 5


class Hops(msgspec.Struct, frozen=True):
    """Processor time of one call in microseconds, both ends counted."""

    plain: float
    local: float
    remote: float

    @property
    def times_cheaper(self) -> float:
        """How much cheaper a local call is than a remote one."""
        return self.remote / self.local


async def measure(stage: Stage, *, local_calls: int = LOCAL_CALLS, remote_calls: int = REMOTE_CALLS) -> Hops:
    """The same read of the same adapter, carried in the three ways; the best of a few turns each."""
    tier = await stage.server("tier", free_port())
    prefix = api_of(BenchRecord).prefix.format(instance=modules.INSTANCE)
    adapter = modules.Memory()
    credential = delegation(Secret(stage.internal_key), "process")
    async with httpx.AsyncClient(trust_env=False) as http:
        far = remote(BenchRecord, tier.url + prefix, http, credential)
        near = local(BenchRecord, adapter)
        caller = context.Caller("sofia", "reader", frozenset({"system.bench-record.read"}))
        made = context.Context(context.new_correlation_id(), caller, deadline=time.monotonic() + 3600)
        with context.use(made):
            if await far.get_record(modules.RECORD_ID) != await near.get_record(modules.RECORD_ID):
                raise RuntimeError("the carriers answer differently")
            return Hops(
                await _best(adapter.get_record, local_calls, _own_seconds),
                await _best(near.get_record, local_calls, _own_seconds),
                await _best(far.get_record, remote_calls, lambda: _own_seconds() + cpu_seconds([tier.pid])),
            )


async def _best(call: Callable[[str], Awaitable[Any]], times: int, used: Callable[[], float]) -> float:
    return min([await _one(call, times, used) for _ in range(TURNS)]) * 1e6


async def _one(call: Callable[[str], Awaitable[Any]], times: int, used: Callable[[], float]) -> float:
    before = used()
    for _ in range(times):
        await call(modules.RECORD_ID)
    return (used() - before) / times


def _own_seconds() -> float:
    return time.process_time()
