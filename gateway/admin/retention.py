"""The admin API of retention: expired rows, and legal holds."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.admin.retention import Hold, Holds, HoldWanted, RetentionClass, RetentionReport
from gateway.policy_runtime import PolicyRuntime
from kit import privacy, retention
from kit.database import Database
from kit.retention import Outcome, RetentionSettings


class RetentionService:
    """Applies the rules of the daily run."""

    def __init__(self, store: Callable[[], Database], runtime: PolicyRuntime) -> None:
        self._store = store
        self._runtime = runtime

    async def get_report(self) -> RetentionReport:
        """What a run would delete."""
        return _report(await retention.status(self._store(), self._rules()), deleted=False)

    async def run(self) -> RetentionReport:
        """What was deleted."""
        return _report(await retention.run(self._store(), self._rules()), deleted=True)

    async def list_holds(self) -> Holds:
        """All legal holds."""
        async with self._store().connect() as connection:
            holds = [await _hold(connection, row) for row in await retention.list_holds(connection)]
        return Holds(tuple(holds))

    async def put_hold(self, subject: str, body: HoldWanted) -> Hold:
        """The hold."""
        async with self._store().begin() as connection:
            return await _hold(connection, await retention.hold(connection, subject, body.reason))

    async def delete_hold(self, subject: str) -> Hold:
        """The hold that was lifted."""
        async with self._store().begin() as connection:
            return await _hold(connection, await retention.lift(connection, subject))

    def _rules(self) -> RetentionSettings:
        return retention.read_rules(self._runtime.bundle.folder)


async def _hold(connection: AsyncConnection, row: Row[Any]) -> Hold:
    by = await privacy.shown(connection, row.held_by)
    return Hold(row.subject, row.reason, by, row.held_at)


def _report(outcomes: list[Outcome], *, deleted: bool) -> RetentionReport:
    classes = tuple(RetentionClass(one.name, one.days, one.before, one.rows) for one in outcomes)
    return RetentionReport(deleted, classes)
