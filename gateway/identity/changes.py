"""The mark of change: one counter, raised with every change to keys or revocations."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.tables import identity_changes


async def note_change(connection: AsyncConnection) -> None:
    """Raise the counter in the transaction of the change; changes wait here for each other.

    So a gateway that reads a version has read all changes up to it, whichever transaction ended first.
    """
    raised = update(identity_changes).where(identity_changes.c.one == 1)
    await connection.execute(raised.values(version=identity_changes.c.version + 1))


async def version_of(connection: AsyncConnection) -> int:
    """How many changes there have been."""
    return (await connection.execute(select(identity_changes.c.version))).scalar_one()
