"""The admin API of the audit trail."""

import datetime as dt
from collections.abc import Callable

from contracts.admin.audit import AuditLine, AuditLines, AuditPeriod, AuditVerification
from kit.audit import check, reading
from kit.database import Database


class AuditService:
    """Reads the trail of the whole deployment, in any process."""

    def __init__(self, store: Callable[[], Database]) -> None:
        self._store = store

    async def list_lines(
        self,
        action: str | None = None,
        actor: str | None = None,
        subject: str | None = None,
        correlation_id: str | None = None,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> AuditLines:
        """A page of lines, newest first."""
        async with self._store().connect() as connection:
            return await reading.find(
                connection,
                action=action,
                actor=actor,
                subject=subject,
                correlation_id=correlation_id,
                since=since,
                until=until,
                cursor=cursor,
                limit=limit,
            )

    async def get_line(self, chain: str, seq: int) -> AuditLine:
        """The line with its sealed fields."""
        async with self._store().connect() as connection:
            return await reading.get(connection, chain, seq)

    async def verify(self, anchor: str | None = None) -> AuditVerification:
        """Every break of the trail."""
        number, _, digest = (anchor or "").partition(":")
        report = await check(self._store(), (int(number), digest) if number else None)
        return AuditVerification(
            report.lines, report.anchors, *report.anchor, report.faults, report.set_aside
        )

    async def get_period(self, period: str) -> AuditPeriod:
        """The anchors around the period and within it."""
        async with self._store().connect() as connection:
            return await reading.period(connection, period)

    async def list_lines_after(
        self, after: int, upto: int = 0, cursor: str | None = None, limit: int = 200
    ) -> AuditLines:
        """A page of lines between two anchors."""
        async with self._store().connect() as connection:
            return await reading.between(connection, after, upto, cursor=cursor, limit=limit)
