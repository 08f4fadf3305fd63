"""The API over the runs of all flows: list, read, replay."""

import datetime as dt
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.workflow import Mode, WorkflowStatus
from contracts.problems import Conflict, NotFound
from contracts.process.workflows import Schedules, ScheduleView, Workflow, WorkflowReplay, Workflows
from kit import audit, context, exceptions, privacy
from kit.workflows import RunRow
from process_apis.workflow_service import WorkflowService

_REPLAYABLE = ("undone", "failed")


class WorkflowRunsService(WorkflowService[Workflow]):
    """The runs of all flows."""

    noun = "workflow"

    async def list_workflows(
        self,
        status: WorkflowStatus | None = None,
        flow: str | None = None,
        owner: str | None = None,
        entity: str | None = None,
        instance: str | None = None,
        mode: Mode | None = None,
        started_before: dt.datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Workflows:
        """A page of runs, newest first, without timelines."""
        page = await self._find(
            flow=flow,
            status=status,
            owner=owner,
            entity=entity,
            instance=instance,
            mode=mode,
            started_before=started_before,
            cursor=cursor,
            limit=limit,
        )
        return Workflows(*page)

    async def get_workflow(self, workflow_id: str) -> Workflow:
        """The run with its timeline, and what it would send if it observed."""
        return await self._read(workflow_id)

    async def list_schedules(self) -> Schedules:
        """What the workers fire, with the last and the next tick."""
        known = await self._runtime.known_schedules()
        return Schedules(
            tuple(
                ScheduleView(schedule.name, schedule.cron, schedule.zone, schedule.next_due(), last)
                for schedule, last in known
            )
        )

    async def replay_workflow(self, workflow_id: str, body: WorkflowReplay) -> Workflow:
        """The run as it goes on; its open exception, if it has one, is resolved by that."""
        row = await self._row(workflow_id)
        async with self._database.begin() as connection:
            by = await privacy.actor(connection)
            if await exceptions.is_open(connection, row.exception_id):
                await self._resolve(connection, row.exception_id, body, by)
            else:
                await self._restart(connection, row, body, by)
        return await self._read(workflow_id)

    async def _resolve(
        self, connection: AsyncConnection, exception_id: str, body: WorkflowReplay, by: str
    ) -> None:
        await exceptions.resolve(
            connection,
            self._runtime,
            exception_id,
            if_match=None,
            action="replay",
            reason=body.reason,
            corrections=body.corrections,
            by=by,
            duties=self._current_policy.duties,
            consumer=audit.consumer(),
        )

    async def _restart(self, connection: AsyncConnection, row: RunRow, body: WorkflowReplay, by: str) -> None:
        """Restart an ended run, by the rules of exceptions: who caused the work does not decide on it."""
        if row.status not in _REPLAYABLE:
            raise Conflict(f"The workflow is {row.status}: only what stopped is replayed.")
        causers = {"cause-exception": (row.actor, *row.requesters)}
        doer = (by, context.current().who)
        self._current_policy.duties.require_different_person("decide-exception", doer, causers)
        self._runtime.require_read(row.flow, body.corrections)
        await self._runtime.restart(connection, row.id, body.corrections)
        await audit.write(
            connection,
            actor=by,
            consumer=audit.consumer(),
            action="workflow.replayed",
            subject=row.id,
            outcome="accepted",
            detail={"corrections": body.corrections},
            personal={"reason": body.reason},
            correlation_id=row.correlation_id,
        )

    async def _row(self, run_id: str) -> RunRow:
        row = await self._runtime.read(run_id)
        if row is None:
            raise NotFound(f"No workflow has the id {run_id}.")
        return row

    async def _view(self, connection: AsyncConnection, row: RunRow, shared: dict[str, Any]) -> Workflow:
        refs = dict.fromkeys(ref for step in shared["timeline"] for ref in step.refs)
        return Workflow(
            **shared,
            refs=tuple(refs),
            flow=row.flow,
            subject=row.subject,
            entity=row.entity,
            instances=tuple(row.instances),
            owner=await exceptions.owner_of(connection, row.exception_id),
            finished_at=row.finished_at,
        )
