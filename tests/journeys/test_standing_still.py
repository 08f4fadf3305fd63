"""One of two workers stands still while deals are won: nobody waits for it, and nothing is done twice."""

import asyncio
import os
import signal
from contextlib import suppress

import httpx
import pytest
import sqlalchemy as sa

from tests.support.blockable import BLOCK
from tests.support.deals import new_deal, truth
from tests.support.processes import lives
from tests.support.stack import Member, Stack, until

SILENCE_SECONDS = "3"
DEALS = 10
_BUSIEST = sa.text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
    " AND datname = current_database() AND application_name LIKE 'enfilade % locks'"
    " GROUP BY application_name ORDER BY count(*) DESC LIMIT 1"
)


async def busiest(deployment: Stack) -> int:
    """The worker that holds the most locks: on its runs, and on what it watches."""
    async with deployment.database() as database, database.connect() as connection:
        session = str((await connection.execute(_BUSIEST)).scalar_one())
    return int(session.removesuffix(" locks").rpartition("-")[2])


async def told(member: Member) -> dict[str, int]:
    async with httpx.AsyncClient(timeout=5) as http:
        return (await http.get(f"{member.internal}/health/ready")).json()


async def win_while_one_stands_still(deployment: Stack, member: Member, number: int, count: int) -> None:
    """Half of the deals are won before the signal, half after; all come to their end, exactly once."""
    killed = (await told(member))["workers_killed"]
    deals = [await new_deal(deployment.accounts.crm) for _ in range(count)]
    await asyncio.gather(*(deal.close() for deal in deals[::2]))
    frozen = await busiest(deployment)
    os.kill(frozen, number)
    await asyncio.gather(*(deal.close() for deal in deals[1::2]))

    async def replaced() -> bool:
        with suppress(httpx.TransportError):  # of a connection to the one that stands still
            return (await told(member))["workers_killed"] == killed + 1 and not lives(frozen)
        return False

    await until("it was killed, and its connections with it", replaced)
    async with deployment.caller("crm-screen") as screen:
        await asyncio.gather(*(screen.activation(deal.opportunity_id, "done") for deal in deals))
    for deal in deals:
        found = await truth(deployment.accounts, deal)
        assert found.counts() == (1, 1, 1)
        assert (len(found.orders), len(found.clients), len(found.projects)) == (1, 1, 1)


@pytest.mark.whole
async def test_ten_deals_do_not_wait_for_a_worker_that_stands_still(new_deployment: Stack) -> None:
    """Stopped, and then the other one with a blocked loop: all deals of both have one of each."""
    member = await new_deployment.start(
        module="tests.support.blockable", workers="2", worker_silence_seconds=SILENCE_SECONDS
    )
    for number in (signal.SIGSTOP, BLOCK):
        await win_while_one_stands_still(new_deployment, member, number, DEALS)
