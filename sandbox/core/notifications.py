"""Change notifications of one account on their way out, and the ways in which the way out may fail."""

from collections.abc import Callable
from typing import Any

KEPT_SENT = 1000
MODES = {"normal", "lose", "duplicate", "delay", "reorder"}


class Notifications:
    """Vendors call `publish`; what survives the mode is handed to the vendor's `deliver`."""

    def __init__(self, deliver: Callable[[dict[str, Any]], None]) -> None:
        self._deliver = deliver
        self.clear()

    def clear(self) -> None:
        self.mode, self.times, self.copies = "normal", None, 2
        self.sent: list[dict[str, Any]] = []
        self.waiting: list[dict[str, Any]] = []

    def set_mode(self, mode: str, times: int | None = None, copies: int = 2) -> None:
        """What happens to the next `times` notifications (None: to all from now on)."""
        if mode not in MODES:
            raise ValueError(f"A mode is one of {', '.join(sorted(MODES))}")
        self.mode, self.times, self.copies = mode, times, copies

    def publish(self, event: dict[str, Any]) -> None:
        mode = self._take_mode()
        if mode == "lose":
            return
        if mode in {"delay", "reorder"}:
            self.waiting.append(event)
            if mode == "reorder" and self.mode == "normal":
                self.flush(reverse=True)
            return
        for _ in range(self.copies if mode == "duplicate" else 1):
            self._send(event)

    def flush(self, *, reverse: bool | None = None) -> int:
        """Send what waits; what waits to be reordered goes latest first."""
        turn = self.mode == "reorder" if reverse is None else reverse
        waiting, self.waiting = self.waiting, []
        for event in reversed(waiting) if turn else waiting:
            self._send(event)
        return len(waiting)

    def redeliver(self, count: int) -> int:
        """Send the latest `count` once more, as they were."""
        latest = self.sent[-count:] if count > 0 else []
        for event in latest:
            self._deliver(event)
        return len(latest)

    def _take_mode(self) -> str:
        mode = self.mode
        if self.times is not None and mode != "normal":
            self.times -= 1
            if self.times <= 0:
                self.mode, self.times = "normal", None
        return mode

    def _send(self, event: dict[str, Any]) -> None:
        self.sent.append(event)
        del self.sent[:-KEPT_SENT]
        self._deliver(event)

    def dump(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "times": self.times,
            "copies": self.copies,
            "sent": self.sent,
            "waiting": self.waiting,
        }

    def load(self, saved: dict[str, Any]) -> None:
        self.mode, self.times, self.copies = saved["mode"], saved["times"], saved["copies"]
        self.sent, self.waiting = saved["sent"], saved["waiting"]
