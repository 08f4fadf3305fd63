"""The events feed's API: CloudEvents in the order in which they were written."""

from contracts.events.envelope import Events
from kit import inbox
from kit.database import Database


class EventFeedService:
    """What happened to business objects, for others to pull."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_events(
        self,
        cursor: str | None = None,
        type: str | None = None,  # noqa: A002 - CloudEvents' word
        subject: str | None = None,
        limit: int = 50,
    ) -> Events:
        """A page of events after the cursor."""
        async with self._database.begin() as connection:
            return await inbox.read(connection, cursor, type, subject, limit)
