"""Killed, taken over or paused at every effect and step: always one customer, contract and project.

`make test` runs a sample; `.ci/run` runs the whole (marker `whole`).
"""

import signal
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.demo.cast import CRM, ERP, PSA, read_cast
from deploy.settings import DEMO_CONFIG
from sandbox.folders import stand_of
from tests.support.deals import LARGE, Deal, approve, asked, new_deal, resolve, truth
from tests.support.sandboxes import Hold
from tests.support.stack import Member, Stack, until


@dataclass(frozen=True)
class Point:
    """A moment of the flow: a vendor's call held before or after its effect."""

    system: str
    method: str
    path: str
    moment: str

    @property
    def name(self) -> str:
        return f"{self.moment}-{self.system}-{self.method}-{self.path.strip('/').replace('/', '.')}"


_CAST = read_cast(DEMO_CONFIG)
POINTS = [
    Point(system, method, path, moment)
    for system in (ERP, PSA, CRM)
    for method, path in stand_of(_CAST[system].vendor).effects
    for moment in ("before", "after")
]
SAMPLE = [POINTS[5], POINTS[-2]]
STEPS = (
    "validate",
    "propose-customer",
    "look",
    "create-customer",
    "look-for-client",
    "create-client",
    "cross-refer",
    "create-contract",
    "provision-project",
    "write-back",
)


OF_CUSTOMER = ("look", "create-customer", "look-for-client", "create-client")


async def held(door: Stack, point: Point) -> Hold:
    """Let the deal's next call at the point wait there."""
    account = getattr(door.accounts, point.system)
    return await account.hold(point.moment, method=point.method, path=f"(?i){point.path}")


async def begin(door: Stack) -> Deal:
    """Press the button on a new deal; the gateway answers although no worker may be there."""
    deal = await new_deal(door.accounts.crm, stage="won")
    async with door.caller("crm-screen") as screen:
        answer = await screen.activate(deal.opportunity_id)
        assert answer.status_code == 202, answer.text
    return deal


async def finished(door: Stack, deal: Deal) -> None:
    """It came to its end, with exactly one of each."""
    async with door.caller("crm-screen") as screen:
        await screen.activation(deal.opportunity_id, "done")
    found = await truth(door.accounts, deal)
    assert found.counts() == (1, 1, 1)
    assert (len(found.orders), len(found.clients), len(found.projects)) == (1, 1, 1)
    assert found.opportunity.project_id
    (project,) = found.projects
    # Each task, role and booking of the template stands once.
    titles = project.tasks + project.milestones
    assert len(titles) == len(set(titles)) == 6
    assert len(project.roles) == 3


async def kill_at(door: Stack, point: Point, worker: Member) -> Deal:
    """The worker dies with its call held at the vendor; the held call then goes on without it."""
    hold = await held(door, point)
    deal = await begin(door)
    assert await hold.wait(30), f"nothing came to {point.name}:\n{worker.logged()[-3000:]}"
    worker.kill()
    await hold.release()
    return deal


async def restarted(door: Stack, point: Point) -> None:
    """SIGKILL, then the same process again."""
    worker = await door.start("worker", role="worker")
    deal = await kill_at(door, point, worker)
    again = await door.start("worker", role="worker", port=worker.port)
    try:
        await finished(door, deal)
    finally:
        again.stop()


async def taken_over(door: Stack, point: Point) -> None:
    """SIGKILL while a second replica lives; nobody restarts the first."""
    first = await door.start("first", role="worker")
    hold = await held(door, point)
    deal = await begin(door)
    assert await hold.wait(30)
    second = await door.start("second", role="worker")
    try:
        first.kill()
        await hold.release()
        await finished(door, deal)
    finally:
        second.stop()


async def paused(door: Stack, point: Point) -> None:
    """The process stands still, loses its session, is taken over, and wakes in the middle of its step."""
    first = await door.start("sleeper", role="worker")
    hold = await held(door, point)
    deal = await begin(door)
    assert await hold.wait(30)
    second = await door.start("successor", role="worker")
    try:
        first.signal(signal.SIGSTOP)
        await end_sessions(door, f"sleeper-{first.port}")
        await hold.release()
        await finished(door, deal)
        first.signal(signal.SIGCONT)
        await finished(door, deal)
    finally:
        first.signal(signal.SIGCONT)
        first.stop()
        second.stop()
    await finished(door, deal)


async def end_sessions(door: Stack, executor: str) -> None:
    """What the server does when a client's host has gone silent: its session ends, and its locks with it."""
    engine = create_async_engine(door.database_url)
    query = sa.text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE :name"
        " AND datname = current_database()"
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(query, {"name": f"enfilade {executor}%"})
    finally:
        await engine.dispose()


MODES = {"restarted": restarted, "taken-over": taken_over, "paused": paused}


@pytest.mark.parametrize("point", SAMPLE, ids=lambda point: point.name)
async def test_killed_at_a_vendors_effect(door: Stack, point: Point) -> None:
    """SIGKILL before or after an effect, then a restart: one of each, and a whole project."""
    await restarted(door, point)


async def test_taken_over_in_the_middle_of_an_effect(door: Stack) -> None:
    """Another replica finishes what the dead one began."""
    await taken_over(door, POINTS[4])


async def test_paused_until_after_the_takeover(door: Stack) -> None:
    """A process that wakes after it was taken over doubles nothing."""
    await paused(door, POINTS[5])


# Each way of dying is tried before three effects and after three others: what it does to a run depends on the
# process, and what is left at the vendor on the effect.
PAIRS = [(point, list(MODES)[(number // 2 + number % 2) % len(MODES)]) for number, point in enumerate(POINTS)]


@pytest.mark.whole
@pytest.mark.parametrize(("point", "mode"), PAIRS, ids=[f"{mode}-{point.name}" for point, mode in PAIRS])
async def test_killed_anywhere(door: Stack, point: Point, mode: str) -> None:
    """Every effect, before and after, in one way of dying or another: one of each, and a whole project."""
    await MODES[mode](door, point)


async def step_done(door: Stack, deal: Deal, step: str, run_id: str = "%") -> Any:
    """Whether the durable rows say that a step of the deal's runs, or of one of these, has ended."""
    engine = create_async_engine(door.database_url)
    query = sa.text(
        "SELECT 1 FROM enfilade.steps JOIN enfilade.runs ON runs.id = steps.run_id"
        " WHERE name = :step AND steps.status = 'done' AND subject IN (:opportunity, :account)"
        " AND run_id LIKE :run"
    )
    values = {"step": step, "run": run_id, "opportunity": deal.opportunity_id, "account": deal.account_id}
    try:
        async with engine.connect() as connection:
            return (await connection.execute(query, values)).scalar()
    finally:
        await engine.dispose()


async def killed_after_step(door: Stack, step: str) -> None:
    worker = await door.start("worker", role="worker")
    deal = await begin(door)
    await until(f"{step} is done", lambda: step_done(door, deal, step))
    worker.kill()
    again = await door.start("worker", role="worker", port=worker.port)
    try:
        await finished(door, deal)
    finally:
        again.stop()


@pytest.mark.parametrize("step", STEPS[4:5])
async def test_killed_at_a_step_boundary(door: Stack, step: str) -> None:
    """SIGKILL as soon as a step's row says done: the next process goes on from there."""
    await killed_after_step(door, step)


@pytest.mark.whole
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_every_step_boundary(door: Stack, step: str) -> None:
    """The same at every step of both flows."""
    await killed_after_step(door, step)


@pytest.mark.whole
async def test_killed_while_finance_is_asked(door: Stack) -> None:
    """A decision made while nobody works is kept, and found by the next worker."""
    worker = await door.start("worker", role="worker")
    deal = await new_deal(door.accounts.crm, credit_limit=LARGE, stage="won")
    async with door.caller("crm-screen") as screen, door.caller("finance-desk", "fiona") as finance:
        await screen.activate(deal.opportunity_id)
        await screen.activation(deal.opportunity_id, "waiting")
        await asked(finance, deal)  # the deal waits as soon as it has proposed, finance is asked after that
        worker.kill()
        await approve(finance, deal)
    again = await door.start("worker", role="worker", port=worker.port)
    try:
        await finished(door, deal)
    finally:
        again.stop()


async def killed_while_activated_anew(door: Stack, step: str) -> None:
    """A deal was undone; the worker dies at a step of its second activation: one of each that is live."""
    worker = await door.start("worker", role="worker")
    deal = await new_deal(door.accounts.crm, stage="won")
    psa = door.accounts.psa
    await psa.add_fault(psa.stand.refuses, **psa.creates("project"), body=deal.name, times=1)
    async with door.caller("crm-screen") as screen, door.caller("finance-desk", "fiona") as finance:
        await screen.activate(deal.opportunity_id)
        parked = await screen.activation(deal.opportunity_id, "parked")
        await resolve(finance, parked["exception_id"], "undo")
        ended = await screen.activation(deal.opportunity_id, "undone")
        again = await screen.activate(deal.opportunity_id)
        await until(f"{step} is done", lambda: step_done(door, deal, step, again.json()["id"]))
        worker.kill()
        once_more = await screen.activate(deal.opportunity_id)
        worker = await door.start("worker", role="worker", port=worker.port)
        try:
            await screen.activation(deal.opportunity_id, "done")
        finally:
            worker.stop()
    assert again.json()["id"] == once_more.json()["id"] == f"{ended['id']}:2"
    found = await truth(door.accounts, deal)
    assert found.counts() == (1, 1, 1)
    assert (len(found.orders), len(found.clients), len(found.projects)) == (2, 1, 1)


async def test_killed_while_a_deal_is_activated_anew(door: Stack) -> None:
    """What the first activation made and had taken back stays so, and the second makes its own once."""
    await killed_while_activated_anew(door, "create-contract")


@pytest.mark.whole
@pytest.mark.parametrize("step", [step for step in STEPS if step not in OF_CUSTOMER])
async def test_killed_at_every_step_of_a_second_activation(door: Stack, step: str) -> None:
    """The same at every step."""
    await killed_while_activated_anew(door, step)


@pytest.mark.whole
async def test_killed_while_finance_is_asked_anew(door: Stack) -> None:
    """Rejected, asked for again by the button, the worker dead before the second decision: one of each."""
    worker = await door.start("worker", role="worker")
    deal = await new_deal(door.accounts.crm, credit_limit=LARGE, stage="won")
    async with door.caller("crm-screen") as screen, door.caller("finance-desk", "fiona") as finance:
        await screen.activate(deal.opportunity_id)
        await approve(finance, deal, "reject")
        await screen.activation(deal.opportunity_id, "parked")
        await screen.activate(deal.opportunity_id)
        await asked(finance, deal)
        worker.kill()
        await approve(finance, deal)
    again = await door.start("worker", role="worker", port=worker.port)
    try:
        await finished(door, deal)
    finally:
        again.stop()
