"""tests/kit/workflows: a flow's life in one process: steps, waits, exceptions, undo."""

import asyncio
from collections import Counter

import msgspec
import pytest
from sqlalchemy import text

from contracts.canonical.workflow import Step
from contracts.problems import AlreadyDecided, Conflict, NotFound, PreconditionFailed, SegregationOfDuties
from kit import context, exceptions
from kit.inbox import read
from kit.workflows import Run, RunRow, Undone
from tests.kit.workflows.conftest import Workbench
from tests.kit.workflows.story import DUTIES, QUICK, STEPS, Approval, Input, Made, Story

ALL = ["run_1/one", "run_1/two", "run_1/three"]


async def test_a_flow_runs_to_its_end(deployment: Workbench) -> None:
    """Every step is done once, in order, and shown with its times."""
    async with deployment.worker():
        await deployment.start()
        run = await deployment.until("done")
    assert await deployment.vendor.live() == ALL
    assert await deployment.timeline() == [("one", "done"), ("two", "done"), ("three", "done")]
    assert (run.correlation_id, run.actor, run.subject, run.attempt) == ("cor_1", "bob", "subject-1", 1)


async def test_a_start_is_one_with_its_transaction(deployment: Workbench) -> None:
    """A start that rolls back never was; the same start twice is one run; other input is a conflict."""
    assert await deployment.start()
    assert not await deployment.start()
    with pytest.raises(Conflict):
        await deployment.start(name="other")
    runtime = deployment.make_runtime("x", worker=False)

    async def fails() -> None:
        async with deployment.database.begin() as connection:
            await runtime.start(
                connection,
                flow="story",
                workflow_id="run_2",
                input=Input("x"),
                correlation_id="cor_2",
                subject="s",
                actor="bob",
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    assert await runtime.read("run_2") is None
    async with deployment.worker():
        await deployment.until("done")
    assert await deployment.vendor.live() == ALL


async def test_fifty_starts_at_once_are_one_run(deployment: Workbench) -> None:
    """However many start the same run at once, one of them does."""
    started = await asyncio.gather(*(deployment.start() for _ in range(50)))
    assert started.count(True) == 1


async def test_a_step_works_in_a_context_of_its_own(deployment: Workbench) -> None:
    """Inside a step the correlation id, the actor, the workflow, the step and a deadline are known."""
    seen: list[context.Context] = []

    class Looks:
        name, input, on_failure = "story", Input, "park"

        async def run(self, run: Run) -> None:
            async def look() -> None:
                seen.append(context.current())

            await run.step("look", "Look", look, returns=type(None))

    async with deployment.worker(Looks()):
        await deployment.start()
        await deployment.until("done")
    (here,) = seen
    assert (here.correlation_id, here.actor, here.workflow_id) == ("cor_1", "bob", "run_1")
    assert (here.step, here.lane, here.caller) == ("look", "batch", None)
    assert here.deadline is not None


async def test_a_wait_takes_one_message(deployment: Workbench) -> None:
    """A run waits with its text and goes on by the first message; the same message twice is one."""
    async with deployment.worker():
        await deployment.start(approval=True)
        assert (await deployment.until("waiting")).status_text == "Waits for approval"
        assert await deployment.vendor.live() == ALL[:2]
        await deployment.signal("run_1", "approval", Approval("ann"))
        await deployment.signal("run_1", "approval", Approval("ann"))
        await deployment.until("done")
    assert await deployment.vendor.live() == ALL


async def test_a_message_that_nobody_was_told_of_is_found(deployment: Workbench) -> None:
    """While the listener's connection is broken, notifications are lost, and no message is."""
    listening = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE query LIKE 'LISTEN %' AND datname = current_database()"
    )
    async with deployment.worker():
        await deployment.start(approval=True)
        await deployment.until("waiting")
        async with deployment.database.begin() as connection:
            assert (await connection.execute(text(listening))).scalars().all()
        await deployment.signal("run_1", "approval", Approval("ann"))
        await deployment.until("done")


async def test_a_message_that_comes_early_is_kept(deployment: Workbench) -> None:
    """A signal sent before anybody executes the run is found when it waits."""
    await deployment.start(approval=True)
    await deployment.signal("run_1", "approval", Approval("ann"))
    async with deployment.worker():
        await deployment.until("done")


async def test_a_forged_run_id_is_refused(deployment: Workbench) -> None:
    """Nobody joins a run that does not exist."""
    with pytest.raises(NotFound):
        await deployment.signal("run_9", "approval", Approval("eve"))


@pytest.mark.parametrize("kind", ["unavailable", "doubtful"])
@pytest.mark.parametrize("place", ["two", "two late"])
async def test_a_passing_failure_is_tried_again(deployment: Workbench, place: str, kind: str) -> None:
    """A vendor that fails for a while costs attempts, before and after its effect, and never a duplicate."""
    await deployment.vendor.fail(place, kind, times=3 if place == "two" else 1)
    async with deployment.worker():
        await deployment.start()
        await deployment.until("done")
    live = await deployment.vendor.live()
    # "unavailable" is a vendor's word that nothing happened: one that lies makes two.
    assert live == (ALL if kind == "doubtful" or place == "two" else [*ALL[:2], *ALL[1:]])
    (step,) = [
        step
        for step in await deployment.make_runtime("x", worker=False).timeline("run_1")
        if step.name == "two"
    ]
    assert step.attempts >= 2
    assert step.detail == ""


async def test_out_of_patience_it_parks(deployment: Workbench) -> None:
    """A vendor that stays away becomes an exception that says so; replayed, the run goes on to its end."""
    await deployment.vendor.fail("two", "unavailable", times=10_000)
    async with deployment.worker(settings=msgspec.structs.replace(QUICK, patience=0.5)):
        await deployment.start()
        run = await deployment.until("parked")
        case = await deployment.case(run)
        assert (case.kind, case.status, case.step) == ("vendor_unavailable", "open", "two")
        assert case.why == "the vendor says unavailable."
        await _heal(deployment)
        await deployment.resolve(run, "replay")
        await deployment.until("done")
    assert await deployment.vendor.live() == ALL


async def _heal(deployment: Workbench) -> None:
    async with deployment.database.begin() as connection:
        await connection.execute(text("DELETE FROM public.faults"))


async def test_an_unknown_fault_is_tried_again_before_a_person_is_asked(deployment: Workbench) -> None:
    """A fault of ours that passes costs tries; one that stays becomes an exception after a few of them."""
    await deployment.vendor.fail("two", "bug", times=2)
    await deployment.vendor.fail("three", "bug", times=QUICK.faults)
    async with deployment.worker():
        await deployment.start()
        run = await deployment.until("parked")
        assert await deployment.timeline() == [("one", "done"), ("two", "done"), ("three", "failed")]
        await deployment.resolve(run, "replay")
        await deployment.until("done")
    tried = Counter(await deployment.vendor.calls())
    assert (tried["two"], tried["three"]) == (3, QUICK.faults + 1)
    assert await deployment.vendor.live() == ALL


async def test_a_refusal_parks_at_once(deployment: Workbench) -> None:
    """What was refused is not tried again; what was done stays, and a replay continues there."""
    await deployment.vendor.fail("three", "rejected")
    async with deployment.worker():
        await deployment.start()
        run = await deployment.until("parked")
        assert await deployment.timeline() == [("one", "done"), ("two", "done"), ("three", "failed")]
        await deployment.resolve(run, "replay")
        await deployment.until("done")
    assert await deployment.vendor.live() == ALL


async def test_all_that_a_failed_login_stops_waits_for_one_case(deployment: Workbench) -> None:
    """A login that fails for good is one case per instance, which is replayed only; all runs then go on."""
    await deployment.vendor.fail("two", "login", times=3)
    names = ("run_1", "run_2", "run_3")
    async with deployment.worker():
        for name in names:
            await deployment.start(name)
        parked = [await deployment.until("parked", name) for name in names]
        assert len({run.exception_id for run in parked}) == 1
        assert all("until our login at vendor-1 works again" in run.status_text for run in parked)
        case = await deployment.case(parked[0])
        assert (case.flow, case.subject, case.owner) == ("login", "vendor-1", "operations")
        with pytest.raises(Conflict, match="Many runs wait"):
            await deployment.resolve(parked[0], "undo")
        with pytest.raises(Conflict, match="without corrections"):
            await deployment.resolve(parked[1], "replay", name="of one of them")
        await deployment.resolve(parked[1], "replay")
        done = [await deployment.until("done", name) for name in names]
    assert [(run.exception_id, run.corrections) for run in done] == [("", {})] * 3
    assert sorted(await deployment.vendor.live()) == sorted(
        f"{name}/{step}" for name in names for step in STEPS
    )


async def test_a_login_that_fails_again_is_a_case_of_its_own(deployment: Workbench) -> None:
    """Who replays too early is told once more, by a new case; the old one is as it was decided."""
    await deployment.vendor.fail("two", "login", times=2)
    async with deployment.worker():
        await deployment.start()
        first = await deployment.until("parked")
        await deployment.resolve(first, "replay")
        second = await _other_case(deployment, first)
        assert (await deployment.case(first)).status == "resolved"
        await deployment.resolve(second, "replay")
        await deployment.until("done")


async def _other_case(deployment: Workbench, before: RunRow) -> RunRow:
    while True:
        run = await deployment.until("parked")
        if run.exception_id != before.exception_id:
            return run
        await asyncio.sleep(0.01)


async def test_a_correction_reaches_the_step(deployment: Workbench) -> None:
    """What a person corrected is what the step sees when it is tried again."""
    async with deployment.worker():
        await deployment.start(name="wrong")
        await deployment.resolve(await deployment.until("parked"), "replay", name="right")
        run = await deployment.until("done")
    assert run.corrections == {"name": "right"}
    assert run.exception_id == ""


@pytest.mark.parametrize("action", ["undo", "skip"])
async def test_a_person_may_undo(deployment: Workbench, action: str) -> None:
    """Undone by decision, everything is taken back in reverse before the run says so."""
    await deployment.vendor.fail("three", "rejected")
    async with deployment.worker():
        await deployment.start()
        await deployment.resolve(await deployment.until("parked"), action)
        await deployment.until("undone")
    assert await deployment.vendor.live() == []
    assert await deployment.timeline() == [
        ("one", "undone"),
        ("two", "undone"),
        ("three", "failed"),
        ("undo three", "done"),
        ("undo two", "done"),
        ("undo one", "done"),
    ]


async def test_a_flow_that_undoes_tells_only_afterwards(deployment: Workbench) -> None:
    """With on_failure undo everything is taken back before the exception is raised and the run undone."""
    await deployment.vendor.fail("three", "rejected")
    async with deployment.worker(Story(deployment.vendor, "undo")):
        await deployment.start()
        run = await deployment.until("undone")
        assert await deployment.vendor.live() == []
        assert (await deployment.case(run)).status == "open"
    async with deployment.database.begin() as connection:
        published = (await read(connection, subjects=["run_1"])).items
    assert {event.type for event in published} == {"enfilade.workflow.status_changed.v1"}
    assert [event.data["status"] for event in published] == ["running", "undone"]


async def test_a_replay_after_an_undo_revives_the_same_keys(deployment: Workbench) -> None:
    """A corrected second attempt makes everything again under the same keys, in the same run."""
    async with deployment.worker(Story(deployment.vendor, "undo")):
        await deployment.start(name="wrong")
        run = await deployment.until("undone")
        await deployment.resolve(run, "replay", name="right")
        again = await deployment.until("done")
    assert (again.attempt, again.id, again.correlation_id) == (2, "run_1", "cor_1")
    assert await deployment.vendor.live() == ALL
    async with deployment.database.begin() as connection:
        published = (await read(connection, subjects=["run_1"])).items
    assert [event.data["status"] for event in published] == ["running", "undone", "running", "done"]


async def test_an_undo_that_fails_is_a_case_of_its_own(deployment: Workbench) -> None:
    """An undo that cannot be done parks the run; replayed it continues, and nothing is told before."""
    await deployment.vendor.fail("three", "rejected")
    await deployment.vendor.fail("undo one", "rejected")
    async with deployment.worker(Story(deployment.vendor, "undo")):
        await deployment.start()
        run = await deployment.until("parked")
        assert await deployment.vendor.live() == ALL[:1]
        await deployment.resolve(run, "replay")
        await deployment.until("undone")
    assert await deployment.vendor.live() == []


async def test_an_undo_may_be_left_by_decision(deployment: Workbench) -> None:
    """A person may leave what cannot be taken back; it is shown as skipped."""
    await deployment.vendor.fail("three", "rejected")
    await deployment.vendor.fail("undo one", "rejected")
    async with deployment.worker(Story(deployment.vendor, "undo")):
        await deployment.start()
        await deployment.resolve(await deployment.until("parked"), "skip")
        await deployment.until("undone")
    assert await deployment.vendor.live() == ALL[:1]
    assert ("undo one", "skipped") in await deployment.timeline()


async def test_what_a_doubtful_step_left_is_undone_too(deployment: Workbench) -> None:
    """A step that failed in doubt, but had its effect, is looked up and taken back."""
    await deployment.vendor.fail("three late", "bug")
    async with deployment.worker(
        Story(deployment.vendor, "undo"), settings=msgspec.structs.replace(QUICK, faults=1)
    ):
        await deployment.start()
        await deployment.until("undone")
    assert await deployment.vendor.live() == []


async def test_each_repetition_is_undone_with_its_own_data(deployment: Workbench) -> None:
    """The same step three times is taken back three times, each with what that time had made."""
    undone: list[int] = []

    class Repeats:
        name, input, on_failure = "story", Input, "undo"

        async def run(self, run: Run) -> None:
            for number in (1, 2, 3):

                async def make(number: int = number) -> Made:
                    return Made(number)

                await run.step("make", f"Make {number}", make, returns=Made, undo=take_back)
            await run.step("fail", "Fail", fail, returns=type(None))

    async def take_back(made: Made) -> None:
        undone.append(made.id)

    async def fail() -> None:
        raise Conflict("never")

    async with deployment.worker(Repeats()):
        await deployment.start()
        await deployment.until("undone")
    assert undone == [3, 2, 1]


async def test_a_fault_outside_the_steps_parks_and_replays(deployment: Workbench) -> None:
    """An error in the flow itself becomes an exception; the replay runs the flow from its beginning."""
    broken = True

    class Faulty:
        name, input, on_failure = "story", Input, "park"

        async def run(self, run: Run) -> None:
            await Story(deployment.vendor).run(run)
            if broken:
                raise KeyError("oops")

    async with deployment.worker(Faulty()):
        await deployment.start()
        run = await deployment.until("parked")
        broken = False
        await deployment.resolve(run, "replay")
        await deployment.until("done")
    assert await deployment.vendor.live() == ALL


class Facts:
    """What a step rests on: stale until it is read again, and lost once `lost` is set."""

    corrects = None

    def __init__(self, run: Run) -> None:
        self._run = run
        self.old = True
        self.lost = False

    def stale(self) -> bool:
        return self.old

    async def read_again(self) -> None:
        async def read() -> bool:
            return self.lost

        lost = await self._run.step("read-again", "Read again", read, returns=bool)
        self.old = False
        if lost:
            assert await self._run.take_back()
            await self._run.update_status("undone", "It is lost")
            raise Undone("It is lost")


class Rests(Story):
    """The story's first step, and then a second that rests on facts."""

    facts: Facts

    async def run(self, run: Run) -> None:
        self.facts = facts = Facts(run)

        async def find() -> Made | None:
            return await self._vendor.find("two")

        async def make() -> Made:
            return await self._vendor.create("two", "two")

        await self._make(run, "one")
        await run.step("two", "Two", make, returns=Made, undo=self._remove, find=find, recheck=facts)

    async def _remove(self, made: Made) -> None:
        await self._vendor.remove(made.id, "two")


async def test_what_a_step_rests_on_is_read_again_when_stale_and_for_a_replay(deployment: Workbench) -> None:
    """Before the effect and not beside it; a refusal and a person's replay read it once more."""
    await deployment.vendor.fail("two", "rejected")
    async with deployment.worker(Rests(deployment.vendor)):
        await deployment.start()
        parked = await deployment.until("parked")
        assert "two late" not in await deployment.vendor.calls()
        await deployment.resolve(parked, "replay")
        await deployment.until("done")
    steps = [("one", "done"), ("two", "done"), ("read-again", "done"), ("read-again", "done")]
    assert sorted(await deployment.timeline()) == sorted(steps)
    assert await deployment.vendor.live() == ["run_1/one", "two"]


async def test_facts_that_end_a_run_take_back_what_was_made_and_what_is_in_doubt(
    deployment: Workbench,
) -> None:
    """The step that rested on them may have had its effect: it is looked for and taken back too."""
    await deployment.vendor.fail("two late", "bug")
    flow = Rests(deployment.vendor)
    async with deployment.worker(flow, settings=msgspec.structs.replace(QUICK, faults=1)):
        await deployment.start()
        parked = await deployment.until("parked")
        assert await deployment.vendor.live() == ["run_1/one", "two"]
        flow.facts.lost = True
        await deployment.resolve(parked, "replay")
        run = await deployment.until("undone")
    assert await deployment.vendor.live() == []
    assert run.status_text == "It is lost"


async def test_a_skippable_step_is_skipped(deployment: Workbench) -> None:
    """Where the step says what to go on with, a person may skip it and the run goes on."""

    class Skips:
        name, input, on_failure = "story", Input, "park"

        async def run(self, run: Run) -> None:
            made = await run.step("one", "One", fail, returns=Made, skipped=lambda: Made(0))
            await run.update_status(state=made)

    async def fail() -> Made:
        raise Conflict("never")

    async with deployment.worker(Skips()):
        await deployment.start()
        await deployment.resolve(await deployment.until("parked"), "skip")
        run = await deployment.until("done")
    assert run.data == {"id": 0}
    assert await deployment.timeline() == [("one", "skipped")]


async def test_a_decision_is_one_and_by_another(deployment: Workbench) -> None:
    """Who caused an exception may not resolve it, a stale version is refused, and a second decision too."""
    await deployment.vendor.fail("one", "rejected")
    async with deployment.worker():
        await deployment.start()
        run = await deployment.until("parked")
        with pytest.raises(SegregationOfDuties):
            await deployment.resolve(run, "replay", by="bob")
        async with deployment.database.begin() as connection:
            with pytest.raises(PreconditionFailed):
                await exceptions.resolve(
                    connection,
                    deployment.make_runtime("x", worker=False),
                    run.exception_id,
                    if_match='"7"',
                    action="replay",
                    reason="because",
                    corrections={},
                    by="ann",
                    duties=DUTIES,
                )
        await deployment.resolve(run, "replay")
        with pytest.raises(AlreadyDecided):
            await deployment.resolve(run, "undo")
        await deployment.until("done")


async def test_lists_are_newest_first_and_by_input(deployment: Workbench) -> None:
    """Runs are listed page by page, newest first, by status and by fields of their input."""
    runtime = deployment.make_runtime("x", worker=False)
    for number in range(5):
        await deployment.start(f"run_{number}", name="even" if number % 2 == 0 else "odd")
    first = await runtime.find(flow="story", limit=3)
    second = await runtime.find(flow="story", limit=3, cursor=first.next_cursor)
    ids = [run.id for run in (*first.items, *second.items)]
    assert (ids, second.next_cursor) == ([f"run_{number}" for number in (4, 3, 2, 1, 0)], None)
    odd = await runtime.find(matching={"name": "odd"}, status="running")
    assert [run.id for run in odd.items] == ["run_3", "run_1"]


async def test_a_timeline_is_of_canonical_steps(deployment: Workbench) -> None:
    """What people see of a run are the contract's own steps, with seconds and attempts."""
    async with deployment.worker() as runtime:
        await deployment.start()
        await deployment.until("done")
        step, *_ = await runtime.timeline("run_1")
    assert isinstance(step, Step)
    assert (step.title, step.attempts) == ("Make one", 1)
    assert step.seconds is not None
