"""Whatever the CRM: deals, accounts, contacts as they are, and a project's way back that may be repeated."""

import asyncio
import datetime as dt
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest

from contracts.canonical.opportunity import ProjectLink
from contracts.canonical.values import Money
from contracts.problems import Invalid, NotFound, PreconditionFailed
from contracts.system.crm import PRECONDITION
from tests.conformance.common import (
    LOST,
    all_done,
    lists_once_in_order,
    pages,
    tells_bad_answers,
    tells_doubt,
    until_done,
)
from tests.conformance.conftest import ConnectorUnderTest, connectors
from tests.conformance.features import needs

CAPABILITY = "crm"
LINK = ProjectLink(project_id="prj_1", status="active", project_url="https://psa.example/1")
pytestmark = pytest.mark.parametrize("connector", connectors(CAPABILITY), indirect=True)


async def new_deal(connector: ConnectorUnderTest, **fields: Any) -> tuple[str, str]:
    assert connector.stand.deal is not None
    return await connector.stand.deal(connector.account, **fields)


async def test_a_deal_reads_as_it_is(connector: ConnectorUnderTest) -> None:
    """Amounts to the cent, and business dates, come out as a person put them in."""
    opportunity_id, account_id = await new_deal(
        connector,
        amount=1234567.89,
        close_date="2026-02-28",
        expected_start="2028-02-29",
        expected_end="2028-12-31",
    )
    found = await connector.api.get_opportunity(opportunity_id)
    assert (found.amount, found.customer_id) == (Money(Decimal("1234567.89"), "GBP"), account_id)
    assert found.close_date == dt.date(2026, 2, 28)
    assert (found.expected_start, found.expected_end) == (dt.date(2028, 2, 29), dt.date(2028, 12, 31))
    assert (await connector.api.get_customer(account_id)).id == account_id


@pytest.mark.parametrize("unknown", ["001000000000000AAA", "nobody", "0"])
async def test_an_unknown_id_is_not_found(connector: ConnectorUnderTest, unknown: str) -> None:
    """Well-formed or not: what is not there is NotFound."""
    for read in (
        connector.api.get_opportunity,
        connector.api.get_customer,
        connector.api.list_contacts,
    ):
        with pytest.raises(NotFound):
            await read(unknown)
    with pytest.raises(NotFound):
        await connector.api.put_project_link(unknown, LINK)


async def test_a_cursor_of_somebody_else_is_refused(connector: ConnectorUnderTest) -> None:
    """No page starts there."""
    for listing in (connector.api.list_opportunities, connector.api.list_customers):
        with pytest.raises(Invalid):
            await listing(cursor="bm9ib2R5")


async def test_a_link_is_written_only_at_the_stage_that_it_is_for(connector: ConnectorUnderTest) -> None:
    """A deal that was lost meanwhile does not get the link of a won one; at its own stage it does."""
    needs(connector.lacks, PRECONDITION)
    opportunity_id, _ = await new_deal(connector)
    before = await connector.api.get_opportunity(opportunity_id)
    assert before.stage == "open"
    with pytest.raises(PreconditionFailed):
        await connector.api.put_project_link(opportunity_id, msgspec.structs.replace(LINK, only_while="won"))
    assert await connector.api.get_opportunity(opportunity_id) == before
    link = msgspec.structs.replace(LINK, only_while="open")
    assert (await connector.api.put_project_link(opportunity_id, link)).project_ref == LINK.project_id


async def test_lists_give_everything_once(connector: ConnectorUnderTest) -> None:
    """Page by page, whatever the size of the pages."""
    for _ in range(3):
        await new_deal(connector)
    await lists_once_in_order(connector.api.list_opportunities, at_least=3)
    accounts = await lists_once_in_order(connector.api.list_customers, at_least=3)
    for account in accounts:
        contacts = await connector.api.list_contacts(account.id, limit=200)
        one_by_one = await pages(partial(connector.api.list_contacts, account.id), 1)
        assert one_by_one == list(contacts.items)


async def test_the_link_is_written_once_however_often(connector: ConnectorUnderTest) -> None:
    """In turn, at once, from two processes; cleared by an empty one; written again."""
    opportunity_id, _ = await new_deal(connector)
    first = await connector.api.put_project_link(opportunity_id, LINK)
    assert first.project_ref == "prj_1"
    other = await connector.open()
    both = [api.put_project_link(opportunity_id, LINK) for api in (connector.api, other) * 3]
    assert {one.version for one in await asyncio.gather(*both)} == {first.version}, (
        "nothing was left to write"
    )
    cleared = await connector.api.put_project_link(opportunity_id, ProjectLink(project_id="", status=""))
    assert cleared.project_ref == ""
    assert (await connector.api.put_project_link(opportunity_id, LINK)).project_ref == "prj_1"


@pytest.mark.parametrize("effect", LOST.values(), ids=LOST)
async def test_a_lost_answer_leaves_the_link(connector: ConnectorUnderTest, effect: dict[str, Any]) -> None:
    """Whatever becomes of the answer, the link stands at the end."""
    opportunity_id, _ = await new_deal(connector)
    await connector.account.advance_clock(5)
    await connector.spoil(connector.stand.writes, effect)
    await until_done(lambda: connector.api.put_project_link(opportunity_id, LINK))
    await all_done(connector)
    assert (await connector.api.get_opportunity(opportunity_id)).project_ref == "prj_1"


async def test_bad_answers_are_told(connector: ConnectorUnderTest) -> None:
    """Each by its name, and nothing of the vendor's words with it."""
    opportunity_id, _ = await new_deal(connector)
    await tells_bad_answers(connector, lambda: connector.api.get_opportunity(opportunity_id))


async def test_a_write_without_an_answer_is_doubtful(connector: ConnectorUnderTest) -> None:
    """It may be done."""
    opportunity_id, _ = await new_deal(connector)
    await connector.account.advance_clock(5)
    number = iter(range(1, 100))

    async def write() -> Any:
        link = ProjectLink(project_id=f"prj_{next(number)}", status="active")
        return await connector.api.put_project_link(opportunity_id, link)

    await tells_doubt(connector, connector.stand.writes, write)
