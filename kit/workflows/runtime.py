"""kit/workflows: the one runtime of a process: starts, signals, reads runs; a worker executes them."""

# ruff: noqa: A002 - an id, a type and an object are called what they are

import asyncio
import datetime as dt
import hashlib
import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from dbos import DBOS, DBOSClient, DBOSConfig
from dbos import error as engine_errors
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.workflow import Mode, PlannedRequest, Step
from contracts.problems import Conflict, NotFound, Problem, Unexpected
from kit import audit, clock, context, exceptions
from kit.background import run_background, stop_background
from kit.database import Database
from kit.database.rows import own
from kit.database.tables import runs
from kit.workflows import reading, succession
from kit.workflows.correcting import require_read
from kit.workflows.engine import announce, dead_threads, pin_loop, wait_for_primary, wake_when_announced
from kit.workflows.flow import Flow, NoState, Owner, RunRow, Undone, WorkflowSettings
from kit.workflows.gate import Gate, retry_until_available
from kit.workflows.journal import Journal
from kit.workflows.liveness import Liveness
from kit.workflows.overdue import sweep
from kit.workflows.reading import RunPage
from kit.workflows.run import SEQUENCES_PER_ATTEMPT, Order, Run
from kit.workflows.schedules import WORKFLOW as TICK
from kit.workflows.schedules import Schedule, apply_schedules, fill_gaps, known_schedules, take_in
from kit.workflows.serializing import JsonSerializer

logger = logging.getLogger(__name__)


class Runtime:
    """Durable execution for one process.

    With `worker` it executes the registered flows and looks after dead processes; without, it only starts,
    signals and reads. `application` and `version` name what may execute a run: raise the version by hand,
    and only for a change of a flow that old runs cannot bear. `executor` is unique per process.
    """

    def __init__(
        self,
        database: Database,
        *,
        application: str,
        version: str,
        executor: str,
        worker: bool,
        settings: WorkflowSettings = WorkflowSettings(),  # noqa: B008 - frozen
    ) -> None:
        self.database = database
        self._application = application
        self._version = f"{application}-{version}"
        self._executor = executor
        self._worker = worker
        self._settings = settings
        self._queue = f"{application}-start"
        self._flows: dict[str, Flow] = {}
        self.schedules: list[Schedule] = []
        self._gate = Gate()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._watchers: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None  # on which flows run, while they may
        self._engine: DBOS | None = None  # once it was launched
        self._liveness = Liveness(database, executor, self._version, self._queue, settings.liveness)
        self._client = DBOSClient(
            system_database_url=database.url,
            application_name=application,
            serializer=JsonSerializer(),
            system_database_pool_size=2,
            lazy=True,
        )

    def register(self, flow: Flow) -> None:
        """Make a flow known, before the launch: a worker executes it, others check its corrections."""
        self._flows[flow.name] = flow

    def every(self, schedule: Schedule) -> None:
        """Put each tick of a schedule into the inbox, once over all workers; call it before the launch."""
        self.schedules.append(schedule)

    async def launch(self) -> None:
        """Begin to execute; the database must answer and be migrated."""
        # Otherwise the engine writes to standard error by itself.
        logging.getLogger("dbos").addHandler(logging.NullHandler())
        if not self._worker:
            return
        await self._liveness.show()
        await asyncio.to_thread(self._register_queue)
        self._loop = asyncio.get_running_loop()  # where the clients that flows use live
        self._engine = DBOS(config=self._config())
        pin_loop(self._engine, self._loop)
        for flow in self._flows.values():
            self._register_flow(flow)
        self._register_tick()
        await asyncio.to_thread(apply_schedules, self._client, self._queue, self.schedules)
        for schedule in self.schedules:
            logger.info("The schedule %s is due next at %s", schedule.name, schedule.next_due())
        DBOS.listen_queues([self._queue])
        since = dt.datetime.now(dt.UTC)
        DBOS.launch()
        wake_when_announced(self._engine, self._queue)
        wait_for_primary(self._engine)
        self._watchers = [
            run_background("looking after other processes", self._liveness.watch),
            run_background("sweep of the runs", lambda: sweep(self.database, self._settings.sweep)),
            run_background(
                "missed ticks", lambda: fill_gaps(self._client, self.schedules, since, self._settings.sweep)
            ),
        ]

    @property
    def running(self) -> bool:
        """Whether this process executes what it is to execute; once it does not, only a new one does."""
        return not self._worker or (self._loop is not None and not self.dead_threads)

    @property
    def dead_threads(self) -> list[str]:
        """The names of the engine's threads that have ended though it was not stopped."""
        return dead_threads(self._engine) if self._loop is not None and self._engine is not None else []

    async def close(self) -> None:
        """Finish the steps in flight and stop; another process continues unfinished runs."""
        await stop_background(*self._watchers)
        if self._worker:
            await self._gate.close(self._settings.drain)
            await self._cancel_runs()
            await self._destroy()
            await self._cancel_runs()
            self._loop = None
            await self._liveness.hide()
        self._client.destroy()

    async def start(
        self,
        conn: AsyncConnection,
        *,
        flow: str,
        workflow_id: str,
        input: msgspec.Struct,
        correlation_id: str,
        subject: str,
        actor: str,
        owner: Owner = Owner(),  # noqa: B008 - frozen
        mode: Mode = "live",
    ) -> bool:
        """Start a run in the caller's transaction; False when it was started before with the same input.

        `actor` is stored, so a person is a pseudonym, as `privacy.actor` returns it; `owner` says whose
        row it is, as far as that is known; `mode` is fixed for the run. Raises Conflict when the id was used
        with another input, NotFound when the caller may not see the run. The first correlation id wins.
        """
        plain = msgspec.to_builtins(input, str_keys=True)
        fingerprint = _fingerprint(flow, plain)
        order = Order(
            run_id=workflow_id,
            attempt=1,
            input=plain,
            corrections={},
            correlation_id=correlation_id,
            subject=subject,
            actor=actor,
            traceparent=context.current().traceparent,
            mode=mode,
        )
        row = insert(runs).values(
            id=workflow_id,
            flow=flow,
            status="running",
            status_text="Accepted",
            engine_id=workflow_id,
            fingerprint=fingerprint,
            input=plain,
            correlation_id=correlation_id,
            subject=subject,
            actor=actor,
            **msgspec.to_builtins(owner),
            mode=mode,
            traceparent=order.traceparent,
            started_at=clock.now(),
            updated_at=clock.now(),
        )
        # Of whichever unique column: of many at once, one may meet the other's engine id before its id.
        made = (await conn.execute(row.on_conflict_do_nothing().returning(runs))).one_or_none()
        query = select(runs.c.fingerprint, runs.c.input).where(runs.c.id == workflow_id, *own(runs))
        stored = (await conn.execute(query)).one_or_none()
        if stored is None:  # also when it exists: a caller cannot start a run that it may not see
            raise NotFound("There is no such case of yours")
        if made is not None:
            journal = Journal(self.database, workflow_id, flow, correlation_id, subject)
            await journal.announce(conn, order.attempt * SEQUENCES_PER_ATTEMPT, made)
            await self._enqueue(conn, flow, workflow_id, order)
            await audit.write(
                conn,
                action=f"{flow}.started",
                outcome="accepted",
                actor=actor,
                consumer=audit.consumer(),
                subject=workflow_id,
                correlation_id=correlation_id,
            )
            return True
        if fingerprint not in (stored.fingerprint, _fingerprint(flow, _without_mode(stored.input))):
            raise Conflict(f"{workflow_id} was started before with other data")
        await self.ask_again(conn, workflow_id, actor=actor)
        return False

    async def ask_again(self, conn: AsyncConnection, workflow_id: str, *, actor: str) -> None:
        """Record an actor that requested a run which had started: a part in the case, for duties."""
        await reading.add_requester(conn, workflow_id, actor)

    async def restart(
        self,
        conn: AsyncConnection,
        workflow_id: str,
        corrections: dict[str, str],
        input: msgspec.Struct | None = None,
        mode: Mode | None = None,
    ) -> None:
        """Run an ended run again from its beginning, with corrections, in the caller's transaction.

        With `input` or `mode` it begins with those. Its ledger keys stay the same, so it revives what it
        had made. Raises NotFound, and Conflict where it goes on, or another run took its place.
        """
        rows = await conn.execute(select(runs).where(runs.c.id == workflow_id).with_for_update())
        row = rows.one_or_none()
        if row is None:
            raise NotFound(f"There is no run {workflow_id}")
        if row.finished_at is None:
            raise Conflict(f"The run {workflow_id} has not ended")
        await _demand_last(conn, workflow_id)
        plain = row.input if input is None else msgspec.to_builtins(input, str_keys=True)
        order = Order(
            run_id=row.id,
            attempt=row.attempt + 1,
            input=plain,
            corrections={**row.corrections, **corrections},
            correlation_id=row.correlation_id,
            subject=row.subject,
            actor=row.actor,
            traceparent=row.traceparent,
            mode=mode or row.mode,
        )
        engine_id = f"{row.id}.{order.attempt}"
        again = update(runs).where(runs.c.id == row.id)
        restarted = await conn.execute(
            again.values(
                status="running",
                status_text="Started again",
                attempt=order.attempt,
                engine_id=engine_id,
                corrections=order.corrections,
                input=plain,
                mode=order.mode,
                fingerprint=row.fingerprint if input is None else _fingerprint(row.flow, plain),
                exception_id="",
                due_at=None,
                finished_at=None,
                updated_at=clock.now(),
                version=runs.c.version + 1,
            ).returning(runs)
        )
        journal = Journal(self.database, row.id, row.flow, row.correlation_id, row.subject)
        await journal.announce(conn, order.attempt * SEQUENCES_PER_ATTEMPT, restarted.one())
        await self._enqueue(conn, row.flow, engine_id, order)

    async def newest(self, conn: AsyncConnection, first: str) -> RunRow | None:
        """The last run of a business object, by the id of its first; None without one, or of others."""
        return await succession.newest(conn, first)

    async def successor(self, conn: AsyncConnection, workflow_id: str) -> str:
        """The id under which the caller's transaction may start the run that succeeds an ended one.

        Until its end nobody else succeeds the run or restarts it. Raises Conflict where it has not ended, an
        open exception of it waits for a person, or another run took its place.
        """
        query = select(runs.c.finished_at, runs.c.exception_id).where(runs.c.id == workflow_id)
        row = (await conn.execute(query.with_for_update())).one()
        if row.finished_at is None:
            raise Conflict(f"The run {workflow_id} has not ended")
        if await exceptions.is_open(conn, row.exception_id):
            raise Conflict(f"The run {workflow_id} waits for a decision on {row.exception_id}")
        await _demand_last(conn, workflow_id)
        return succession.successor_of(workflow_id)

    def require_read(
        self, flow: str, corrections: dict[str, str], names: tuple[str, ...] | None = None
    ) -> None:
        """That the flow reads every correction, of these names only if given; raises Invalid."""
        if corrections and flow in self._flows:
            known: type[msgspec.Struct] = getattr(self._flows[flow], "correctable", NoState)
            require_read(corrections, known, names)

    async def signal(
        self, conn: AsyncConnection, workflow_id: str, topic: str, message: msgspec.Struct, *, key: str
    ) -> None:
        """Send a message to a run in the caller's transaction, once per key; raises NotFound.

        It is stored until the run waits for the topic.
        """
        query = select(runs.c.engine_id).where(runs.c.id == workflow_id)
        engine_id = (await conn.execute(query)).scalar()
        if engine_id is None:
            raise NotFound(f"There is no run {workflow_id}")
        plain = msgspec.to_builtins(message, str_keys=True)
        await conn.run_sync(
            lambda sync: self._client.send_in_transaction(
                sync, engine_id, plain, topic=topic, idempotency_key=f"{engine_id}/{topic}/{key}"
            )
        )

    async def read(self, workflow_id: str) -> RunRow | None:
        """The run, None when it was never started or is not the caller's."""
        async with self.database.connect() as connection:
            return await reading.read(connection, workflow_id)

    async def read_in(self, conn: AsyncConnection, workflow_id: str) -> RunRow | None:
        """The run as the caller's transaction sees it."""
        return await reading.read(conn, workflow_id)

    async def timeline(self, workflow_id: str) -> tuple[Step, ...]:
        """The run's steps in order."""
        async with self.database.connect() as connection:
            return await reading.timeline(connection, workflow_id)

    async def planned_requests(self, workflow_id: str) -> tuple[PlannedRequest, ...]:
        """What the run worked out in observe mode."""
        async with self.database.connect() as connection:
            return await reading.planned_requests(connection, workflow_id)

    async def find(
        self,
        *,
        flow: str | None = None,
        status: str | None = None,
        subject: str | None = None,
        correlation_id: str | None = None,
        matching: dict[str, Any] | None = None,
        subjects: Collection[str] | None = None,
        cursor: str | None = None,
        limit: int = 50,
        **more: Any,
    ) -> RunPage:
        """A page of the caller's runs, newest first; `matching` are fields of the input that must equal.

        With `subjects` only those about any of these; `more` are further filters of `reading.find`.
        """
        async with self.database.connect() as connection:
            return await reading.find(
                connection,
                flow=flow,
                status=status,
                subject=subject,
                correlation_id=correlation_id,
                matching=matching,
                subjects=subjects,
                cursor=cursor,
                limit=limit,
                **more,
            )

    async def known_schedules(self) -> list[tuple[Schedule, dt.datetime | None]]:
        """The schedules that the workers have, each with its last tick."""
        async with self.database.connect() as connection:
            return await known_schedules(connection, self._application)

    async def waiting_for(self, conn: AsyncConnection, key: str, *, flow: str) -> tuple[str, ...]:
        """The ids of a flow's unfinished runs that wait for what has the key (`Run.waits_for`)."""
        return await reading.waiting_for(conn, key, flow=flow)

    async def requesters(self, conn: AsyncConnection, key: str) -> frozenset[str]:
        """Who began or asked for the unfinished runs that wait for what has the key, whosever they are."""
        return await reading.requesters(conn, key)

    async def decide(self, conn: AsyncConnection, workflow_id: str, question: str, by: str) -> RunRow | None:
        """Write who answers a question of a run, in the caller's transaction; None when it is answered."""
        return await reading.decide(conn, workflow_id, question, by)

    async def _enqueue(self, conn: AsyncConnection, flow: str, engine_id: str, order: Order) -> None:
        plain = msgspec.to_builtins(order, str_keys=True)
        await conn.run_sync(
            lambda sync: self._client.enqueue_in_transaction(
                sync,
                {
                    "workflow_name": flow,
                    "queue_name": self._queue,
                    "workflow_id": engine_id,
                    "app_version": self._version,
                },
                plain,
            )
        )
        await announce(conn, self._queue)

    def _config(self) -> DBOSConfig:
        return {
            "name": self._application,
            "system_database_url": self.database.url,
            "sys_db_pool_size": self._settings.connections,
            # The engine logs the errors of a database that refuses, and they quote what a step returned.
            "db_engine_kwargs": {"pool_pre_ping": False, "hide_parameters": True},
            "application_version": self._version,
            "executor_id": self._executor,
            "serializer": JsonSerializer(),
            "max_executor_threads": self._settings.threads,
            "log_level": "WARNING",
        }

    def _register_queue(self) -> None:
        self._client.register_queue(
            self._queue,
            polling_interval_sec=self._settings.queue_poll,
            application_name=self._application,
        )

    def _register_flow(self, flow: Flow) -> None:
        async def body(order: dict[str, Any]) -> None:
            self._refuse_other_loops()
            self._remember()
            run = Run(self.database, flow, msgspec.convert(order, Order), self._settings, self._gate)
            await _perform(flow, run)

        DBOS.workflow(name=flow.name, max_recovery_attempts=self._settings.recoveries)(body)

    def _register_tick(self) -> None:
        async def body(due: str, name: str) -> None:
            self._refuse_other_loops()
            self._remember()
            async with self._gate.admit():
                await retry_until_available(lambda: take_in(self.database, name, due))

        DBOS.workflow(name=TICK, max_recovery_attempts=self._settings.recoveries)(body)

    def _refuse_other_loops(self) -> None:
        """Let no run begin elsewhere than on our loop: a cancelled one stays pending for the next process."""
        if asyncio.get_running_loop() is not self._loop:
            logger.critical("The engine began a run on another loop than ours: it waits for a new process")
            self._loop = None
            raise asyncio.CancelledError

    def _remember(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _cancel_runs(self) -> None:
        """Leave the unfinished runs where they are: a cancelled one stays pending for the next process."""
        waiting = list(self._tasks)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _destroy(self) -> None:
        """Stop the engine, in a thread, for it blocks; then give the loop threads again, for it took them."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="close-workflows") as thread:
            stopping = loop.run_in_executor(thread, lambda: DBOS.destroy(destroy_registry=True))
            try:
                await asyncio.wait_for(stopping, self._settings.destroy)
            except TimeoutError:
                logger.warning("The workflow engine did not stop in time")
        loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))


async def _perform(flow: Flow, run: Run) -> None:
    """Run a flow to one of its ends; from its beginning again when a person replays it."""
    while True:
        try:
            await flow.run(run)
        except Undone:
            return
        except engine_errors.DBOSException:
            raise
        except Problem as problem:
            failure = problem
        except Exception as error:  # a fault in a flow must not vanish in the engine
            logger.exception("The flow %s failed outside its steps", flow.name)
            failure = Unexpected(f"The flow failed by a fault of ours ({type(error).__name__})")
        else:
            await run.finish()
            return
        try:
            await run.fail(failure)
        except Undone:
            return


async def _demand_last(conn: AsyncConnection, workflow_id: str) -> None:
    if await succession.is_succeeded(conn, workflow_id):
        later = succession.successor_of(workflow_id)
        raise Conflict(f"The run {later} took the place of {workflow_id}: go on with that one")


def _without_mode(plain: dict[str, Any]) -> dict[str, Any]:
    """An input in its present form: earlier versions stored the run's mode in it."""
    return {name: value for name, value in plain.items() if name != "mode"}


def _fingerprint(flow: str, plain: Any) -> str:
    return hashlib.sha256(msgspec.json.encode([flow, plain], order="sorted")).hexdigest()
