"""Rules that spoil chosen calls, and holds that stop a call before or after its effect until released."""

import asyncio
import contextlib
import re
from typing import Any

import msgspec

EFFECTS = {
    "latency_ms", "status", "drop", "commit_late_ms", "expire_token", "answer", "html", "when",
}  # fmt: skip


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """Which calls: method, a pattern found in the path (with its query), a pattern found in the body."""

    method: str = ""
    path: str = ""
    body: str = ""

    def hits(self, method: str, target: str, body: str) -> bool:
        return (
            self.method.upper() in {"", method}
            and re.search(self.path, target) is not None
            and (not self.body or re.search(self.body, body) is not None)
        )


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    effect: dict[str, Any]
    match: Match = msgspec.field(default_factory=Match)
    skip: int = 0
    times: int | None = 1
    id: str = ""

    def __post_init__(self) -> None:
        unknown = set(self.effect) - EFFECTS
        if unknown or not self.effect:
            raise ValueError(f"An effect is some of {', '.join(sorted(EFFECTS))}; not {sorted(unknown)}")

    def takes(self) -> bool:
        """Whether this rule strikes the matching call that just came; counts it either way."""
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0

    @property
    def after(self) -> bool:
        return self.effect.get("when") == "after"


class Faults:
    """The rules of one account; the first that matches and is due strikes, one per call."""

    def __init__(self) -> None:
        self.rules: dict[str, Fault] = {}
        self._made = 0

    def add(self, rule: Fault) -> str:
        self._made += 1
        rule.id = f"f{self._made}"
        self.rules[rule.id] = rule
        return rule.id

    def strike(self, method: str, target: str, body: str) -> Fault | None:
        for rule in list(self.rules.values()):
            if rule.match.hits(method, target, body) and rule.takes():
                if rule.times == 0:
                    del self.rules[rule.id]
                return rule
        return None


class Hold(msgspec.Struct, forbid_unknown_fields=True):
    match: Match = msgspec.field(default_factory=Match)
    point: str = "before"
    times: int | None = 1
    id: str = ""

    def __post_init__(self) -> None:
        if self.point not in {"before", "after"}:
            raise ValueError("A hold's point is before or after")


class _Standing:
    """A hold with those who wait at it."""

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        self.held: list[int] = []
        self.released = asyncio.Event()
        self.arrived = asyncio.Event()


class Holds:
    def __init__(self) -> None:
        self.standing: dict[str, _Standing] = {}
        self._made = 0

    def add(self, hold: Hold) -> str:
        self._made += 1
        hold.id = f"h{self._made}"
        self.standing[hold.id] = _Standing(hold)
        return hold.id

    async def stop_at(self, point: str, seq: int, method: str, target: str, body: str) -> None:
        """Wait here if a hold says so."""
        for place in list(self.standing.values()):
            hold = place.hold
            if hold.point == point and hold.times != 0 and hold.match.hits(method, target, body):
                hold.times = None if hold.times is None else hold.times - 1
                place.held.append(seq)
                place.arrived.set()
                await place.released.wait()
                return

    async def wait_held(self, hold_id: str, seconds: float) -> list[int]:
        """The calls held there, waiting up to `seconds` for the first one. Raises: KeyError."""
        place = self.standing[hold_id]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(place.arrived.wait(), seconds)
        return place.held

    def release(self, hold_id: str) -> None:
        """Raises: KeyError."""
        self.standing.pop(hold_id).released.set()

    def release_all(self) -> None:
        for hold_id in list(self.standing):
            self.release(hold_id)
