"""What every flow's API does with its runs: start, read, list, with timeline and planned requests."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.workflow import PlannedRequest, Step, WorkflowView
from contracts.problems import NotFound
from kit import context, privacy
from kit.database import Database
from kit.workflows import RunRow, Runtime

V = TypeVar("V", bound=WorkflowView)


class WorkflowService(ABC, Generic[V]):
    """The base of the services of durable flows. `flow` is the flow's name, `noun` what people call a run.

    A flow's service says how its view is made of a run, and of the fields that all views share.
    """

    flow: ClassVar[str | None] = None  # of all flows
    noun: ClassVar[str]

    def __init__(self, runtime: Runtime, database: Database) -> None:
        self._runtime = runtime
        self._database = database

    @abstractmethod
    async def _view(self, connection: AsyncConnection, row: RunRow, shared: dict[str, Any]) -> V: ...

    async def _start(self, connection: AsyncConnection, run_id: str, **more: Any) -> bool:
        """Start a run in the caller's transaction, in his name (`Runtime.start`)."""
        started = {"correlation_id": context.current().correlation_id, **more}
        who = await privacy.actor(connection)
        flow = self.flow or ""
        return await self._runtime.start(connection, flow=flow, workflow_id=run_id, actor=who, **started)

    async def _row(self, run_id: str) -> RunRow:
        """The run; raises NotFound for another flow's, alike for none."""
        row = await self._runtime.read(run_id)
        if row is None or row.flow != self.flow:
            raise NotFound(f"No {self.noun} has the id {run_id}.")
        return row

    async def _read(self, run_id: str) -> V:
        return await self._whole(await self._row(run_id))

    async def _whole(self, row: RunRow) -> V:
        """The run with its timeline and, if it observed, what it would have sent."""
        timeline = await self._runtime.timeline(row.id)
        planned = await self._runtime.planned_requests(row.id) if row.status == "observed" else ()
        async with self._database.connect() as connection:
            return await self._view(connection, row, _shared(row, timeline, planned))

    async def _find(self, **wanted: Any) -> tuple[tuple[V, ...], str | None]:
        """A page of the flow's runs, newest first and without timelines, and the next page's cursor."""
        page = await self._runtime.find(**{"flow": self.flow, **wanted})
        async with self._database.connect() as connection:
            items = [await self._view(connection, row, _shared(row)) for row in page.items]
        return tuple(items), page.next_cursor


def _shared(
    row: RunRow, timeline: tuple[Step, ...] = (), planned: tuple[PlannedRequest, ...] = ()
) -> dict[str, Any]:
    """The fields of `WorkflowView`, but for the references, which are of the flow's state."""
    names = set(WorkflowView.__struct_fields__) & set(RunRow.__struct_fields__)
    return {name: getattr(row, name) for name in names} | {"timeline": timeline, "would_send": planned}
