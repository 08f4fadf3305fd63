"""What every flow's API does with its runs: start, read, list, with timeline and planned requests."""

from abc import ABC
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.workflow import Mode, PlannedRequest, Step, WorkflowStatus, WorkflowView
from contracts.events.kinds import WorkflowStatusChanged
from contracts.problems import Conflict, NotFound
from contracts.routing import SystemAssignment
from kit import audit, context, exceptions, privacy
from kit.inbox import InboxRow
from kit.texts import sentence
from kit.workflows import Owner, RunRow, successor_of
from process_apis.failures import SALES
from process_apis.module import FlowDependencies
from process_apis.settings import Modes
from process_apis.systems import assignment_of_run
from process_apis.ways_on import GOES_ON, way_of

V = TypeVar("V", bound=WorkflowView)
# Ends that leave nothing, after which the same may be asked for anew.
ENDED_WITHOUT: tuple[WorkflowStatus, ...] = ("failed", "undone")


# What a run that waits for another one shows of that.
_WAY_ON = ("status_text", "waiting_for", "what_next")


class Beginning(msgspec.Struct, frozen=True):
    """With what a run begins, about what, and whose it is."""

    input: Any
    subject: str
    owner: Owner


class RunEnded(msgspec.Struct, frozen=True):
    """The message to a run that waits for another one: read it now."""

    workflow_id: str = ""


class WorkflowService(ABC, Generic[V]):
    """The base of the services of durable flows. `flow` is the flow's name, `noun` what people call a run.

    A run is shown as a `view`: the fields that all views share, those of its `input` and its `state` that
    have the view's names, and what the flow's service adds.
    """

    flow: ClassVar[str | None] = None  # of all flows
    noun: ClassVar[str]
    view: ClassVar[type[WorkflowView]]
    input: ClassVar[type[msgspec.Struct]]
    state: ClassVar[type[msgspec.Struct]]
    # On which the flow's runs wait for one of another flow.
    wait_topic: ClassVar[str] = ""

    def __init__(self, dependencies: FlowDependencies, modes: Modes | None = None) -> None:
        self._runtime = dependencies.runtime
        self._database = dependencies.database
        self._systems = dependencies.systems
        self._reference = dependencies.reference
        self._current_policy = dependencies.current_policy
        self._modes = modes or Modes()

    def _mode(self, instance: str) -> Mode:
        """The mode for what comes from an instance; raises Conflict where the flow is off."""
        mode = self._modes.mode(instance)
        if mode == "off":
            raise Conflict(f"The flow {self.flow} is switched off for {instance}.")
        return mode

    async def _start(self, connection: AsyncConnection, run_id: str, **more: Any) -> bool:
        """Start a run in the caller's transaction and name (`Runtime.start`)."""
        started = {"correlation_id": context.current().correlation_id, **more}
        who = await privacy.actor(connection)
        flow = self.flow or ""
        return await self._runtime.start(connection, flow=flow, workflow_id=run_id, actor=who, **started)

    async def _start_once(
        self, run_id: str, mode: Mode, beginning: Callable[[], Awaitable[Beginning]]
    ) -> None:
        """Start a run, or request the existing one; a run that only observed is restarted where live."""
        existing = await self._runtime.read(run_id)
        anew = existing is not None and existing.status == "observed" and mode == "live"
        begun = await beginning() if existing is None or anew else None
        async with self._database.begin() as connection:
            if existing is not None:
                await self._runtime.ask_again(connection, run_id, actor=await privacy.actor(connection))
            if begun is not None and anew:
                await self._runtime.restart(connection, run_id, {}, begun.input, mode)
            elif begun is not None:
                await self._start(connection, run_id, mode=mode, **msgspec.structs.asdict(begun))

    async def _newest(self, first: str) -> RunRow | None:
        """The last run of the business object whose first run has this id."""
        async with self._database.connect() as connection:
            return await self._runtime.newest(connection, first)

    async def _succeed_run(self, connection: AsyncConnection, ended: RunRow, **beginning: Any) -> str:
        """The id of the run that succeeds an ended one, new or existing.

        It is the ended one's where a case of it is open, or it was restarted.
        """
        try:
            successor = await self._runtime.successor(connection, ended.id)
        except Conflict:
            later = successor_of(ended.id)
            return later if await self._runtime.read(later) is not None else ended.id
        await self._start(connection, successor, **beginning)
        return successor

    async def _put_right(self, connection: AsyncConnection, case: str) -> bool:
        """Go on with what waits for a correction in the CRM; False for an exception that others decide on."""
        by = await privacy.actor(connection)
        return await exceptions.put_right(
            connection, self._runtime, case, teams=(SALES,), by=by, consumer=audit.consumer()
        )

    async def _assigned(self, selling_entity: str) -> SystemAssignment:
        """The systems of the run that asks, and for the rest those of the routing in force.

        Only a run of the deployment has an id in the context, so that no outside caller can choose it.
        """
        asking = context.current().workflow_id
        pinned = assignment_of_run(await self._runtime.read(asking)) if asking else {}
        return self._systems.pinned_or_current(pinned, selling_entity)

    async def on_run_ended(self, connection: AsyncConnection, row: InboxRow) -> None:
        """Wake every run of the flow that waits for a run which has ended, well or not."""
        changed = msgspec.convert(row.data, WorkflowStatusChanged)
        if changed.finished_at is None:
            return
        ended = RunEnded(changed.workflow_id)
        for waiting in await self._runtime.waiting_for(connection, ended.workflow_id, flow=self.flow or ""):
            key = f"{row.id}:{waiting}"
            await self._runtime.signal(connection, waiting, self.wait_topic, ended, key=key)

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
            shared = _shared(row, timeline, planned) | await self._way_on(connection, row)
            return await self._view(connection, row, shared)

    async def _way_on(self, connection: AsyncConnection, row: RunRow) -> dict[str, str]:
        """Who must act for a run to go on, and what next; of one that waits for another run, that one's."""
        awaited = await self._awaited(connection, row)
        if awaited is not None:
            if awaited.finished_at:
                return {}
            stands = awaited.status in ("waiting", "parked")
            text = {"status_text": awaited.status_text} if stands else {}
            theirs = text | await self._way_on(connection, awaited)
            return {name: theirs[name] for name in _WAY_ON if name in theirs}
        cases = await exceptions.open_cases(connection, [row.exception_id] if row.exception_id else [])
        if row.status == "parked" and not cases:
            return {"status": "running", "exception_id": "", "status_text": GOES_ON}
        case = cases.get(row.exception_id)
        text = {"status_text": f"{sentence(row.status_text)} {case.why}"} if case is not None else {}
        way = way_of(row, case)
        what_next = " ".join(filter(None, (way.by, way.then))) if way.by else ""
        return {**text, "waiting_for": way.who, "what_next": what_next}

    async def _awaited(self, connection: AsyncConnection, row: RunRow) -> RunRow | None:
        """The run for which another waits, if it is the caller's."""
        waits = row.status == "waiting" and row.waits_for
        return await self._runtime.read_in(connection, row.waits_for) if waits else None

    async def _find(self, **wanted: Any) -> tuple[tuple[V, ...], str | None]:
        """A page of the flow's runs, newest first and without timelines, and the next page's cursor."""
        page = await self._runtime.find(**{"flow": self.flow, **wanted})
        async with self._database.connect() as connection:
            items = [
                await self._view(connection, row, _shared(row) | await self._way_on(connection, row))
                for row in page.items
            ]
        return tuple(items), page.next_cursor

    async def _view(self, connection: AsyncConnection, row: RunRow, shared: dict[str, Any]) -> V:
        given, state = msgspec.convert(row.input, self.input), msgspec.convert(row.data, self.state)
        own = msgspec.structs.asdict(given) | msgspec.structs.asdict(state)
        known = own | shared | await self._more(connection, row, state)
        view: Any = self.view
        return view(**{name: known[name] for name in self.view.__struct_fields__ if name in known})

    async def _more(self, connection: AsyncConnection, row: RunRow, state: Any) -> dict[str, Any]:
        """The fields of the view that neither input nor state has under their names."""
        del connection, row, state
        return {}


def _shared(
    row: RunRow, timeline: tuple[Step, ...] = (), planned: tuple[PlannedRequest, ...] = ()
) -> dict[str, Any]:
    """The fields of `WorkflowView`, but for the references, which are of the flow's state."""
    names = set(WorkflowView.__struct_fields__) & set(RunRow.__struct_fields__)
    return {name: getattr(row, name) for name in names} | {"timeline": timeline, "would_send": planned}
