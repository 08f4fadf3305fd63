"""tests of the connector: what a vendor accepts first and does later is sent once, whoever asks or dies."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from contracts.problems import NotFound, Problem, VendorDoubtful, VendorPending, VendorRejected
from kit import ledger, problems
from kit.database import Database
from system_apis.connector.jobs import Jobs


class Body(msgspec.Struct, frozen=True):
    name: str = "Globex"


class Vendor:
    """Accepts a request, and answers what it is told to when it is asked for the job."""

    def __init__(self) -> None:
        self.sent = 0
        self.asked: list[str] = []
        self.outcome: Problem | bool = False

    async def send(self) -> str:
        self.sent += 1
        return f"job-{self.sent}"

    async def ask(self, handle: str) -> bool:
        self.asked.append(handle)
        if isinstance(self.outcome, Problem):
            raise self.outcome
        return self.outcome


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    database = Database(fresh_database_url)
    yield database
    await database.close()


def jobs_of(vendor: Vendor, database: Database | None, settle_seconds: float = 60) -> Jobs:
    """The jobs as a process of its own has them."""
    return Jobs("psa-1", database, vendor.ask, settle_seconds=settle_seconds)


async def test_what_is_pending_is_asked_for_and_not_sent_again(database: Database) -> None:
    """By this process and by its successor, by a repetition and by a read; until it is done."""
    vendor = Vendor()
    first, second = jobs_of(vendor, database), jobs_of(vendor, database)
    for jobs in (first, first, second):
        with pytest.raises(VendorPending) as pending:
            await jobs.submit("k", Body(), vendor.send)
        assert pending.value.extra["handle"] == "job-1"
    with pytest.raises(VendorPending):
        await second.settle("k")
    vendor.outcome = True
    await second.submit("k", Body(), vendor.send)
    await second.settle("k")
    assert (vendor.sent, set(vendor.asked)) == (1, {"job-1"})


@pytest.mark.parametrize("outcome", [VendorRejected("no such client"), NotFound("no such job")])
async def test_a_job_that_did_nothing_is_sent_again(outcome: Problem) -> None:
    """A refusal is told once, and what comes after it is new; as after a job that is not known any more."""
    vendor = Vendor()
    jobs = jobs_of(vendor, None)
    with pytest.raises(VendorPending):
        await jobs.submit("k", Body(), vendor.send)
    vendor.outcome = outcome
    if isinstance(outcome, VendorRejected):
        with pytest.raises(VendorRejected, match="no such client"):
            await jobs.submit("k", Body(), vendor.send)
    with pytest.raises(VendorPending):
        await jobs.submit("k", Body(), vendor.send)
    assert vendor.sent == 2


async def test_another_body_is_not_what_was_done() -> None:
    """The job of another state of the record is waited for, and then this one is sent."""
    vendor = Vendor()
    jobs = jobs_of(vendor, None)
    for body in (Body(), Body("Initech")):
        with pytest.raises(VendorPending):
            await jobs.submit("k", body, vendor.send)
    assert vendor.sent == 1
    vendor.outcome = True
    with pytest.raises(VendorPending) as pending:
        await jobs.submit("k", Body("Initech"), vendor.send)
    assert (vendor.sent, pending.value.extra["handle"]) == (2, "job-2")


async def test_a_job_whose_handle_was_lost_is_waited_out(database: Database) -> None:
    """The process died as the answer came: nothing is sent while that job may still be under way."""
    vendor = Vendor()

    async def dies() -> str:
        await vendor.send()
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await jobs_of(vendor, database).submit("k", Body(), dies)
    with pytest.raises(VendorDoubtful):
        await jobs_of(vendor, database).submit("k", Body(), vendor.send)
    assert vendor.sent == 1
    with pytest.raises(VendorPending):
        await jobs_of(vendor, database, settle_seconds=0).submit("k", Body(), vendor.send)
    assert vendor.sent == 2


async def test_the_ledger_asks_for_what_is_pending(database: Database) -> None:
    """A durable effect is pending until the job is done, and is then what its key has made."""
    vendor = Vendor()

    async def make() -> Body:
        await jobs_of(vendor, database).submit("k", Body(), vendor.send)
        return Body()

    async def find() -> Body | None:
        await jobs_of(vendor, database).settle("k")
        return Body()

    async def once() -> Body:
        return await ledger.once(
            database,
            source="crm-1:opportunity:7",
            revision=1,
            target="psa-1:project",
            key="k",
            do=make,
            find=find,
            returns=Body,
            wait_out=0,
        )

    for _ in range(2):
        with pytest.raises(VendorPending):
            await once()
    vendor.outcome = True
    assert await once() == await once() == Body()
    assert vendor.sent == 1


def test_a_pending_problem_is_the_same_on_the_other_side() -> None:
    """It goes over HTTP and into the engine's history with its handle."""
    sent = VendorPending("not yet", handle="job-1", instance="psa-1")
    received = problems.from_document(problems.document(sent))
    assert isinstance(received, VendorPending)
    assert (received.extra, received.retryable) == (sent.extra, True)
