"""The change counter: incremented with every change to keys or revocations."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.tables import identity_changes


async def note_change(connection: AsyncConnection) -> None:
    """Increment the counter in the transaction of the change, which serialises changes.

    So a gateway that reads a version has read all changes up to it, whichever transaction committed first.
    """
    raised = update(identity_changes).where(identity_changes.c.one == 1)
    await connection.execute(raised.values(version=identity_changes.c.version + 1))


async def version_of(connection: AsyncConnection) -> int:
    """The value of the change counter."""
    return (await connection.execute(select(identity_changes.c.version))).scalar_one()
