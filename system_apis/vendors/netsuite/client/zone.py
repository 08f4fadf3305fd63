"""system_apis: the time zone of an account's SuiteQL answers, determined by reading one record twice."""

import asyncio
import datetime as dt
import time
from typing import Literal, NamedTuple

from contracts.problems import NotFound, VendorRejected
from kit import telemetry
from system_apis.vendors.netsuite.client import NetSuiteClient
from system_apis.vendors.netsuite.records import NetSuiteCustomer

_log = telemetry.log(__name__)

_ASK_AGAIN = 3600.0  # seconds; a preference may be changed at any time
_QUARTER = dt.timedelta(minutes=15)  # every zone's distance from UTC is a multiple of it
_CUSTOMERS = "SELECT id, TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS changed FROM customer"
_COARSE = dt.timedelta(minutes=1)


class Seen(NamedTuple):
    """By how much SuiteQL's clock was ahead of UTC at an instant."""

    at: dt.datetime
    offset: dt.timedelta


class Zone:
    """SuiteQL writes instants by the integration user's clock and names no zone; the record API writes UTC.

    The profile has the zone. Where the account shows another, the account is right: the profile must be
    corrected, and until then the observed offset is used, which is wrong once summer time starts or ends.
    """

    def __init__(self, client: NetSuiteClient, configured: dt.tzinfo) -> None:
        self._client = client
        self._configured = configured
        self._zone: dt.tzinfo | None = None
        self._until = 0.0
        self._one = asyncio.Lock()

    async def current(self) -> dt.tzinfo:
        """The zone in use; read once an hour."""
        async with self._one:
            if self._zone is None or time.monotonic() >= self._until:
                self._zone = await self._find()
                self._until = time.monotonic() + _ASK_AGAIN
            return self._zone

    async def seen(self, which: Literal["DESC", "ASC"] = "DESC") -> Seen | None:
        """By the customer that changed last (or first); None where there is none, or it changed just now."""
        order = f"ORDER BY lastmodifieddate {which}, id FETCH FIRST 1 ROWS ONLY"
        rows = await self._client.query(f"{_CUSTOMERS} {order}")
        if not rows or "changed" not in rows[0]:
            return None
        try:
            record, _ = await self._client.read("customer", rows[0]["id"], NetSuiteCustomer)
            wall = dt.datetime.fromisoformat(rows[0]["changed"]).replace(tzinfo=dt.UTC)
        except (NotFound, ValueError):
            return None
        at = record.last_modified_date
        offset = round((wall - at) / _QUARTER) * _QUARTER
        return Seen(at, offset) if abs(wall - at - offset) <= _COARSE else None

    def explains(self, seen: Seen) -> bool:
        """Whether the profile's zone is what was seen."""
        return seen.at.astimezone(self._configured).utcoffset() == seen.offset

    async def _find(self) -> dt.tzinfo:
        try:
            seen = await self.seen()
        except VendorRejected:
            return self._configured  # our role may not read it; the check reports the missing permission
        if seen is None or self.explains(seen):
            return self._configured
        _log.warning(
            "the account answers in another zone than its profile has",
            instance=self._client.instance,
            profile=str(self._configured),
            hours=seen.offset / dt.timedelta(hours=1),
        )
        return dt.timezone(seen.offset)
