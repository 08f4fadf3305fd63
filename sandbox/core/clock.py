"""The clock of one account: real time with an offset, or standing still where a test has set it."""

from datetime import UTC, datetime, timedelta
from typing import Any


class Clock:
    def __init__(self) -> None:
        self.offset = timedelta()
        self.frozen: datetime | None = None

    def now(self) -> datetime:
        return self.frozen or datetime.now(UTC) + self.offset

    def freeze(self, at: datetime) -> None:
        self.frozen = at.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """Move on from wherever the clock is; a frozen clock stays frozen, later."""
        step = timedelta(seconds=seconds)
        if self.frozen:
            self.frozen += step
        else:
            self.offset += step

    def real(self) -> None:
        self.offset, self.frozen = timedelta(), None

    def dump(self) -> dict[str, Any]:
        frozen = self.frozen.isoformat() if self.frozen else None
        return {"offset_seconds": self.offset.total_seconds(), "frozen": frozen}

    def load(self, saved: dict[str, Any]) -> None:
        self.offset = timedelta(seconds=float(saved["offset_seconds"]))
        self.frozen = datetime.fromisoformat(saved["frozen"]) if saved["frozen"] else None
