"""A moving window of batches in place of single requests: in memory, for one key."""

from collections import deque


class Window:
    """The batches of the last seconds, oldest first, and their sum."""

    __slots__ = ("_batches", "sum")

    def __init__(self) -> None:
        self.sum = 0
        self._batches: deque[tuple[float, int]] = deque()

    @property
    def start(self) -> float | None:
        """When the oldest batch was taken; None when the window is empty."""
        return self._batches[0][0] if self._batches else None

    def forget(self, before: float) -> None:
        """Evict the batches before an instant."""
        while self._batches and self._batches[0][0] < before:
            self.sum -= self._batches.popleft()[1]

    def take(self, now: float, amount: int, limit: int) -> bool:
        """Add a batch; False when it would exceed the limit."""
        if self.sum + amount > limit:
            return False
        self._batches.append((now, amount))
        self.sum += amount
        return True
