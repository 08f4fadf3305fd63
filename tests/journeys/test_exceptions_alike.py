"""Records that were refused for the same reason are replayed in one call, by the API and by the command."""

import argparse
import uuid

import pytest
from sqlalchemy import select

from deploy.cli.commands import exceptions as command
from deploy.people import Person
from kit import exceptions
from kit.database import Database
from kit.postings import Posting, gather
from kit.postings.rows import move
from kit.postings.tables import postings
from tests.kit.postings.toy import Entry, posting
from tests.support.deals import new_deal
from tests.support.stack import Stack

EXCEPTIONS = "/process/exceptions/v1/exceptions"
FLOW, NOUN, TARGET = "post-toys", "entry", "toy-main:entry"


def refused(count: int, reason: str) -> list[Posting]:
    """So many records of a flow that no deployment has, so that nobody claims them."""
    names = [f"{reason}-{uuid.uuid4().hex}" for _ in range(count)]
    entry = posting(1).body
    assert isinstance(entry, Entry)
    return [posting(1, source=name, key=name) for name in names]


async def refuse(database: Database, records: list[Posting], reason: str) -> list[str]:
    """The exceptions of records that were refused, as a batch raises them."""
    async with database.begin() as connection:
        await gather(connection, records, flow=FLOW, noun=NOUN, mode="live")
        these = postings.c.source.in_([record.source for record in records])
        await move(connection, these, "claimed")
        await move(connection, these, "refused")
        return [
            await exceptions.raise_exception(
                connection,
                kind="vendor_rejected",
                flow=FLOW,
                subject=record.source,
                stopped="The record was refused",
                why="The period is closed",
                what_next="Open it",
                owner="finance",
                correlation_id="cor_toys",
                step=TARGET,
                reason=reason,
                caused_by="bob",
                resume=exceptions.Resume(kind="record", source=record.source, revision=1, target=TARGET),
            )
            for record in records
        ]


async def rows(database: Database, records: list[Posting]) -> list[tuple[str, dict[str, str]]]:
    query = select(postings.c.state, postings.c.corrections)
    query = query.where(postings.c.source.in_([record.source for record in records]))
    async with database.connect() as connection:
        return [(row.state, row.corrections) for row in await connection.execute(query)]


async def test_all_of_one_reason_are_replayed_together(deployment: Stack) -> None:
    """In portions of a request, with what was corrected; one that stands alone is resolved by itself."""
    reason, records, others = f"closed-{uuid.uuid4().hex}", refused(5, "a"), refused(1, "b")
    async with deployment.database() as database:
        first, *_ = await refuse(database, records, reason)
        (alone,) = await refuse(database, others, "")
        body = {"action": "replay", "reason": "Decided", "corrections": {"account": "4711"}, "most": 3}
        async with deployment.caller("finance-desk", "fiona") as finance:
            path = f"{EXCEPTIONS}/{first}/resolution/alike"
            answers = [await finance.post(path, body, key=f"alike-{uuid.uuid4().hex}") for _ in range(2)]
            refusal = await finance.post(
                f"{EXCEPTIONS}/{alone}/resolution/alike", body, key=f"alone-{uuid.uuid4().hex}"
            )
            case = await finance.get(f"{EXCEPTIONS}/{first}")
        assert [len(answer.json()["resolved"]) for answer in answers] == [3, 2]
        assert [answer.json()["remaining"] for answer in answers] == [2, 0]
        assert (refusal.status_code, refusal.json()["code"]) == (409, "conflict")
        assert (case["status"], case["reason"]) == ("resolved", reason)
        assert await rows(database, records) == [("gathered", {"account": "4711"})] * 5
        assert await rows(database, others) == [("refused", {})]


async def test_deals_with_one_unknown_value_are_replayed_together(deployment: Stack) -> None:
    """Of all that stopped at validation only those that lack the same value; each is judged by itself."""
    crm = deployment.accounts.crm
    cards = ("RC-OLD", "RC-OLD", None)
    deals = [await new_deal(crm, rate_card=card) for card in cards]
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        for deal in deals:
            await deal.close()
        parked = [await screen.activation(deal.opportunity_id, "parked") for deal in deals]
        body = {"action": "replay", "reason": "Mapped", "corrections": {"rate_card": "RC-UK-2026"}}
        path = f"{EXCEPTIONS}/{parked[0]['exception_id']}/resolution/alike"
        answer = await finance.post(path, body, key=f"alike-{deals[0].opportunity_id}")
        for deal in deals[:2]:
            await screen.activation(deal.opportunity_id, "done")
        other = await screen.activation(deals[2].opportunity_id, "parked")
    assert set(answer.json()["resolved"]) == {each["exception_id"] for each in parked[:2]}
    assert other["exception_id"] == parked[2]["exception_id"]


async def test_the_command_resolves_all_of_one_reason(
    deployment: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """`enfilade exceptions` says how many are of one cause, `resolve … --alike` how many it resolved."""
    reason, records = f"closed-{uuid.uuid4().hex}", refused(2, "c")
    parser = argparse.ArgumentParser()
    command.configure(parser)
    async with deployment.database() as database:
        first, *_ = await refuse(database, records, reason)
        given = ["resolve", first, "--alike", "--action", "skip", "--reason", "Too late"]
        async with deployment.caller("finance-desk", "fiona") as finance:
            token = deployment.token("finance-desk", "fiona")
            person = Person("fiona", deployment.url, token, finance.http)
            await command._list(parser.parse_args([]), person)
            listed = capsys.readouterr().out
            await command._resolve(parser.parse_args(given), person)
        assert await rows(database, records) == [("skipped", {})] * 2
    assert "Of the same cause: 2 cases; --alike resolves them together." in " ".join(listed.split())
    assert capsys.readouterr().out.startswith("Resolved: 2 exceptions, skip, by fiona")
