"""The API of the view of the flows' health: list, read."""

import datetime as dt
from collections.abc import Iterable
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from contracts.problems import NotFound
from contracts.process.flow_health import Ages, FlowHealth, FlowHealths
from kit import clock
from kit.database import decode_page, encode_page
from kit.database.rows import own
from process_apis.module import FlowDependencies
from process_apis.views.flow_health.table import flow_runs

_OPEN = flow_runs.c.finished_at.is_(None)
_AGES = (dt.timedelta(minutes=5), dt.timedelta(hours=1), dt.timedelta(days=1))
_SECONDS = sa.extract("epoch", flow_runs.c.finished_at - flow_runs.c.started_at)


class FlowHealthViewService:
    """How the flows are doing, by the runs that the caller may see."""

    def __init__(self, dependencies: FlowDependencies) -> None:
        self._database = dependencies.database

    async def list_flows(
        self,
        entity: str | None = None,
        instance: str | None = None,
        mode: str | None = None,
        hours: int = 24,
        cursor: str | None = None,
        limit: int = 50,
    ) -> FlowHealths:
        """A page of flows by name."""
        conditions: list[sa.ColumnElement[bool]] = []
        if entity is not None:
            conditions.append(flow_runs.c.entity == entity)
        if instance is not None:
            conditions.append(flow_runs.c.instances.contains([instance]))
        if mode is not None:
            conditions.append(flow_runs.c.mode == mode)
        after = decode_page(cursor, tuple[str])[0] if cursor else ""
        flows = [each for each in await self._read(hours, conditions) if each.flow > after]
        more = encode_page(flows[limit - 1].flow) if len(flows) > limit else None
        return FlowHealths(tuple(flows[:limit]), more)

    async def get_flow(self, flow: str, hours: int = 24) -> FlowHealth:
        """The flow; raises NotFound."""
        rows = await self._read(hours, [flow_runs.c.flow == flow])
        if not rows:
            raise NotFound(
                f"No run of {flow} that you may see is under way, or ended in the last {hours} hours."
            )
        return rows[0]

    async def _read(self, hours: int, conditions: Iterable[sa.ColumnElement[bool]]) -> list[FlowHealth]:
        """Every flow of the runs of which the conditions hold, by name; there are few flows."""
        now = clock.now()
        counted = _OPEN | (flow_runs.c.finished_at > now - dt.timedelta(hours=hours))
        flow, status = flow_runs.c.flow, flow_runs.c.status
        query = (
            sa.select(flow, status, *_figures(now))
            .where(counted, *conditions, *own(flow_runs))
            # The statuses of a flow each, and the flow as a whole, whose status is NULL and comes last.
            .group_by(sa.func.grouping_sets(sa.tuple_(flow, status), sa.tuple_(flow)))
            .order_by(flow, status)
        )
        async with self._database.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [_health(list(group)) for _, group in groupby(rows, key=lambda row: row.flow)]


def _figures(now: dt.datetime) -> tuple[sa.ColumnElement[Any], ...]:
    """The columns that count a group of runs."""
    started, open_runs = flow_runs.c.started_at, sa.func.count().filter
    five_minutes, hour, day = (now - age for age in _AGES)
    return (
        open_runs(_OPEN).label("open"),
        open_runs(_OPEN, started > five_minutes).label("under_5_minutes"),
        open_runs(_OPEN, started <= five_minutes, started > hour).label("under_1_hour"),
        open_runs(_OPEN, started <= hour, started > day).label("under_1_day"),
        open_runs(_OPEN, started <= day).label("over_1_day"),
        open_runs(_OPEN, flow_runs.c.due_at < now).label("overdue"),
        sa.func.min(started).filter(_OPEN).label("oldest_started_at"),
        sa.func.count(flow_runs.c.finished_at).label("ended"),
        sa.func.percentile_cont(0.5).within_group(_SECONDS).label("median_seconds"),
    )


def _health(rows: list[Any]) -> FlowHealth:
    *statuses, whole = rows
    median = whole.median_seconds
    return FlowHealth(
        flow=whole.flow,
        open={row.status: row.open for row in statuses if row.open},
        ages=Ages(**{name: getattr(whole, name) for name in Ages.__struct_fields__}),
        overdue=whole.overdue,
        oldest_started_at=whole.oldest_started_at,
        ended={row.status: row.ended for row in statuses if row.ended},
        median_seconds=None if median is None else round(float(median), 3),
    )
