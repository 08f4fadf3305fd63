"""system_apis: the case of an instance whose login fails while it is watched, when no run needs it."""

from contextlib import suppress

from contracts.problems import Problem, Unavailable
from kit import context
from kit.database import Database
from kit.exceptions.login import end_login_case, failed_login, raise_login_case
from system_apis.connector import CursorStore


class LoginCase:
    """One instance's: raised once, however many sources fail and how often, and ended when all work."""

    def __init__(self, instance: str, database: Database) -> None:
        self._instance = instance
        self._database = database
        self._failing: set[str] = set()
        self._may_be_open = True  # of an earlier process

    async def failed(self, source: str, error: Exception) -> None:
        """Raise it where a source failed by our login."""
        if not isinstance(error, Problem) or failed_login(error) != self._instance:
            return
        self._failing.add(source)
        self._may_be_open = True
        with suppress(Unavailable):  # the source fails again
            async with self._database.begin() as connection:
                await raise_login_case(connection, error, context.new_correlation_id())

    async def works(self, source: str) -> None:
        """End it, where no other source fails; one for which runs wait is a person's to replay."""
        self._failing.discard(source)
        if self._failing or not self._may_be_open:
            return
        with suppress(Unavailable):
            async with self._database.begin() as connection:
                await end_login_case(connection, self._instance)
            self._may_be_open = False


class WorkingCursors:
    """The cursors of a source, which works when it sets one."""

    def __init__(self, cursors: CursorStore, case: LoginCase, source: str) -> None:
        self._cursors = cursors
        self._case = case
        self._source = source

    async def get(self, name: str) -> str | None:
        return await self._cursors.get(name)

    async def set(self, name: str, value: str) -> None:
        await self._cursors.set(name, value)
        await self._case.works(self._source)
