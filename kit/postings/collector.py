"""kit/postings: the collector: claims what is gathered in micro-batches, and starts a run for each."""

import asyncio
import logging
from typing import Any

import msgspec
from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.problems import Unavailable
from kit.context import new_correlation_id, new_id
from kit.database import Database
from kit.database.locks import number_of
from kit.database.tables import runs
from kit.postings.flow import BatchInput, PostingFlow
from kit.postings.rows import move
from kit.postings.states import UNFINISHED
from kit.postings.tables import batches, postings
from kit.workflows import Owner, Runtime

logger = logging.getLogger(__name__)
_LOOK_AHEAD = 20
"""Batches' worth of records among which a full one is looked for, however many wait."""


class Lane(msgspec.Struct, frozen=True):
    """Which records may be in one batch: those of one instance, legal entity and mode."""

    target: str
    instance: str
    entity: str
    mode: Any


class Collector:
    """Runs in every process with the role `worker`; several share the work."""

    def __init__(self, database: Database, runtime: Runtime, poll_seconds: float = 0.5) -> None:
        self._database = database
        self._runtime = runtime
        self._poll_seconds = poll_seconds
        self._flows: list[PostingFlow[Any]] = []

    def add(self, flow: PostingFlow[Any]) -> None:
        """Claim this flow's records."""
        self._flows.append(flow)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; an absent database is waited for."""
        while not stop.is_set():
            try:
                await self.drain()
            except Unavailable:
                logger.warning("The collector of postings waits for the database")
            try:
                await asyncio.wait_for(stop.wait(), self._poll_seconds)
            except TimeoutError:
                continue

    async def drain(self) -> int:
        """Claim all that may be claimed now; how many records those were."""
        count = 0
        for flow in self._flows:
            while claimed := await self.claim(flow):
                count += claimed
        return count

    async def claim(self, flow: PostingFlow[Any]) -> int:
        """Claim one batch and start its run, in one transaction; how many records it has."""
        async with self._database.begin() as connection:
            if not await _alone(connection, flow) or await _running(connection, flow) >= flow.at_once:
                return 0
            lane = await _next_lane(connection, flow)
            return await self._open(connection, flow, lane) if lane is not None else 0

    async def _open(self, connection: AsyncConnection, flow: PostingFlow[Any], lane: Lane) -> int:
        batch_id = new_id("bat")
        some = (
            select(postings.c.number)
            .where(*_ready(flow), *(postings.c[name] == value for name, value in _columns(lane)))
            .order_by(postings.c.number)
            .limit(flow.most)
            .with_for_update(skip_locked=True)
        )
        numbers = (await connection.execute(some)).scalars().all()
        records = await move(connection, postings.c.number.in_(numbers), "claimed", batch_id=batch_id)
        row = insert(batches).values(id=batch_id, flow=flow.name, target=lane.target, records=records)
        await connection.execute(row)
        await self._runtime.start(
            connection,
            flow=flow.name,
            workflow_id=batch_id,
            input=BatchInput(lane.instance, records),
            correlation_id=new_correlation_id(),
            subject=lane.target,
            actor="postings",
            owner=Owner(entity=lane.entity, instances=(lane.instance,)),
            mode=lane.mode,
        )
        return records


def _columns(lane: Lane) -> list[tuple[str, str]]:
    return list(msgspec.structs.asdict(lane).items())


async def _alone(connection: AsyncConnection, flow: PostingFlow[Any]) -> bool:
    """Whether nobody else claims records of the flow until the commit."""
    query = select(func.pg_try_advisory_xact_lock(number_of(f"postings:{flow.name}")))
    return (await connection.execute(query)).scalar_one()


async def _running(connection: AsyncConnection, flow: PostingFlow[Any]) -> int:
    """How many batches have records to send; those of one that waits for a person do not count."""
    query = (
        select(func.count(postings.c.batch_id.distinct()))
        .join(runs, runs.c.id == postings.c.batch_id)
        .where(
            postings.c.flow == flow.name,
            postings.c.state.in_(("claimed", "sent")),
            runs.c.status == "running",
        )
    )
    return (await connection.execute(query)).scalar_one()


def _ready(flow: PostingFlow[Any]) -> tuple[Any, ...]:
    """What may be claimed: no revision before an earlier one of the same source is settled."""
    earlier = postings.alias("earlier")
    held_back = exists().where(
        earlier.c.source == postings.c.source,
        earlier.c.target == postings.c.target,
        earlier.c.revision < postings.c.revision,
        earlier.c.state.in_(UNFINISHED),
    )
    return postings.c.flow == flow.name, postings.c.state == "gathered", ~held_back


async def _next_lane(connection: AsyncConnection, flow: PostingFlow[Any]) -> Lane | None:
    """Of whose records there are enough for a batch, or whose oldest has waited long enough."""
    names = Lane.__struct_fields__
    ahead = (
        select(*(postings.c[name] for name in (*names, "number", "gathered_at")))
        .where(*_ready(flow))
        .order_by(postings.c.number)
        .limit(flow.most * _LOOK_AHEAD)
        .subquery()
    )
    waited = func.extract("epoch", func.clock_timestamp() - func.min(ahead.c.gathered_at))
    query = (
        select(*(ahead.c[name] for name in names), func.count().label("records"), waited.label("waited"))
        .group_by(*(ahead.c[name] for name in names))
        .order_by(func.min(ahead.c.number))
    )
    found = (await connection.execute(query)).all()
    row = next((row for row in found if row.records >= flow.most or row.waited >= flow.wait), None)
    return Lane(row.target, row.instance, row.entity, row.mode) if row is not None else None
