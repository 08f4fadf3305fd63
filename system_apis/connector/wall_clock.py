"""system_apis: instants from a vendor that writes them by a local clock and names no zone."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from contracts.problems import VendorRejected
from contracts.system.instance import Finding
from kit import telemetry
from system_apis.connector.cached import ReadOnce
from system_apis.connector.checks import CheckStep
from system_apis.connector.findings import judged
from system_apis.connector.oracle_sql import Order

_log = telemetry.log(__name__)

_ASK_AGAIN = 3600.0  # seconds; a preference may be changed at any time
_QUARTER = dt.timedelta(minutes=15)  # every zone's distance from UTC is a multiple of it
_COARSE = dt.timedelta(minutes=1)


class Seen(NamedTuple):
    """By how much the vendor's clock was ahead of UTC at an instant."""

    at: dt.datetime
    offset: dt.timedelta

    @classmethod
    def of(cls, wall: dt.datetime, at: dt.datetime) -> "Seen | None":
        """From one change as the local clock and as UTC have it; None where it changed in between."""
        offset = round((wall.replace(tzinfo=dt.UTC) - at) / _QUARTER) * _QUARTER
        return cls(at, offset) if abs(wall.replace(tzinfo=dt.UTC) - at - offset) <= _COARSE else None

    def __str__(self) -> str:
        """As UTC-08:00 on a day."""
        minutes = round(self.offset.total_seconds() / 60)
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02} (on {self.at:%Y-%m-%d})"


class LocalZone:
    """The zone of a vendor's instants: the profile's, unless the account shows another.

    Then the account is right: the profile must be corrected, and until then the observed offset is used,
    which is wrong once summer time starts or ends. `look` gives what the account shows by its first or last
    change, None for nothing.
    """

    def __init__(
        self, instance: str, configured: dt.tzinfo, look: Callable[[Order], Awaitable[Seen | None]]
    ) -> None:
        self._instance = instance
        self._configured = configured
        self._look = look
        self._zone = ReadOnce(self._find, seconds=_ASK_AGAIN)

    async def current(self) -> dt.tzinfo:
        """The zone in use; read once an hour."""
        return await self._zone.get()

    def step(self, readable: str, fix: str) -> CheckStep:
        """Whether the profile's zone is the account's; `readable` is the fix where it shows none."""

        async def probe() -> Finding:
            """The first and the last change may be on either side of a change to summer time."""
            both = [await self._look("DESC"), await self._look("ASC")]
            return self._finding([one for one in both if one], fix)

        return CheckStep("environment", "time zone", probe, readable)

    def _finding(self, seen: list[Seen], fix: str) -> Finding:
        other = [one for one in seen if not self._explains(one)]
        shown = (
            f"the account answers at {(other or seen)[0]}" if seen else "nothing shows whether it is right"
        )
        return judged(
            "environment", "time zone", f"{shown}; the profile says {self._configured}", ok=not other, fix=fix
        )

    def _explains(self, seen: Seen) -> bool:
        return seen.at.astimezone(self._configured).utcoffset() == seen.offset

    async def _find(self) -> dt.tzinfo:
        try:
            seen = await self._look("DESC")
        except VendorRejected:
            return self._configured  # our role may not read it; the check reports the missing permission
        if seen is None or self._explains(seen):
            return self._configured
        _log.warning(
            "the account answers in another zone than its profile has",
            instance=self._instance,
            profile=str(self._configured),
            hours=seen.offset / dt.timedelta(hours=1),
        )
        return dt.timezone(seen.offset)
