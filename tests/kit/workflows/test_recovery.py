"""tests/kit/workflows: killed, paused, cut off, upgraded, closed: a run is finished once all the same."""

import asyncio
import datetime as dt
import inspect
import itertools
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS
from dbos._dbos import _get_dbos_instance
from dbos._event_loop import BackgroundEventLoop
from sqlalchemy import text

from contracts.events.kinds import SLA_BREACHED
from kit import clock, exceptions, idempotency
from kit.database.tables import due, idempotency_keys
from kit.inbox import read
from kit.workflows import Run, WorkflowSettings, engine, liveness
from kit.workflows.overdue import breaches
from tests.kit.workflows.conftest import LONGEST_SECONDS, Spawn, Workbench, launched
from tests.kit.workflows.story import MOMENTS, STEPS, Approval, Input, Story
from tests.support.forkserver import piped
from tests.support.processes import lines_of
from tests.support.stack import until

ALL = ["run_1/one", "run_1/two", "run_1/three"]
POINTS = [f"{step} {moment}" for step, moment in itertools.product(STEPS, MOMENTS)]
SAMPLE = {"one before", "two in-after", "three after"}


def test_the_engine_still_has_what_is_private_to_it() -> None:
    """The engine's recovery takes a list of executors, and one method says on which loop a run begins."""
    assert DBOS._recover_pending_workflows.__func__.__code__.co_varnames[:2] == ("cls", "executor_ids")
    assert "self.target_loop()" in inspect.getsource(BackgroundEventLoop.submit_coroutine)
    ours = Path(engine.__file__).read_text(encoding="utf-8")
    assert "_recover_pending_workflows" in ours
    assert "_background_event_loop.target_loop" in ours


async def test_no_run_begins_before_its_loop_serves(deployment: Workbench, spawn: Spawn) -> None:
    """However often a server whose loop is late is killed with work pending, all runs end, and none parks."""
    ids = [f"run_{number}" for number in range(4)]
    for run_id in ids:
        await deployment.start(run_id)
    servers = spawn(module="tests.kit.workflows.standing_still")
    assert servers.stdin is not None
    for point in ("one in-before", "two in-after", "three before", ""):
        servers.stdin.write(f"{point}\n")
        servers.stdin.flush()
        if point:
            async with asyncio.timeout(LONGEST_SECONDS):
                assert await lines_of(servers, 1) == [f"dies at {point}"]
    for run_id in ids:
        await deployment.until("done", run_id)
    assert sorted(await deployment.vendor.live()) == sorted(
        f"{run_id}/{step}" for run_id in ids for step in STEPS
    )
    await asyncio.to_thread(servers.communicate)
    assert servers.returncode == 0


async def test_a_run_begins_on_no_other_loop(deployment: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the engine take a loop of its own all the same, the process says so, and the run waits."""

    def take_another(engine: Any, _: asyncio.AbstractEventLoop) -> None:
        loops = engine._background_event_loop
        monkeypatch.setattr(loops, "target_loop", lambda: loops._loop)

    with monkeypatch.context() as patched:
        patched.setattr("kit.workflows.runtime.pin_loop", take_another)
        async with deployment.worker(name="first") as runtime:
            assert runtime.running
            await deployment.start()

            async def refused() -> bool:
                return not runtime.running

            await until("the run is refused", refused, LONGEST_SECONDS)
    assert await deployment.timeline() == []
    async with deployment.worker(name="second"):
        await deployment.until("done")
    assert await deployment.vendor.live() == ALL


async def test_a_run_begins_when_it_is_announced(deployment: Workbench) -> None:
    """A worker that looks into its queue once an hour begins each run at once, and stops at once."""
    async with deployment.worker():
        await until("the engine listens", lambda: _listens(deployment), LONGEST_SECONDS)
        async with deployment.database.begin() as connection:
            await connection.execute(text("UPDATE dbos.queues SET polling_interval_sec = 3600"))
        for number in range(5):
            await deployment.start(f"run_{number}")
            await deployment.until("done", f"run_{number}")


async def _listens(deployment: Workbench) -> bool:
    listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND state = 'idle'"
    async with deployment.database.connect() as connection:
        query = text(f"{listening} AND datname = current_database()")
        return bool((await connection.execute(query)).scalar())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_process_whose_engine_has_lost_a_thread_says_so(deployment: Workbench) -> None:
    """The engine goes on without it, and would begin no run any more, or hear of no message."""
    async with deployment.worker() as runtime:
        assert (runtime.running, runtime.dead_threads) == (True, [])
        _get_dbos_instance()._listening_queues = [[]]  # pyright: ignore - a fault that its thread does not bear

        async def ended() -> bool:
            return not runtime.running

        await until("a thread of the engine has ended", ended, LONGEST_SECONDS)
        (name,) = runtime.dead_threads
        assert "queue_thread" in name
    assert not runtime.running


@pytest.mark.parametrize(
    "point",
    [point if point in SAMPLE else pytest.param(point, marks=pytest.mark.whole) for point in POINTS],
)
async def test_killed_anywhere_a_run_is_taken_over(deployment: Workbench, spawn: Spawn, point: str) -> None:
    """A worker killed at any boundary, around any effect, leaves a run that another finishes once."""
    child = spawn("--die", point)
    await launched(child)
    await deployment.start()
    assert await lines_of(child, 1) == [f"dies at {point}"]
    async with deployment.worker():
        await deployment.until("done")
    assert await deployment.vendor.live() == ALL
    assert [status for _, status in await deployment.timeline()] == ["done"] * 3


async def test_a_living_replica_takes_over_by_itself(deployment: Workbench, spawn: Spawn) -> None:
    """A replica that runs already notices the death of another and goes on with its work."""
    child = spawn("--pause", "two in-before")
    await launched(child)
    await deployment.start()
    assert await lines_of(child, 1) == ["pauses at two in-before"]
    async with deployment.worker():
        await _looked_twice(deployment)
        assert await deployment.vendor.live() == ALL[:1]  # paused is not dead
        child.kill()
        await deployment.until("done")
    assert await deployment.vendor.live() == ALL


async def _looked_twice(deployment: Workbench) -> None:
    """Two looks at the others' lives have surely happened since."""
    for _ in range(2):
        await liveness.Liveness(deployment.database, "looker", "kit-tests-1", "kit-tests-start", 1).look()


@pytest.mark.parametrize("point", ["two in-before", "two in-after"])
async def test_paused_until_after_the_takeover_is_harmless(
    deployment: Workbench, spawn: Spawn, point: str
) -> None:
    """A process cut off while it stood still wakes after its run was finished, and spoils nothing."""
    child = spawn("--pause", point)
    await launched(child)
    await deployment.start()
    assert await lines_of(child, 1) == [f"pauses at {point}"]
    await _cut_off(deployment)
    async with deployment.worker():
        await deployment.until("done")
        before = await deployment.make_runtime("x", worker=False).timeline("run_1")
        os.kill(child.pid, signal.SIGCONT)
        await asyncio.to_thread(child.communicate, "")
    assert child.returncode == 0
    assert await deployment.make_runtime("x", worker=False).timeline("run_1") == before
    live = await deployment.vendor.live()
    # A call in flight at the pause is the vendor's key to refuse; this vendor has none, so it may be doubled.
    assert live in (ALL, [*ALL, "run_1/two"])


async def _cut_off(deployment: Workbench) -> None:
    """The server ends every session of the child, its liveness lock with them."""
    async with deployment.database.begin() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        await connection.execute(text(f"{others} AND datname = current_database() AND state = 'idle'"))
    await deployment.database.engine.dispose()


@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.whole)])
async def test_waiting_runs_survive_an_upgrade(deployment: Workbench, spawn: Spawn, count: int) -> None:
    """While runs wait, a version with one more step starts beside the old one: all finish, by either."""
    old = spawn()
    await launched(old)
    ids = [f"run_{number}" for number in range(count)]
    for run_id in ids:
        await deployment.start(run_id, approval=True)
    await _all(deployment, "waiting", count)
    new = spawn("--more")
    await launched(new)
    for run_id in ids[: count // 4]:
        await deployment.signal(run_id, "approval", Approval("ann"))
    await _all(deployment, "done", count // 4)
    await asyncio.to_thread(old.communicate, "")
    for run_id in ids[count // 4 :]:
        await deployment.signal(run_id, "approval", Approval("ann"))
    await _all(deployment, "done", count)
    async with deployment.database.connect() as connection:
        query = "SELECT key, count(*) FROM public.things WHERE live GROUP BY key"
        made = {row.key: row.count for row in await connection.execute(text(query))}
    assert set(made.values()) == {1}
    assert {key.split("/")[1] for key in made} == {*STEPS, "more"}
    assert sum(key.endswith("/more") for key in made) >= count * 3 // 4


async def _all(deployment: Workbench, status: str, count: int) -> None:
    query = text("SELECT count(*) FROM enfilade.runs WHERE status = :s")
    async with asyncio.timeout(120):
        while True:
            async with deployment.database.connect() as connection:
                if (await connection.execute(query, {"s": status})).scalar() == count:
                    return
            await asyncio.sleep(0.1)


async def test_a_closing_process_finishes_its_step_and_leaves_the_rest(deployment: Workbench) -> None:
    """On a close the step in flight ends, the next does not begin, and another process goes on at once."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def hold(point: str) -> None:
        if point == "two in-after":
            entered.set()
            await leave.wait()

    async with deployment.worker(Story(deployment.vendor, reached=hold), name="first") as runtime:
        await deployment.start()
        await entered.wait()
        closing = asyncio.create_task(runtime.close())
        await asyncio.sleep(0)
        leave.set()
        await closing
    assert await deployment.timeline() == [("one", "done"), ("two", "done")]
    async with deployment.worker(name="second"):
        await deployment.until("done")
    assert await deployment.vendor.calls() == ["one", "one late", "two", "two late", "three", "three late"]


async def test_threads_work_after_a_close(deployment: Workbench) -> None:
    """The engine takes the loop's threads; after a close the loop has its own again."""
    async with deployment.worker():
        pass
    assert await asyncio.to_thread(lambda: 1) == 1


async def test_exhausted_recoveries_are_an_exception(deployment: Workbench, spawn: Spawn) -> None:
    """A run that kills every process that takes it over is given up and shown, and can be replayed."""
    await deployment.start()
    for _ in range(2):
        child = spawn("--die", "one before", "--recoveries", "1")
        assert await lines_of(child, 2) == ["launched", "dies at one before"]
    async with deployment.worker(settings=WorkflowSettings(recoveries=1, liveness=0.2, sweep=0.1)):
        run = await deployment.until("failed")
        case = await deployment.case(run)
        assert case.stopped.endswith("(story) was given up.")
        await deployment.resolve(run, "replay")
        await deployment.until("done")
    assert await deployment.vendor.live() == ALL


async def test_a_message_that_nobody_heard_is_not_lost(deployment: Workbench) -> None:
    """A decision told while the engine's listener is cut off reaches its run as soon as we look."""
    async with deployment.worker():
        await deployment.start(approval=True)
        await deployment.until("waiting")
        async with deployment.database.begin() as connection:
            listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
            mine = " AND datname = current_database()"
            assert (await connection.execute(text(listening + mine))).all()
        await deployment.signal("run_1", "approval", Approval("ann"))
        await deployment.until("done")


async def test_a_breached_clock_is_told_once(deployment: Workbench, stopped_clock: None) -> None:
    """An SLA clock that runs out by the house's clock is told once; one that is answered in time never."""

    class Waits:
        name, input, on_failure = "story", Input, "park"

        async def run(self, run: Run) -> None:
            at = clock.now() + dt.timedelta(hours=1)
            await run.wait("approval", Approval, title="Approval", status_text="Waits", due_at=at)

    async with deployment.worker(Waits()):
        await deployment.start()
        await deployment.start("run_2")
        assert (await deployment.until("waiting")).due_at is not None
        await deployment.until("waiting", "run_2")
        await deployment.signal("run_2", "approval", Approval("ann"))
        await deployment.until("done", "run_2")
        assert await breaches(deployment.database) == ()
        clock.advance(3601)
        await _breached(deployment)
        assert await breaches(deployment.database) == ()
    async with deployment.database.begin() as connection:
        (told,) = (await read(connection, type=SLA_BREACHED)).items
    assert (told.subject, told.correlationid) == ("run_1", "cor_1")
    assert told.data["kind"] == "wait"


async def test_an_undecided_exception_breaches_its_clock(deployment: Workbench, stopped_clock: None) -> None:
    """An exception that nobody decides in time is told once, with what it is about."""
    async with deployment.database.begin() as connection:
        case = await exceptions.raise_exception(
            connection,
            kind="missing_master_data",
            flow="story",
            subject="subject-1",
            stopped="s",
            why="w",
            what_next="n",
            owner="operations",
            correlation_id="cor_1",
        )
    clock.advance(8 * 3600 + 1)
    assert await breaches(deployment.database) == (case,)
    assert await breaches(deployment.database) == ()
    async with deployment.database.begin() as connection:
        (told,) = (await read(connection, type=SLA_BREACHED)).items
    assert (told.subject, told.data["subject"]) == (case, "subject-1")


async def test_the_sweep_forgets_expired_keys(deployment: Workbench, stopped_clock: None) -> None:
    """An idempotency key whose time is over is gone without anybody asking for it."""
    life = idempotency.Life(deployment.database)
    await idempotency.reserve(
        deployment.database, life=life, consumer="c", operation="o", key="k", fingerprint="f", ttl=60
    )
    clock.advance(61)
    async with deployment.worker(), asyncio.timeout(10):
        while await _kept_keys(deployment):  # noqa: ASYNC110 - it is in the database
            await asyncio.sleep(0.01)


async def _kept_keys(deployment: Workbench) -> int:
    async with deployment.database.connect() as connection:
        return len((await connection.execute(idempotency_keys.select())).all())


async def _breached(deployment: Workbench) -> None:
    async with asyncio.timeout(10):
        while True:
            async with deployment.database.connect() as connection:
                rows = (await connection.execute(due.select())).all()
            if [row.subject for row in rows if row.breached_at] == ["run_1"]:
                return
            await asyncio.sleep(0.01)


async def test_a_server_restarted_in_the_middle_is_waited_for(tmp_path: Path) -> None:
    """PostgreSQL stops while steps run and during a takeover: all is finished once it is back."""
    child = piped("tests.kit.workflows.restarting", str(tmp_path))
    out = await asyncio.wait_for(asyncio.to_thread(child.communicate), 120)
    assert out.splitlines()[-1:] == ["finished"]
