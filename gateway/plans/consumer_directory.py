"""The consumer directory: consumers, suspensions and subscriptions, cached from PostgreSQL.

Consumers that consumers.toml declares need no database.
"""

import asyncio
import contextlib
from collections import ChainMap
from collections.abc import Mapping

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.problems import Problem
from gateway.plans import Consumer
from gateway.plans.background import repeat
from gateway.tables import directory_changes, registered_consumers, subscriptions, suspensions
from kit.background import stop_background
from kit.database import Database

REFRESH_SECONDS = 1.0


async def note_change(connection: AsyncConnection) -> None:
    """Increment the change counter in the transaction of a change, which serialises changes.

    So a gateway that reads a version has read all changes up to it, whichever transaction committed first.
    """
    raised = update(directory_changes).where(directory_changes.c.one == 1)
    await connection.execute(raised.values(version=directory_changes.c.version + 1))


class ConsumerDirectory:
    """Polls for changes every second, and reads the tables only then.

    Requests read the memory, never the database; without the database the last state stays in use.
    `generation` rises with every change, and so invalidates what others have cached.
    """

    def __init__(self, database: Database | None) -> None:
        self.generation = 0
        self._database = database
        self._version = -1
        # One at a time: of two at once, the one that began first could end last, and put back what was.
        self._refreshing = asyncio.Lock()
        self._consumers: dict[str, Consumer] = {}
        self._suspended: dict[str, str] = {}
        self._subscribed: dict[tuple[str, str], str] = {}
        self._task: asyncio.Task[None] | None = None

    def consumers(self, declared: Mapping[str, Consumer]) -> Mapping[str, Consumer]:
        """The declared consumers and a live view of the registered ones."""
        return ChainMap(dict(declared), self._consumers)

    def suspended(self, consumer: str) -> str | None:
        """Why a consumer is suspended; None when it is not."""
        return self._suspended.get(consumer)

    def plan_for(self, name: str, consumer: Consumer | None, api: str) -> str | None:
        """The plan on which a consumer calls an API: what was approved, else what its file declares."""
        approved = self._subscribed.get((name, api))
        return approved or (consumer.plan_for(api) if consumer is not None else None)

    def approved(self, consumer: str) -> dict[str, str]:
        """The plan of every API to which a consumer's subscription was approved."""
        return {api: plan for (name, api), plan in self._subscribed.items() if name == consumer}

    async def start(self) -> None:
        """Read the directory and refresh it in the background, even if the database is unavailable now."""
        if self._database is not None:
            with contextlib.suppress(Problem):
                await self.refresh()
            self._task = repeat("consumer directory not refreshed", REFRESH_SECONDS, self.refresh)

    async def close(self) -> None:
        """Stop the refresh."""
        await stop_background(self._task)

    async def refresh(self) -> None:
        """Poll for changes now; raises Unavailable without the database."""
        if self._database is None:
            return
        async with self._refreshing, self._database.connect() as connection:
            version = await connection.scalar(select(directory_changes.c.version))
            if version == self._version:
                return
            registered = await _registered(connection)
            self._suspended = {
                row.consumer: row.reason for row in await connection.execute(select(suspensions))
            }
            active = select(subscriptions).where(subscriptions.c.state == "active")
            self._subscribed = {(row.consumer, row.api): row.plan for row in await connection.execute(active)}
            self._consumers.clear()
            self._consumers.update(registered)
            self._version = version
            self.generation += 1


async def _registered(connection: AsyncConnection) -> dict[str, Consumer]:
    rows = await connection.execute(select(registered_consumers))
    return {row.name: msgspec.convert(row.grants, Consumer) for row in rows}
