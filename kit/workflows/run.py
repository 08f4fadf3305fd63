"""kit/workflows: what a flow's function gets: durable steps, waits, status updates, and undo in reverse."""

# ruff: noqa: A002 - an id, a type and an object are called what they are

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec
from dbos import DBOS
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.exception import reason_of
from contracts.canonical.values import Ref
from contracts.canonical.workflow import Mode, PlannedRequest, StepStatus, WorkflowStatus
from contracts.problems import Problem
from kit import context, exceptions
from kit.exceptions.login import failed_login
from kit.workflows.attempts import Attempts, Work
from kit.workflows.flow import (
    ExceptionDraft,
    Flow,
    NoState,
    Owner,
    Recheck,
    Undone,
    WorkflowSettings,
    explain,
)
from kit.workflows.gate import Gate, retry_until_available
from kit.workflows.journal import Journal

T = TypeVar("T")
M = TypeVar("M", bound=msgspec.Struct)

_FOREVER_SECONDS = 100 * 366 * 24 * 3600.0
SEQUENCES_PER_ATTEMPT = 1_000_000


class Order(msgspec.Struct, frozen=True):
    """What the engine stores of a run's start; everything else is in its row."""

    run_id: str
    attempt: int
    input: dict[str, Any]
    corrections: dict[str, str]
    correlation_id: str
    subject: str
    actor: str
    traceparent: str = ""
    mode: Mode | None = None


class _Done(msgspec.Struct, Generic[T]):
    """A step that can be taken back."""

    work: Work[T]
    title: str
    undo: Callable[[T], Awaitable[None]]
    value: T


class Run:
    """One run of a flow. `id` names it in all attempts.

    `corrections` are what people put right so far: read them inside a step, which is tried again with them.
    `mode` was set where it started: one that is `observing` records its effects and sends none.
    """

    def __init__(
        self, database: Any, flow: Flow, order: Order, settings: WorkflowSettings, gate: Gate
    ) -> None:
        self.id = order.run_id
        self.attempt = order.attempt
        self.correlation_id = order.correlation_id
        self.subject = order.subject
        self.actor = order.actor
        self.input: Any = msgspec.convert(order.input, flow.input, str_keys=True)
        self.state: Any = getattr(flow, "state", NoState)()
        self.corrections = dict(order.corrections)
        # Orders of earlier versions have it in their input.
        self.mode: Mode = order.mode or order.input.get("mode", "live")
        self._planned = 0
        self._flow = flow
        self._gate = gate
        self._place = order.attempt * SEQUENCES_PER_ATTEMPT
        self._undo: list[_Done[Any]] = []
        self._in_doubt: Callable[[], Awaitable[None]] | None = None
        self._journal = Journal(database, order.run_id, flow.name, order.correlation_id, order.subject)
        here = context.Context(
            correlation_id=order.correlation_id,
            actor=order.actor,
            traceparent=order.traceparent,
            lane="batch",
            workflow_id=order.run_id,
        )
        self._attempts = Attempts(self._journal, settings, gate, here)

    @property
    def observing(self) -> bool:
        """Whether the run works out what it would change, and changes nothing."""
        return self.mode == "observe"

    async def step(
        self,
        name: str,
        title: str,
        do: Callable[[], Awaitable[T]],
        *,
        returns: type[T],
        undo: Callable[[T], Awaitable[None]] | None = None,
        undo_title: str = "",
        find: Callable[[], Awaitable[T | None]] | None = None,
        skipped: Callable[[], T] | None = None,
        refs: Callable[[T], tuple[Ref, ...]] | None = None,
        detail: Callable[[T], str] | None = None,
        explain: Callable[[Problem], ExceptionDraft] | None = None,
        patience: float | None = None,
        recheck: Recheck | None = None,
        corrects: tuple[str, ...] | None = None,
    ) -> T:
        """Do something once, durably, and give back what it gave.

        `undo` takes it back when the run is undone; `find` looks, before that, for what a try in doubt
        may have left. `skipped` gives the value with which the flow goes on when a person skips the step;
        without it skipping undoes the run. When the step fails for good, `explain` words the exception, and
        the run waits for a person (on_failure "park") or is undone at once (on_failure "undo"). `recheck`
        is what the step rests on: read again when it is stale, and before a person's replay. `corrects` are
        the corrections that the step reads by itself; without it, those that its recheck does.
        """
        work = Work(
            self._next(),
            name,
            title,
            do,
            returns,
            refs=refs,
            detail=detail,
            patience=patience,
            recheck=recheck,
            corrects=corrects if corrects is not None else recheck.corrects if recheck else (),
        )
        back = undo_title or f"Take back: {title}"
        if undo and find:
            self._in_doubt = self._lookup(work, back, undo, find)
        while True:
            try:
                value = await self._attempts.make(work)
            except Problem as problem:
                stop = _with_cause((explain or self._explain(title))(problem), problem)
                decided = await self._stop(work, stop, may_skip=skipped is not None)
                if decided == "skip" and skipped is not None:
                    self._in_doubt = None
                    return skipped()
                if recheck is not None and await self.patched("recheck"):
                    await recheck.read_again()
            else:
                if undo is not None:
                    self._in_doubt = None
                    self._undo.append(_Done(work, back, undo, value))
                return value

    async def wait(
        self, topic: str, kind: type[M], *, title: str, status_text: str, due_at: dt.datetime | None = None
    ) -> M:
        """Wait for a message on a topic, however long; `due_at` is when the wait breaches its SLA."""
        place = self._next()
        clocks = f"{self.id}/{place}" if due_at else ""

        async def begin() -> None:
            await self._journal.begin_step(place, topic, title, "waiting")
            if due_at:
                await self._journal.wait_until(clocks, due_at)
            await self._journal.update_status(place, status="waiting", text=status_text, due_at=due_at)

        await self._durably(f"wait for {topic}", begin)
        message = msgspec.convert(await self._receive(topic), kind, str_keys=True)
        after = self._next()

        async def end() -> None:
            await self._journal.end_step(place, None, "done", "", clocks=clocks)
            await self._journal.update_status(after, status="running", text=title)

        await self._durably(f"go on after {topic}", end)
        return message

    async def update_status(
        self, status: WorkflowStatus | None = None, text: str = "", state: msgspec.Struct | None = None
    ) -> None:
        """Show people the run's status, with its new `state` if it changed."""
        self.state = state or self.state
        place, data = self._next(), msgspec.to_builtins(state, str_keys=True) if state else None
        await self._durably(
            "tell",  # the engine stores the names of steps: another one would not replay an earlier run
            lambda: self._journal.update_status(place, status=status, text=text, data=data),
        )

    async def belongs_to(self, owner: Owner) -> None:
        """Record whose row the run is, from within a step, as soon as it is known."""
        await retry_until_available(lambda: self._journal.belongs_to(owner))

    async def waits_for(self, key: str) -> None:
        """Record what the run waits for, from within a step: by this key it is looked up and woken."""
        await retry_until_available(lambda: self._journal.waits_for(key))

    async def emit(
        self, type: str, subject: str, data: msgspec.Struct, *, key: str, deliver: bool = False
    ) -> None:
        """Publish an event of a business object, once per run and key; a run that observes publishes none.

        With `deliver` it comes to our own subscribers too.
        """
        if self.observing:
            return
        self._next()
        identity = f"evt_{self.id}_{key}"
        await self._durably(
            f"emit {key}",
            lambda: self._journal.emit(
                identity, type, subject, msgspec.to_builtins(data, str_keys=True), deliver=deliver
            ),
        )

    async def publish_in(self, connection: AsyncConnection, type: str, data: msgspec.Struct) -> None:
        """Write an event of the run itself, also while it observes: from within a step, once per step."""
        await self._journal.publish_in(connection, f"{self._place}_in", type, data)

    async def would_send(self, planned: PlannedRequest) -> None:
        """Record what observe mode worked out and does not send."""
        place = self._next()
        self._planned += 1
        await self._durably(f"would send {planned.step}", lambda: self._journal.would_send(place, planned))

    async def observed(self, what: str, more: str = "") -> None:
        """Show a run that only observes at its end."""
        text = f"{what} was observed: {self._planned} requests worked out, none sent. {more}"
        await self.update_status("observed", text.rstrip())

    async def patched(self, name: str) -> bool:
        """Whether this run has the step that was added later: False for one that was past it already."""
        async with self._gate.admit():
            return await DBOS.patch_async(name)

    async def finish(self) -> None:
        """Show the run as done, unless the flow set another end itself."""
        place = self._next()
        await self._durably("finish", lambda: self._journal.finish(place))

    async def hand_over(self, name: str, title: str, stop: ExceptionDraft) -> None:
        """Stop for a person's decision; returns when the flow shall go on, raises Undone when not."""
        work = Work(self._next(), name, title, _nothing, type(None), corrects=None)
        await self._durably("stop", lambda: self._journal.begin_step(work.seq, name, title))
        await self._stop(work, stop, may_skip=False)
        await self._step_ended(work, "done", None)

    async def take_back(self) -> bool:
        """Take back what was made so far, the last first; False when nothing was."""
        made = bool(self._undo) or self._in_doubt is not None
        await self._unwind()
        return made

    async def fail(self, problem: Problem) -> None:
        """Stop outside any step; returns when the flow is to be run again from its beginning."""
        place = self._next()
        title = f"The flow {self._flow.name}"
        nowhere = Work(place, "flow", title, _nothing, type(None), corrects=None)
        await self._durably("stop", lambda: self._journal.begin_step(place, "flow", nowhere.title))
        stop = _with_cause(self._explain(nowhere.title)(problem), problem)
        await self._stop(nowhere, stop, may_skip=False)

    async def _stop(self, work: Work[T], stop: ExceptionDraft, *, may_skip: bool) -> str:
        """Hand a failed step to a person: "replay" or "skip" when the flow goes on; raises Undone if not."""
        if self._flow.on_failure == "undo":
            await self._step_ended(work, "failed", stop.why)
            await self._unwind()
            await self._park(work, stop, exceptions.Resume(kind="restart", workflow_id=self.id), "undone")
            raise Undone(stop.stopped)
        decision = await self._ask(work, stop)
        if decision.action == "replay":
            return "replay"
        if decision.action == "skip" and may_skip:
            await self._step_ended(work, "skipped", decision.reason)
            return "skip"
        await self._step_ended(work, "failed", decision.reason)
        await self._unwind()
        await self.update_status("undone", f"Undone: {decision.reason}")
        raise Undone(decision.reason)

    async def _ask(self, work: Work[Any], stop: ExceptionDraft) -> exceptions.Decision:
        """Park with an exception and wait for the decision on it."""
        await self._step_ended(work, "failed", stop.why)
        resume = exceptions.Resume(kind="signal", workflow_id=self.id, corrections=work.corrects)
        exception_id = await self._park(work, stop, resume, "parked")
        decision = msgspec.convert(
            await self._receive(exceptions.topic_of(exception_id)), exceptions.Decision, str_keys=True
        )
        self.corrections.update(decision.corrections)
        place = self._next()
        await self._durably(
            "resolved",
            lambda: self._journal.update_status(
                place,
                status="running",
                text=work.title,
                corrections=decision.corrections,
                exception_id="",
            ),
        )
        return decision

    async def _park(
        self, work: Work[Any], stop: ExceptionDraft, resume: exceptions.Resume, status: WorkflowStatus
    ) -> str:
        place = self._next()
        exception_id = f"exc_{self.id}_{place}"

        async def park() -> str:
            return await retry_until_available(
                lambda: self._journal.park(
                    place,
                    exception_id,
                    stop,
                    step=work.name,
                    caused_by=self.actor,
                    resume=resume,
                    status=status,
                )
            )

        async with self._gate.admit():
            parked: str | bool = await DBOS.run_step_async({"name": "park"}, park)
        # Histories of earlier versions have only that it was parked.
        return parked if isinstance(parked, str) else exception_id

    async def _unwind(self) -> None:
        """Take back what was done, the last first; what cannot be taken back is a case of its own."""
        await self.update_status("running", "Taking back what was done")
        lookup, self._in_doubt = self._in_doubt, None
        if lookup is not None:
            await lookup()
        while self._undo:
            await self._undo_step(self._undo.pop())

    async def _undo_step(self, done: _Done[Any]) -> None:
        name = f"undo {done.work.name}"
        work = Work(self._next(), name, done.title, lambda: done.undo(done.value), type(None))
        if await self._retry_until_available(work):
            await self._step_ended(done.work, "undone", None)

    async def _retry_until_available(self, work: Work[Any]) -> bool:
        """Do a part of an undo; False when a person decided to leave it."""
        while True:
            try:
                await self._attempts.make(work)
            except Problem as problem:
                decision = await self._ask(work, _undo_failed(work, problem))
                if decision.action != "replay":
                    await self._step_ended(work, "skipped", decision.reason)
                    return False
            else:
                return True

    def _lookup(
        self,
        work: Work[T],
        title: str,
        undo: Callable[[T], Awaitable[None]],
        find: Callable[[], Awaitable[T | None]],
    ) -> Callable[[], Awaitable[None]]:
        """How to find, and then take back, what a failed step may have left."""

        async def settle() -> None:
            async def look() -> None:
                value = await find()
                if value is not None:
                    await undo(value)

            await self._retry_until_available(
                Work(self._next(), f"undo {work.name}", title, look, type(None))
            )

        return settle

    def _explain(self, title: str) -> Callable[[Problem], ExceptionDraft]:
        return lambda problem: explain(problem, title)

    async def _step_ended(self, work: Work[Any], status: StepStatus, detail: str | None) -> None:
        await self._durably(
            f"{work.name} {status}", lambda: self._journal.end_step(work.seq, None, status, detail)
        )

    async def _receive(self, topic: str) -> Any:
        return await DBOS.recv_async(topic, timeout_seconds=_FOREVER_SECONDS)

    async def _durably(self, name: str, write: Callable[[], Awaitable[Any]]) -> None:
        async def body() -> bool:
            await retry_until_available(write)
            return True

        async with self._gate.admit():
            await DBOS.run_step_async({"name": name}, body)

    def _next(self) -> int:
        self._place += 1
        return self._place


def _with_cause(stop: ExceptionDraft, problem: Problem) -> ExceptionDraft:
    login = problem if failed_login(problem) else None
    return msgspec.structs.replace(stop, reason=reason_of(problem), login=login)


def _undo_failed(work: Work[Any], problem: Problem) -> ExceptionDraft:
    stop = _with_cause(explain(problem, work.title), problem)
    return msgspec.structs.replace(
        stop,
        stopped=f"What was made could not be taken back: {work.title}",
        what_next="Replay once it can be taken back; or take it back by hand there, and then skip.",
    )


async def _nothing() -> None:
    """What a flow that fails outside its steps was doing."""
