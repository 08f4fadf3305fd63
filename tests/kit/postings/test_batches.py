"""tests/kit/postings: a batch: what it observes, what it may write, how it stops, and who is in it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, cast

import msgspec
import pytest
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.batch import BatchResult, Posted, PostedRecords, RecordKeys, RefusedRecord
from contracts.canonical.exception import BusinessException
from contracts.canonical.values import Money
from contracts.problems import ContractViolation, VendorDoubtful, VendorRejected
from kit import exceptions
from kit.effects import Owned
from kit.postings import Posting, gather
from kit.postings.batch import BatchRows
from kit.postings.collector import Collector
from kit.postings.flow import PostingFlow
from kit.postings.states import Settled
from kit.postings.tables import batches, postings
from kit.workflows import Run, RunRow
from tests.kit.postings.toy import CLOSED, FLOW, NOUN, Entry, EntryBatch, posting, posting_flow
from tests.kit.workflows.conftest import LONGEST_SECONDS, Workbench
from tests.kit.workflows.story import DUTIES, QUICK


class Target:
    """The toy system in this process.

    `fails` are raised by the next calls that post, after the records are made if `late`. It never says that
    it is done if it `forgets`, and then finds them with what `finds` makes of their amounts.
    """

    def __init__(self, *, late: bool = False, forgets: bool = False) -> None:
        self.made: list[Entry] = []
        self.batches: list[list[str]] = []
        self.looked_for: list[str] = []
        self.fails: list[Exception] = []
        self.extra: tuple[Posted, ...] = ()
        self.finds: Callable[[Money], Money] = lambda amount: amount
        self.late, self.forgets = late, forgets

    async def post_entries(self, body: EntryBatch) -> BatchResult:
        self.batches.append([entry.key for entry in body.items])
        if self.fails and not self.late:
            raise self.fails.pop(0)
        good = [entry for entry in body.items if entry.account != CLOSED]
        self.made += good
        if self.fails:
            raise self.fails.pop(0)
        refused = tuple(
            RefusedRecord(entry.key, "account_closed", "The account is closed")
            for entry in body.items
            if entry.account == CLOSED
        )
        done = () if self.forgets else tuple(Posted(entry.key, amount=entry.amount) for entry in good)
        return BatchResult(done + self.extra, refused)

    async def find_entries(self, body: RecordKeys) -> PostedRecords:
        self.looked_for += body.keys
        found = {entry.key: entry.amount for entry in self.made}
        return PostedRecords(
            tuple(Posted(key, amount=self.finds(found[key])) for key in body.keys if key in found)
        )


class Poster:
    """A worker with the toy flow, and what a test does with it."""

    def __init__(self, deployment: Workbench, collector: Collector) -> None:
        self.deployment = deployment
        self.collector = collector

    async def post(self, *records: Posting, mode: Any = "live") -> int:
        async with self.deployment.database.begin() as connection:
            count = await gather(connection, records, flow=FLOW, noun=NOUN, mode=mode)
        await self.collector.drain()
        return count

    async def rows(self) -> list[Row[Any]]:
        async with self.deployment.database.connect() as connection:
            return list((await connection.execute(select(postings).order_by(postings.c.number))).all())

    async def states(self, **expected: int) -> None:
        """Wait until so many records are in each state, claiming what may be claimed."""
        end = time.monotonic() + LONGEST_SECONDS
        while True:
            await self.collector.drain()
            found = [row.state for row in await self.rows()]
            if {state: found.count(state) for state in set(found)} == expected:
                return
            assert time.monotonic() < end, found
            await asyncio.sleep(0.05)

    async def ended(self, status: str, number: int = 0) -> RunRow:
        """The run of a batch, as soon as it has a status."""
        return await self.deployment.until(status, (await self.batches())[number].id)

    async def batches(self) -> list[Row[Any]]:
        async with self.deployment.database.connect() as connection:
            return list((await connection.execute(select(batches).order_by(batches.c.opened_at))).all())

    async def cases(self) -> list[BusinessException]:
        async with self.deployment.database.connect() as connection:
            return list((await exceptions.find(connection, status="open")).items)

    async def resolve(self, case: BusinessException, action: Any, **corrections: str) -> None:
        async with self.deployment.database.begin() as connection:
            await exceptions.resolve(
                connection,
                self.deployment._outside,
                case.id,
                if_match=None,
                action=action,
                reason="as agreed",
                corrections=corrections,
                by="ann",
                duties=DUTIES,
            )


@asynccontextmanager
async def poster(deployment: Workbench, target: Target, **more: Any) -> AsyncIterator[Poster]:
    flow: PostingFlow[Entry] = posting_flow(target, deployment.database, **{"wait": 0, **more})
    settings = msgspec.structs.replace(QUICK, patience=0.2)
    async with deployment.worker(flow, settings=settings) as runtime:
        collector = Collector(deployment.database, runtime)
        collector.add(flow)
        yield Poster(deployment, collector)


async def test_a_flow_that_observes_sends_nothing(deployment: Workbench) -> None:
    """The planned batch is recorded as it would be sent; once live the same records are, and off none."""
    target = Target()
    async with poster(deployment, target) as here:
        assert await here.post(posting(1), mode="off") == 0
        assert await here.post(posting(1), posting(2), mode="observe") == 2
        run = await here.ended("observed")
        assert (target.batches, [row.state for row in await here.rows()]) == ([], ["observed"] * 2)
        (planned,) = await deployment._outside.planned_requests(run.id)
        assert (planned.operation, planned.key) == ("entries.post_entries", run.id)
        assert await here.post(posting(1), posting(2), mode="observe") == 0
        assert await here.post(posting(1), posting(2), mode="live") == 2
        await here.states(done=2)
    sent = EntryBatch(tuple(target.made))
    assert planned.body == msgspec.json.encode(sent).decode()


async def test_a_record_is_gathered_once(deployment: Workbench) -> None:
    """Whoever gathers a revision again, or twice at once, posts nothing more."""
    target = Target()
    async with poster(deployment, target) as here:
        assert await here.post(posting(1), posting(1), posting(1, revision=2)) == 2
        await here.states(done=2)
        assert await here.post(posting(1), posting(1, revision=2)) == 0
    assert [entry.key for entry in target.made] == ["entry-1-1", "entry-1-2"]


async def test_what_follows_from_a_posted_record_is_done_once(deployment: Workbench) -> None:
    """In the transaction that says that it is done: a failure there is tried again with it."""
    posted: list[tuple[str, str]] = []
    fails = [RuntimeError("not now")]

    async def on_done(_: AsyncConnection, records: Sequence[tuple[Entry, Posted]]) -> None:
        if fails:
            raise fails.pop()
        posted.extend((entry.account, each.key) for entry, each in records)

    target = Target()
    async with poster(deployment, target, on_done=on_done) as here:
        await here.post(posting(1), posting(2, account=CLOSED), posting(3))
        await here.states(done=2, refused=1)
    assert posted == [("4000", "entry-1-1"), ("4000", "entry-3-1")]
    assert [entry.key for entry in target.made] == ["entry-1-1", "entry-3-1"]


async def test_a_revision_waits_for_the_one_before(deployment: Workbench) -> None:
    """Never in one batch with it, nor while it is refused; other sources go on."""
    target = Target()
    async with poster(deployment, target) as here:
        await here.post(posting(1, account=CLOSED), posting(1, revision=2), posting(2))
        await here.states(refused=1, gathered=1, done=1)
        (case,) = await here.cases()
        await here.resolve(case, "replay", account="4000")
        await here.states(done=3)
    assert target.batches[0] == ["entry-1-1", "entry-2-1"]
    assert [entry.key for entry in target.made][1:] == ["entry-1-1", "entry-1-2"]


async def test_a_batch_is_of_one_entity(deployment: Workbench) -> None:
    """Its run, and so the exceptions of its records, are that entity's."""
    async with poster(deployment, Target()) as here:
        await here.post(*(posting(n, entity=("DE", "US")[n % 2]) for n in range(6)))
        await here.states(done=6)
        entities = {row.batch_id: row.entity for row in await here.rows()}
        for batch_id, entity in entities.items():
            assert (await deployment.until("done", batch_id)).entity == entity
    assert sorted(entities.values()) == ["DE", "US"]


async def test_a_batch_that_we_may_not_write_is_not_sent(deployment: Workbench) -> None:
    """The fields of its records are judged by ownership, as an effect's are."""
    target = Target()
    owned = Owned(
        "customer", "approved", renamed={"account": "industry"}, unowned=frozenset({"key", "amount", "note"})
    )
    async with poster(deployment, target, owned=owned) as here:
        await here.post(posting(1))
        run = await here.ended("parked")
        assert (await deployment.case(run)).kind == "ownership_violation"
    assert target.batches == []


@pytest.mark.parametrize("late", [False, True])
async def test_a_batch_without_an_answer_is_looked_up(deployment: Workbench, late: bool) -> None:
    """Whether it was made or not: it is asked for before it is sent again."""
    target = Target(late=late)
    target.fails = [VendorDoubtful("reset"), ContractViolation("off schema")]
    async with poster(deployment, target) as here:
        await here.post(posting(1))
        if not late:
            case = await deployment.case(await here.ended("parked"))
            await here.resolve(case, "replay")
        await here.states(done=1)
    assert [entry.key for entry in target.made] == ["entry-1-1"]
    assert target.looked_for


async def test_an_empty_answer_is_believed_after_a_while_only(deployment: Workbench) -> None:
    """The system may commit late: until then the record is neither sent again nor given up."""
    target = Target()
    target.fails = [VendorDoubtful("reset")]
    async with poster(deployment, target, wait_out=0.6) as here:
        began = time.monotonic()
        await here.post(posting(1))
        await here.states(done=1)
        assert time.monotonic() - began >= 0.6
    assert len(target.made) == 1


async def test_a_batch_that_is_given_up_leaves_each_record_as_a_case(deployment: Workbench) -> None:
    """Nothing is lost; one that may have been made is looked for before a replay sends it."""
    target = Target(late=True)
    async with poster(deployment, target) as here:
        target.fails = [VendorRejected("closed for today", instance="toy-main")]
        target.late = False
        await here.post(posting(1))
        await here.resolve(await deployment.case(await here.ended("parked")), "undo")
        await here.states(refused=1)
        target.late, target.fails = True, [ContractViolation("off schema")]
        await here.post(posting(2))
        await here.resolve(await deployment.case(await here.ended("parked", 1)), "undo")
        await here.states(refused=2)
        cases = await here.cases()
        assert [case.reason for case in cases] == ["given_up", "in_doubt"]
        assert all(batch.closed_at for batch in await here.batches())
        for case in cases:
            await here.resolve(case, "replay")
        await here.states(done=2)
    assert sorted(entry.key for entry in target.made) == ["entry-1-1", "entry-2-1"]
    assert target.looked_for == ["entry-2-1"]


async def test_a_person_may_skip_a_record(deployment: Workbench) -> None:
    """It is never posted; a correction that nobody can read is a case again."""
    target = Target()
    async with poster(deployment, target) as here:
        await here.post(posting(1, account=CLOSED), posting(2, account=CLOSED))
        await here.states(refused=2)
        first, second = await here.cases()
        await here.resolve(first, "skip")
        await here.resolve(second, "replay", **{"amount.amount": "much"})
        await here.states(skipped=1, refused=1)
        (again,) = await here.cases()
        assert again.reason == "invalid"
        await here.resolve(again, "replay", **{"amount.amount": "7.25", "account": "4000"})
        await here.states(skipped=1, done=1)
    (made,) = target.made
    assert (made.key, made.amount) == ("entry-2-1", Money(Decimal("7.25"), "EUR"))


async def test_a_batch_that_does_not_balance_is_an_exception(deployment: Workbench) -> None:
    """What the target acknowledges beyond what was sent, or of another amount, is said with both sides."""
    target = Target()
    target.extra = (Posted("entry-99-1", amount=Money(Decimal(1), "EUR")),)
    async with poster(deployment, target, owner="finance", most=1) as here:
        await here.post(posting(1))
        run = await here.ended("done")
        (case,) = await here.cases()
        assert (case.kind, case.owner, case.subject) == ("amount_mismatch", "finance", run.id)
        assert case.why == "Answered for without being sent once: entry-99-1."
        await here.resolve(case, "skip")
        target.extra, target.forgets = (), True
        target.finds = lambda amount: Money(amount.amount / 2, amount.currency)
        await here.post(posting(3))
        await here.ended("done", 1)
        (case,) = await here.cases()
    assert case.why == "Sent: 1 record, USD 1; acknowledged: 1 record, USD 0.5."


async def test_a_record_is_settled_once(deployment: Workbench) -> None:
    """A process that wakes after it was taken over adds nothing to what the other has settled."""
    target = Target()
    async with poster(deployment, target) as here:
        await here.post(posting(1))
        run = await here.ended("done")
        flow = posting_flow(target, deployment.database)
        before = (await here.batches(), await here.rows())
        posted, refused = Posted("entry-1-1"), RefusedRecord("entry-1-1", "late", "Too late")
        for settled in (
            Settled(done=(posted,)),
            Settled(refused=(refused,)),
            Settled(doubtful=("entry-1-1",)),
        ):
            await BatchRows(flow, cast("Run", run)).settle(settled)
        assert (await here.batches(), await here.rows()) == before
        assert await here.cases() == []
