"""Flights: reads under way to a tier, each in its own task, so that several callers can share one."""

import asyncio

from gateway.exchange import Exchange, Reply


class Flight:
    """A read under way, in its own task: it continues when a waiting caller disconnects.

    `generation` is that of the cache tag when the read started, `asked_at` the time (Unix seconds).
    """

    __slots__ = ("asked_at", "correlation_id", "generation", "task")

    def __init__(
        self, exchange: Exchange, generation: int, asked_at: float, task: "asyncio.Task[Reply]"
    ) -> None:
        self.correlation_id = exchange.correlation_id
        self.generation = generation
        self.asked_at = asked_at
        self.task = task


class Flights:
    """The flights under way: at most one per key that others may join."""

    def __init__(self) -> None:
        self.joinable: dict[bytes, Flight] = {}
        self._all: set[asyncio.Task[Reply]] = set()

    def begin(self, key: bytes, flight: Flight) -> None:
        """Make the flight joinable until it ends; it replaces one of an earlier generation."""
        self.joinable[key] = flight
        self._all.add(flight.task)

        def land(task: "asyncio.Task[Reply]") -> None:
            self._all.discard(task)
            if self.joinable.get(key) is flight:
                del self.joinable[key]
            if not task.cancelled():
                task.exception()  # retrieved, or asyncio would log it when no caller is left

        flight.task.add_done_callback(land)

    async def close(self) -> None:
        """Cancel all flights that are still under way."""
        for task in self._all:
            task.cancel()
        await asyncio.gather(*self._all, return_exceptions=True)
