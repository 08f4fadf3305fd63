"""A circuit breaker: consecutive failures open it for a while, then one call probes the vendor."""

import time
from collections.abc import Callable

from contracts.problems import VendorUnavailable


class Breaker:
    """Counts failures in a row; open, it refuses at once; after `rest` seconds it lets one call through."""

    def __init__(
        self, *, failures: int = 10, rest: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._rest = rest
        self._clock = clock
        self._failed = 0
        self._closed_again_at = 0.0

    def enter(self, instance: str) -> None:
        """Refuse while open; raises VendorUnavailable with the seconds left."""
        if self._failed < self._limit:
            return
        now = self._clock()
        if now < self._closed_again_at:
            raise VendorUnavailable(
                f"{instance} failed {self._failed} times in a row; it is left alone for a moment",
                instance=instance,
                retry_after=self._closed_again_at - now,
            )
        self._closed_again_at = now + self._rest  # this call is the probe; the others still wait

    def succeeded(self) -> None:
        self._failed = 0

    def failed(self) -> None:
        self._failed += 1
        if self._failed >= self._limit:
            self._closed_again_at = self._clock() + self._rest
