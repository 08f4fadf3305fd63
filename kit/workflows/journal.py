"""kit/workflows: the rows that show a run to people: its state, its steps, what it would have sent."""

# ruff: noqa: A002 - an id, a type and an object are called what they are

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import cast, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.values import Ref
from contracts.canonical.workflow import PlannedRequest, StepStatus, WorkflowStatus
from contracts.events.kinds import WORKFLOW_STATUS_CHANGED, WorkflowStatusChanged
from kit import clock, exceptions
from kit.database import Database
from kit.database.tables import due, runs, steps, would_send
from kit.exceptions.login import wait_for_login
from kit.inbox import publish
from kit.workflows.flow import ExceptionDraft, Owner

FINISHED: tuple[WorkflowStatus, ...] = ("done", "undone", "observed", "failed")


class Journal:
    """Writes one run's rows.

    Every write names its place in the run's history (`position`, `attempts`), so that a process that was
    paused and wakes after a takeover cannot put an older state over a newer one.
    """

    def __init__(self, database: Database, run_id: str, flow: str, correlation_id: str, subject: str) -> None:
        self._database = database
        self.run_id = run_id
        self.flow = flow
        self.correlation_id = correlation_id
        self.subject = subject

    async def begin_step(self, seq: int, name: str, title: str, status: StepStatus = "running") -> int:
        """Write that a step is tried, before its effect; which try it is."""
        row = insert(steps).values(
            run_id=self.run_id,
            seq=seq,
            name=name,
            title=title,
            status=status,
            started_at=clock.now(),
            correlation_id=self.correlation_id,
        )
        again = {"attempts": steps.c.attempts + 1, "status": status, "finished_at": None}
        async with self._database.begin() as connection:
            written = await connection.execute(
                row.on_conflict_do_update(index_elements=["run_id", "seq"], set_=again).returning(
                    steps.c.attempts
                )
            )
            return written.scalar_one()

    async def end_step(
        self,
        seq: int,
        attempt: int | None,
        status: StepStatus,
        detail: str | None,
        refs: tuple[Ref, ...] = (),
        *,
        clocks: str = "",
    ) -> None:
        """Write how a step ended; a try that was overtaken by another writes nothing."""
        where = (steps.c.run_id == self.run_id) & (steps.c.seq == seq)
        if attempt is not None:
            where &= steps.c.attempts == attempt
        values: dict[str, Any] = {"status": status}
        if detail is not None:
            values["detail"] = detail
        if refs:
            values["refs"] = msgspec.to_builtins(refs)
        if status != "running":
            values["finished_at"] = clock.now()
        async with self._database.begin() as connection:
            await connection.execute(update(steps).where(where).values(**values))
            if clocks:
                await connection.execute(due.delete().where(due.c.id == clocks))

    async def update_status(
        self,
        position: int,
        *,
        status: WorkflowStatus | None = None,
        text: str = "",
        data: dict[str, Any] | None = None,
        due_at: dt.datetime | None = None,
        corrections: dict[str, str] | None = None,
        exception_id: str | None = None,
    ) -> None:
        """Update the run's row, and publish an event when its status changes."""
        async with self._database.begin() as connection:
            await self.update_status_in(
                connection,
                position,
                status=status,
                text=text,
                data=data,
                due_at=due_at,
                corrections=corrections,
                exception_id=exception_id,
            )

    async def update_status_in(
        self,
        connection: AsyncConnection,
        position: int,
        *,
        status: WorkflowStatus | None,
        text: str,
        data: dict[str, Any] | None = None,
        due_at: dt.datetime | None = None,
        corrections: dict[str, str] | None = None,
        exception_id: str | None = None,
    ) -> None:
        query = select(runs.c.status, runs.c.position).where(runs.c.id == self.run_id)
        before = (await connection.execute(query.with_for_update())).one()
        if before.position >= position:
            return
        values: dict[str, Any] = {
            "position": position,
            "version": runs.c.version + 1,
            "updated_at": clock.now(),
            "due_at": due_at,
        }
        if data:
            values["data"] = runs.c.data.op("||")(_json(data))
        if corrections:
            values["corrections"] = runs.c.corrections.op("||")(_json(corrections))
        if status:
            values |= {"status": status, "finished_at": clock.now() if status in FINISHED else None}
        if text:
            values["status_text"] = text
        if exception_id is not None:
            values["exception_id"] = exception_id
        changed = update(runs).where(runs.c.id == self.run_id).values(**values).returning(runs)
        row = (await connection.execute(changed)).one()
        if status and status != before.status:
            await self.announce(connection, position, row)

    async def finish(self, position: int) -> None:
        """Show the run as done, unless it already shows an end."""
        query = select(runs.c.status).where(runs.c.id == self.run_id)
        async with self._database.begin() as connection:
            status = (await connection.execute(query)).scalar_one()
            if status not in FINISHED:
                await self.update_status_in(connection, position, status="done", text="Done", exception_id="")

    async def park(
        self,
        position: int,
        exception_id: str,
        stop: ExceptionDraft,
        *,
        step: str,
        caused_by: str,
        resume: exceptions.Resume,
        status: WorkflowStatus,
    ) -> str:
        """Raise an exception, or join a failed login's, and show the run as stopped; the case's id."""
        async with self._database.begin() as connection:
            text = stop.stopped
            if stop.login is not None:
                waiter = f"{self.run_id}/{position}"
                exception_id = await wait_for_login(
                    connection,
                    stop.login,
                    waiter=waiter,
                    resume=resume,
                    correlation_id=self.correlation_id,
                )
                text += f" It waits until our login at {stop.login.instance} works again."
            else:
                await exceptions.raise_exception(
                    connection,
                    id=exception_id,
                    kind=stop.kind,
                    flow=self.flow,
                    subject=self.subject,
                    stopped=stop.stopped,
                    why=stop.why,
                    what_next=stop.what_next,
                    owner=stop.owner,
                    errors=stop.errors,
                    before=stop.before,
                    after=stop.after,
                    within=stop.within,
                    reason=stop.reason,
                    correlation_id=self.correlation_id,
                    workflow_id=self.run_id,
                    step=step,
                    caused_by=caused_by,
                    resume=resume,
                )
            await self.update_status_in(
                connection,
                position,
                status=status,
                text=text,
                exception_id=exception_id,
                due_at=clock.now() + dt.timedelta(seconds=stop.within),
            )
        return exception_id

    async def belongs_to(self, owner: Owner) -> None:
        """Write what is known of whose row the run is; instances are added to those before."""
        known = {"entity": owner.entity, "customer": owner.customer, "systems": owner.systems}
        values: dict[str, Any] = {name: value for name, value in known.items() if value}
        query = select(runs.c.instances).where(runs.c.id == self.run_id).with_for_update()
        async with self._database.begin() as connection:
            before = (await connection.execute(query)).scalar_one()
            values["instances"] = list(dict.fromkeys((*before, *owner.instances)))
            await connection.execute(update(runs).where(runs.c.id == self.run_id).values(**values))

    async def waits_for(self, key: str) -> None:
        """Write what the run waits for."""
        async with self._database.begin() as connection:
            await connection.execute(update(runs).where(runs.c.id == self.run_id).values(waits_for=key))

    async def wait_until(self, name: str, due_at: dt.datetime) -> None:
        """Start an SLA clock."""
        row = insert(due).values(
            id=name, kind="wait", subject=self.run_id, correlation_id=self.correlation_id, due_at=due_at
        )
        async with self._database.begin() as connection:
            await connection.execute(row.on_conflict_do_nothing())

    async def emit(self, id: str, type: str, subject: str, data: Any, *, deliver: bool) -> None:
        async with self._database.begin() as connection:
            await publish(
                connection,
                id=id,
                type=type,
                subject=subject,
                key=subject,
                data=data,
                correlation_id=self.correlation_id,
                run_id=self.run_id,
                deliver=deliver,
            )

    async def would_send(self, seq: int, planned: PlannedRequest) -> None:
        row = insert(would_send).values(run_id=self.run_id, seq=seq, **msgspec.structs.asdict(planned))
        async with self._database.begin() as connection:
            await connection.execute(row.on_conflict_do_nothing())

    async def announce(self, connection: AsyncConnection, position: int, row: Any) -> None:
        """Publish the run as its row has it since its status changed, in the caller's transaction."""
        changed = WorkflowStatusChanged(
            workflow_id=row.id,
            flow=row.flow,
            status=row.status,
            status_text=row.status_text,
            subject=row.subject,
            mode=row.mode,
            entity=row.entity,
            customer=row.customer,
            instances=tuple(row.instances),
            started_at=row.started_at,
            due_at=row.due_at,
            finished_at=row.finished_at,
            exception_id=row.exception_id,
        )
        await self.publish_in(connection, f"{position}", WORKFLOW_STATUS_CHANGED, changed)

    async def publish_in(
        self, connection: AsyncConnection, key: str, type: str, data: msgspec.Struct
    ) -> None:
        """Write an event of the run itself, once per key, in the caller's transaction."""
        await publish(
            connection,
            id=f"evt_{self.run_id}_{key}",
            type=type,
            subject=self.run_id,
            key=self.run_id,
            data=data,
            correlation_id=self.correlation_id,
            run_id=self.run_id,
            deliver=True,
        )


def _json(value: dict[str, Any]) -> Any:
    return cast(literal(msgspec.to_builtins(value, str_keys=True), runs.c.data.type), runs.c.data.type)
