"""Changes of the consumer directory by admin services: audited and announced in one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.plans.consumer_directory import note_change
from kit import audit, context
from kit.database import Database


@asynccontextmanager
async def writing(
    database: Database, action: str, subject: str, reason: str = ""
) -> AsyncIterator[AsyncConnection]:
    """A transaction that takes effect in every gateway within seconds; a failed one leaves no trace."""
    here = context.current()
    async with database.begin() as connection:
        yield connection
        await note_change(connection)
        await audit.write(
            connection,
            action=action,
            outcome="done",
            actor=here.who,
            consumer=here.caller.consumer if here.caller else "",
            subject=subject,
            personal={"reason": reason} if reason else {},
            correlation_id=here.correlation_id,
        )
