"""A vendor's daily allowance: as the vendor counts it, shared by all processes, with a reserve for people."""

import asyncio
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from kit.cache import Cache
from kit.http.limits import AllowanceLimits

Admission = Literal["go", "used_up", "wait"]

_HERE = Path(__file__).parent
_TAKE = (_HERE / "allowance.lua").read_text(encoding="utf-8")
_REPORT = (_HERE / "allowance_report.lua").read_text(encoding="utf-8")
_LOST_AFTER = 300.0  # seconds; a call whose process died is counted as in flight for so long
_ADMISSIONS: dict[int, Admission] = {0: "used_up", 1: "go", 2: "wait"}


class _LocalAllowance:
    """The same arithmetic within this process, for when the cache does not answer."""

    def __init__(self, assumed: int) -> None:
        self.used, self.max, self.at = 0, assumed, 0.0
        self.flight: set[str] = set()

    def take(self, call: str, reserved: int, now: float, believed: float) -> Admission:
        if self.at == 0 and self.flight:
            return "wait"
        over = self.used + len(self.flight) + 1 > self.max - reserved
        if self.at > 0 and over and (self.flight or now - self.at < believed):
            return "used_up"
        self.flight.add(call)
        return "go"

    def report(self, call: str, reported: tuple[int, int] | None, now: float) -> None:
        self.flight.discard(call)
        if reported is None:
            self.used += 1
        elif reported[0] > self.used or reported[1] != self.max or now - self.at > 60:  # noqa: PLR2004 - as in the script
            self.used, self.max = reported
        self.at = now


class Allowance:
    """The rest of a day's allowance, of an instance or shared by several."""

    def __init__(
        self, name: str, limits: AllowanceLimits, cache: Cache | None, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = [f"enfilade:{{{name}}}:allowance", f"enfilade:{{{name}}}:flight"]
        self._limits = limits
        self._cache = cache
        self._clock = clock
        self._here = _LocalAllowance(limits.daily)
        # Calls that are over, and that the cache may still count as in flight, since it did not answer in
        # time; and when it forgets them by itself.
        self._owed: dict[str, float] = {}
        if cache is not None:
            self._take = cache.client.register_script(_TAKE)
            self._report = cache.client.register_script(_REPORT)

    async def take(self, *, interactive: bool) -> tuple[Admission, str]:
        """Whether a call may go now, and the id under which it is to be given back."""
        call, now = uuid.uuid4().hex, self._clock()
        reserved = 0 if interactive else self._limits.reserve_daily
        here = self._here.take(call, reserved, now, self._limits.recheck_seconds)
        if self._cache is None:
            return here, call
        self._owed = {over: until for over, until in self._owed.items() if until > now}
        owed = tuple(self._owed)
        believed = self._limits.recheck_seconds
        arguments = [now, now + _LOST_AFTER, call, reserved, self._limits.daily, believed, *owed]
        try:
            shared = await self._cache.ask(
                "allowance", lambda _: self._take(keys=self._keys, args=arguments), otherwise=None
            )
        except asyncio.CancelledError:
            self._here.flight.discard(call)
            self._owed[call] = now + _LOST_AFTER
            raise
        if shared is None:
            if here != "go":
                self._owed[call] = now + _LOST_AFTER
            return here, call
        for over in owed:
            self._owed.pop(over, None)
        if _ADMISSIONS[shared] != "go":
            self._here.flight.discard(call)
        else:
            self._here.flight.add(call)
        return _ADMISSIONS[shared], call

    async def report(self, call: str, reported: tuple[int, int] | None) -> None:
        """Count an answered call; `report` is the vendor's count and maximum, where it reports them."""
        now = self._clock()
        self._here.report(call, reported, now)
        if self._cache is not None:
            used, most = reported or (-1, self._limits.daily)
            self._owed[call] = now + _LOST_AFTER
            heard = await self._cache.ask(
                "allowance",
                lambda _: self._report(keys=self._keys, args=[now, call, used, most]),
                otherwise=None,
            )
            if heard is not None:
                self._owed.pop(call, None)
