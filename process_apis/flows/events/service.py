"""The events feed's API: CloudEvents in the order in which they were written."""

from contracts.events.envelope import Events
from contracts.system.crm import Crm
from kit import inbox
from kit.database import Database
from process_apis.systems import Systems


class EventFeedService:
    """What happened to business objects, for others to pull."""

    def __init__(self, database: Database, systems: Systems) -> None:
        self._database = database
        self._systems = systems

    async def list_events(
        self,
        cursor: str | None = None,
        type: str | None = None,  # noqa: A002 - CloudEvents' word
        subject: str | None = None,
        limit: int = 50,
    ) -> Events:
        """A page of events after the cursor."""
        subjects = None
        if subject is not None:
            # A deal's events are about the CRM's own id, of which there may be several spellings.
            subjects = {subject, *self._systems.spellings(Crm, "opportunity", subject)}
        async with self._database.begin() as connection:
            return await inbox.read(connection, cursor, type, subjects, limit)
