"""tests/kit/postings: some refused, some in doubt, the process killed: each record once at the target."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from contracts.canonical.exception import BusinessException
from kit import exceptions
from kit.database import Database
from kit.postings import gather
from kit.postings.tables import batches, postings
from tests.kit.http.stand import Stand, open_stand
from tests.kit.postings.toy import CLOSED, FLOW, NOUN, ToyVendor, posting
from tests.kit.workflows.conftest import Workbench, launched
from tests.kit.workflows.story import DUTIES
from tests.support.forkserver import Forked, piped

LONGEST_SECONDS = 900  # of the whole suite on a busy machine
PORTION = 200
GROWTH_KILOBYTES = 64 * 1024
OPEN = ("gathered", "claimed", "sent", "doubtful")


class Killing:
    """A worker that posts; the vendor kills it at requests, before or after it commits; another comes."""

    def __init__(self, url: str, stand: Stand, vendor: ToyVendor, most: int, kills: set[int]) -> None:
        self._arguments = (url, stand.url, str(most))
        self._left = set(kills)
        self._workers: list[Forked] = []
        self.growths: list[int] = []
        self._began_with = 0
        self._dead = asyncio.Event()
        vendor.before_commit = lambda number: self._kill(number, odd=False)
        vendor.before_answer = lambda number: self._kill(number, odd=True)

    async def _kill(self, number: int, *, odd: bool) -> None:
        due = {at for at in self._left if at <= number and at % 2 == odd}
        if not due or self._dead.is_set():
            await asyncio.sleep(0.005)
            return
        self._left -= {min(due)}
        self._note_growth()
        self._workers[-1].kill()
        await asyncio.to_thread(self._workers[-1].wait)
        self._dead.set()
        if not odd:
            await asyncio.sleep(
                0.3
            )  # it commits late: its client is dead, and the next may have looked for it

    async def start(self) -> None:
        worker = piped("tests.kit.postings.worker", *self._arguments)
        self._workers.append(worker)
        await launched(worker)
        self._began_with = _peak(worker)

    async def keep_one_alive(self) -> None:
        while True:
            await self._dead.wait()
            await self.start()
            self._dead.clear()

    def _note_growth(self) -> None:
        self.growths.append(_peak(self._workers[-1]) - self._began_with)

    def end(self) -> None:
        self._note_growth()
        for worker in self._workers:
            worker.kill()
            worker.communicate()

    @property
    def count(self) -> int:
        return len(self._workers)


def _peak(process: Forked) -> int:
    """The most memory that a process has had, in kilobytes."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


async def counts(database: Database) -> dict[str, int]:
    """How many records are in each state."""
    query = select(postings.c.state, func.count()).group_by(postings.c.state)
    async with database.connect() as connection:
        return {row[0]: row[1] for row in await connection.execute(query)}


async def settled(database: Database) -> dict[str, int]:
    """The states, once nothing is under way."""
    end = time.monotonic() + LONGEST_SECONDS
    while True:
        states = await counts(database)
        query = select(func.count()).select_from(batches).where(batches.c.closed_at.is_(None))
        async with database.connect() as connection:
            unclosed = (await connection.execute(query)).scalar_one()
        if not unclosed and not any(states.get(state) for state in OPEN):
            return states
        assert time.monotonic() < end, (states, unclosed)
        await asyncio.sleep(0.1)


async def open_cases(database: Database) -> list[BusinessException]:
    async with database.connect() as connection:
        query = select(text("id")).select_from(text("enfilade.exceptions")).where(text("status = 'open'"))
        ids = (await connection.execute(query)).scalars().all()
        return [await exceptions.get(connection, one) for one in ids]


async def steps_of_engine(database: Database) -> int:
    async with database.connect() as connection:
        return (await connection.execute(text("SELECT count(*) FROM dbos.operation_outputs"))).scalar_one()


@asynccontextmanager
async def posting_through(
    deployment: Workbench, records: int, most: int, kills: set[int]
) -> AsyncIterator[tuple[ToyVendor, Killing]]:
    vendor = ToyVendor()
    vendor.drops_after = frozenset(range(5, 1000, 9))
    async with open_stand() as stand:
        stand.answer = vendor.answer
        async with deployment.database.begin() as connection:
            rows = (posting(n, account=CLOSED if n % 50 == 7 else "4000") for n in range(records))
            assert await gather(connection, rows, flow=FLOW, noun=NOUN, mode="live") == records
        killing = Killing(deployment.database.url, stand, vendor, most, kills)
        await killing.start()
        alive = asyncio.create_task(killing.keep_one_alive())
        try:
            yield vendor, killing
        finally:
            alive.cancel()
            killing.end()


async def resolve(deployment: Workbench, case: BusinessException, **corrections: str) -> None:
    async with deployment.database.begin() as connection:
        await exceptions.resolve(
            connection,
            deployment._outside,
            case.id,
            if_match=None,
            action="replay",
            reason="as agreed",
            corrections=corrections,
            by="ann",
            duties=DUTIES,
        )


async def resolve_alike(deployment: Workbench, case: BusinessException, by: str, **corrections: str) -> Any:
    async with deployment.database.begin() as connection:
        return await exceptions.resolve_group(
            connection,
            deployment._outside,
            case.id,
            most=PORTION,
            action="replay",
            reason="as agreed",
            corrections=corrections,
            by=by,
            duties=DUTIES,
        )


async def once_each(deployment: Workbench, records: int, most: int, kills: set[int]) -> str:
    """Post so many, killed at these requests; refused ones are fixed, one and then all; the figures."""
    database = deployment.database
    began = time.monotonic()
    async with posting_through(deployment, records, most, kills) as (vendor, killing):
        states = await settled(database)
        seconds = time.monotonic() - began
        refused = len([n for n in range(records) if n % 50 == 7])
        assert states == {"done": records - refused, "refused": refused}
        assert killing.count == len(kills) + 1
        assert {len(made) for made in vendor.made.values()} == {1}
        assert len(vendor.made) == records - refused
        assert vendor.found
        steps = await steps_of_engine(database)
        cases = await open_cases(database)
        assert {case.subject for case in cases} == {f"entry-{n}" for n in range(records) if n % 50 == 7}
        assert {(case.reason, case.caused_by) for case in cases} == {("account_closed", "bob")}
        assert cases[0].after["account"] == CLOSED
        await resolve(deployment, cases[0], account="4000")
        assert (await settled(database))["refused"] == refused - 1
        assert (await resolve_alike(deployment, cases[0], "bob")).withheld == refused - 1
        while (found := await resolve_alike(deployment, cases[0], "ann", account="4000")).remaining:
            assert len(found.resolved) == PORTION
        assert await settled(database) == {"done": records}
        assert {len(made) for made in vendor.made.values()} == {1}
        assert len(vendor.made) == records
    assert await open_cases(database) == []
    assert max(killing.growths) < GROWTH_KILOBYTES
    await balanced(deployment, vendor)
    return (
        f"{records} records in {seconds:.0f} s ({records / seconds * 60:.0f} a minute), killed {len(kills)} "
        f"times; {steps / records * 1000:.1f} steps of the engine per thousand records; "
        f"{max(killing.growths) / 1024:.0f} MB of memory more than at the start"
    )


async def balanced(deployment: Workbench, vendor: ToyVendor) -> None:
    """The checkpoints of all batches together are what the target has."""
    async with deployment.database.connect() as connection:
        totals = (await connection.execute(select(batches.c.totals, batches.c.exception_id))).all()
    assert {row.exception_id for row in totals} == {""}
    for side in ("sent", "acknowledged"):
        sums: dict[str, Decimal] = {}
        for row in totals:
            for currency, amount in row.totals.get(side, {}).get("sums", {}).items():
                sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
        made = [amount for amounts in vendor.made.values() for amount in amounts]
        for currency, total in sums.items():
            assert total == sum(amount.amount for amount in made if amount.currency == currency)
        assert set(sums) == {"EUR", "USD"}


async def test_each_record_is_posted_once(deployment: Workbench, record_property: Any) -> None:
    """300 records, two kills: each once at the target, refused ones are exceptions of their records."""
    record_property("figure", await once_each(deployment, records=300, most=25, kills={4, 9}))


@pytest.mark.whole
async def test_each_of_many_records_is_posted_once(deployment: Workbench, record_property: Any) -> None:
    """20,000 records, ten kills: the same, in bounded memory."""
    kills = {3, 8, 17, 24, 35, 42, 55, 66, 77, 88}
    record_property("figure", await once_each(deployment, records=20_000, most=200, kills=kills))
