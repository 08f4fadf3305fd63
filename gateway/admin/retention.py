"""The admin API of retention: what is over, and what a legal hold keeps."""

import msgspec

from contracts.admin.retention import Hold, Holds, HoldWanted, RetentionClass, RetentionReport
from kit import retention
from kit.database import Database
from kit.retention import Outcome, Settings


class RetentionService:
    """Goes by the same rules as the daily run."""

    def __init__(self, database: Database, rules: Settings) -> None:
        self._database = database
        self._rules = rules

    async def get_report(self) -> RetentionReport:
        """What a run would delete."""
        return _report(await retention.status(self._database, self._rules), deleted=False)

    async def run(self) -> RetentionReport:
        """What was deleted."""
        return _report(await retention.run(self._database, self._rules), deleted=True)

    async def list_holds(self) -> Holds:
        """All legal holds."""
        async with self._database.connect() as connection:
            found = await retention.list_holds(connection)
        return Holds(tuple(msgspec.convert(row, Hold, from_attributes=True) for row in found))

    async def put_hold(self, subject: str, body: HoldWanted) -> Hold:
        """The hold."""
        async with self._database.begin() as connection:
            row = await retention.hold(connection, subject, body.reason)
        return msgspec.convert(row, Hold, from_attributes=True)

    async def delete_hold(self, subject: str) -> Hold:
        """The hold that was."""
        async with self._database.begin() as connection:
            row = await retention.lift(connection, subject)
        return msgspec.convert(row, Hold, from_attributes=True)


def _report(outcomes: list[Outcome], *, deleted: bool) -> RetentionReport:
    classes = tuple(RetentionClass(one.name, one.days, one.before, one.rows) for one in outcomes)
    return RetentionReport(deleted, classes)
