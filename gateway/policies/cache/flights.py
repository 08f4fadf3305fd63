"""Flights: reads on their way to a tier, each in a task of its own, so that many may wait for one."""

import asyncio

from gateway.exchange import Exchange, Reply


class Flight:
    """A read on its way to the tier, in a task of its own: whoever waits may leave, the read goes on.

    It left in an epoch of its group, at a time (seconds).
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
        """Let others join it until it lands; it takes the place of one from an earlier epoch."""
        self.joinable[key] = flight
        self._all.add(flight.task)

        def land(task: "asyncio.Task[Reply]") -> None:
            self._all.discard(task)
            if self.joinable.get(key) is flight:
                del self.joinable[key]
            if not task.cancelled():
                task.exception()  # it may be that nobody waited for it

        flight.task.add_done_callback(land)

    async def close(self) -> None:
        """Call back whatever is still under way."""
        for task in self._all:
            task.cancel()
        await asyncio.gather(*self._all, return_exceptions=True)
