"""tests/kit/workflows: a run that ended is succeeded or replayed, never both; corrections that are read."""

import msgspec
import pytest

from contracts.problems import Conflict, Invalid
from kit import exceptions
from kit.workflows import Runtime, number_of, successor_of
from kit.workflows.correcting import require_read
from tests.kit.workflows.conftest import Workbench
from tests.kit.workflows.story import Story


class Terms(msgspec.Struct):
    """What may be corrected."""

    rate_card: str = ""
    hours: int = 0


@pytest.mark.parametrize(
    ("run_id", "number", "successor"),
    [
        ("act_crm.006.r1", 1, "act_crm.006.r1:2"),
        ("act_crm.006.r1:2", 2, "act_crm.006.r1:3"),
        ("act_crm.006.r1:10", 10, "act_crm.006.r1:11"),
        ("act_crm.a:b.r1", 1, "act_crm.a:b.r1:2"),
    ],
)
def test_a_run_is_numbered_by_its_id(run_id: str, number: int, successor: str) -> None:
    """The first has the id of its object, each later one that and its number."""
    assert (number_of(run_id), successor_of(run_id)) == (number, successor)


async def undo(deployment: Workbench) -> Runtime:
    """A run that was undone, and a runtime to look at it."""
    await deployment.vendor.fail("three", "rejected")
    async with deployment.worker():
        await deployment.start()
        await deployment.resolve(await deployment.until("parked"), "undo")
        await deployment.until("undone")
    return deployment.make_runtime("x", worker=False)


async def test_of_successor_and_replay_the_first_wins(deployment: Workbench) -> None:
    """What was succeeded is neither replayed nor succeeded again; what goes on is not succeeded."""
    runtime = await undo(deployment)
    async with deployment.database.begin() as connection:
        successor = await runtime.successor(connection, "run_1")
    assert await deployment.start(successor)
    async with deployment.database.begin() as connection:
        newest = await runtime.newest(connection, "run_1")
        with pytest.raises(Conflict, match="run_1:2 took the place of run_1"):
            await runtime.restart(connection, "run_1", {})
        with pytest.raises(Conflict, match="run_1:2 took the place of run_1"):
            await runtime.successor(connection, "run_1")
        with pytest.raises(Conflict, match="has not ended"):
            await runtime.successor(connection, "run_1:2")
    assert newest is not None
    assert newest.id == successor == "run_1:2"


async def test_the_tenth_run_is_newer_than_the_ninth(deployment: Workbench) -> None:
    """They are in the order of their numbers, and another object's are none of them."""
    for run_id in ("run_1", "run_1:9", "run_1:10", "run_11", "run_1x:12"):
        await deployment.start(run_id)
    async with deployment.database.connect() as connection:
        newest = await deployment.make_runtime("x", worker=False).newest(connection, "run_1")
    assert newest is not None
    assert newest.id == "run_1:10"


async def test_what_a_person_must_decide_on_is_not_succeeded(deployment: Workbench) -> None:
    """Undone with an open exception it waits for a replay or a skip; after the skip it may be succeeded."""
    await deployment.vendor.fail("three", "rejected")
    runtime = deployment.make_runtime("x", worker=False)
    async with deployment.worker(Story(deployment.vendor, "undo")):
        await deployment.start()
        run = await deployment.until("undone")
    async with deployment.database.begin() as connection:
        with pytest.raises(Conflict, match="waits for a decision"):
            await runtime.successor(connection, "run_1")
    await deployment.resolve(run, "skip")
    async with deployment.database.begin() as connection:
        assert await runtime.successor(connection, "run_1") == "run_1:2"
    ended = await runtime.read("run_1")
    assert ended is not None
    assert (ended.status, ended.exception_id) == ("undone", "")


async def test_the_owner_of_a_correction_goes_on_without_deciding(deployment: Workbench) -> None:
    """Of its own team's case only, and once; what stopped is tried again."""
    await deployment.vendor.fail("two", "rejected")
    runtime = deployment.make_runtime("x", worker=False)

    async def put_right(run_id: str, *teams: str) -> bool:
        async with deployment.database.begin() as connection:
            return await exceptions.put_right(connection, runtime, run_id, teams=teams, by="bob")

    async with deployment.worker():
        await deployment.start()
        case = (await deployment.until("parked")).exception_id
        assert not await put_right(case, "sales")
        assert await put_right(case, "sales", "operations")
        await deployment.until("done")
    assert not await put_right(case, "operations")


@pytest.mark.parametrize(
    ("corrections", "names", "pointer", "says"),
    [
        ({"rate": "x"}, None, "rate", "What can be corrected here: rate_card, hours."),
        ({"rate": "x"}, ("merge_with",), "rate", "What can be corrected here: merge_with."),
        ({"rate_card": "x"}, (), "rate_card", "correct the record in the system that owns it"),
        ({"hours": "many"}, None, "hours", "“many” is no value of hours"),
    ],
)
def test_a_correction_that_nothing_reads_is_refused(
    corrections: dict[str, str], names: tuple[str, ...] | None, pointer: str, says: str
) -> None:
    """Each by its name, with what can be corrected."""
    with pytest.raises(Invalid) as caught:
        require_read(corrections, Terms, names)
    (fault,) = caught.value.errors
    assert (fault.pointer, says in fault.detail) == (f"/corrections/{pointer}", True)


def test_a_correction_that_is_read_is_taken() -> None:
    """By the names of the step, or by the fields of the flow's own Struct, parts of one included."""
    require_read({"merge_with": "12"}, Terms, ("merge_with",))
    require_read({"rate_card": "RC", "hours": "8"}, Terms, None)
    require_read({"rate_card.code": "RC"}, Terms, None)
