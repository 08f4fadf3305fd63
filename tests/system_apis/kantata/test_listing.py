"""Projects at Kantata by last change: pages that skip nothing."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from contracts.events.kinds import PROJECT_CHANGED, RECORD_UNREADABLE
from contracts.problems import ContractViolation, Invalid
from system_apis.connector import OpenInstance
from tests.support.listening import Cursors, Inbox
from tests.support.sandboxes import Account
from tests.system_apis.kantata.drafts import project_draft

BEGIN = dt.datetime(2026, 12, 1, 10, tzinfo=dt.UTC)


async def fill(account: Account, count: int, *, seconds_between: float) -> list[str]:
    """Projects that people made one after the other; their ids."""
    await account.freeze_clock(BEGIN.isoformat())
    ids: list[str] = []
    for number in range(count):
        ids.append((await account.create("workspaces", title=f"P{number}"))["id"])
        await account.advance_clock(seconds_between)
    return ids


async def test_an_account_that_answers_one_page_for_ever(
    kantata: OpenInstance, psa: Any, account: Account
) -> None:
    """A list whose page number is ignored is a contract violation: for lists, the catalogue and the poll."""
    await fill(account, 2, seconds_between=0)
    real = await kantata.client._outbound.send("GET", "/workspaces", params={"order": "updated_at:asc"})
    meta = {"count": 900, "page_count": 9, "page_number": 1}
    body = {"count": 9, "results": [], "meta": meta}
    await account.add_fault({"answer": {"status": 200, "body": body}}, path="/custom_fields", times=None)
    async with asyncio.timeout(20):
        with pytest.raises(ContractViolation, match="same page"):
            await kantata.client.catalogue.get()
        await account.clear_faults()
        await kantata.client.catalogue.get()
        body = {**real.json(dict[str, Any]), "meta": meta}
        await account.add_fault({"answer": {"status": 200, "body": body}}, path="/workspaces", times=None)
        with pytest.raises(ContractViolation, match="same page"):
            await psa.list_projects(None, None, 50)
        poll = next(source for source in kantata.changes if source.name.endswith(":poll"))
        with pytest.raises(ContractViolation, match="same page"):
            await poll.look(Inbox(), Cursors())


async def read(psa: Any, limit: int, since: dt.datetime | None = None) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor = None
    while True:
        page = await psa.list_projects(since, cursor, limit)
        pages.append([project.id for project in page.items])
        cursor = page.next_cursor
        if cursor is None:
            return pages


async def test_pages_go_by_last_change(psa: Any, account: Account) -> None:
    """Oldest change first, each project once, and no cursor on the last page."""
    ids = await fill(account, 5, seconds_between=60)
    assert await read(psa, 2) == [ids[:2], ids[2:4], ids[4:]]


async def test_a_second_full_of_changes_is_cut_between_pages(psa: Any, account: Account) -> None:
    """Stamps count whole seconds: within one, ids decide."""
    ids = await fill(account, 5, seconds_between=0)
    assert await read(psa, 2) == [ids[:2], ids[2:4], ids[4:]]


async def test_since_an_instant(psa: Any, account: Account) -> None:
    """At or after it, archived projects included."""
    ids = await fill(account, 4, seconds_between=60)
    await account.edit("workspaces", ids[3], archived=True)
    assert await read(psa, 50, BEGIN + dt.timedelta(seconds=120)) == [ids[2:]]


async def test_a_change_between_pages_skips_nobody(psa: Any, account: Account) -> None:
    """A project that moves to the end of the list leaves no gap in the next page."""
    ids = await fill(account, 4, seconds_between=60)
    first = await psa.list_projects(None, None, 2)
    await account.edit("workspaces", ids[0], title="Moved")
    second = await psa.list_projects(None, first.next_cursor, 50)
    assert [project.id for project in second.items] == [ids[2], ids[3], ids[0]]


async def test_more_than_one_page_of_the_vendors(psa: Any, account: Account) -> None:
    """Hundreds of changes in one second come whole, though the vendor gives 200 at a time."""
    await account.freeze_clock(BEGIN.isoformat())
    stamps = {"created_at": BEGIN.isoformat(), "updated_at": BEGIN.isoformat()}
    rows = [{"title": f"P{number}", **stamps} for number in range(230)]
    ids = (await account.seed({"workspaces": rows}))["workspaces"]
    pages = await read(psa, 150)
    assert [len(page) for page in pages] == [150, 80]
    assert sorted(each for page in pages for each in page) == sorted(ids)


async def test_a_listed_project_is_the_one_that_is_read(psa: Any, client_id: str) -> None:
    """Same facts and version as when it is read by itself; the list leaves out the structure."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    (listed,) = (await psa.list_projects()).items
    whole = await psa.get_project(made.id)
    assert (listed.key, listed.status, listed.version) == ("prj-1", "planned", whole.version)
    assert (listed.tasks, listed.planned_roles) == ((), ())


@pytest.mark.parametrize("cursor", ["nonsense", "WyJ5ZXN0ZXJkYXkiLCAiMSJd"])
async def test_a_strange_cursor_is_refused(psa: Any, cursor: str) -> None:
    """Only a cursor that the list gave leads on."""
    with pytest.raises(Invalid):
        await psa.list_projects(None, cursor)


@pytest.mark.parametrize("odd", [{"due_date": ""}, {"title": None}, {"price_in_cents": "a lot"}])
async def test_an_odd_project_is_left_out_and_named(
    psa: Any, account: Account, kantata: OpenInstance, odd: dict[str, Any]
) -> None:
    """The others are listed; the poll names the odd one once, and reading it alone is refused."""
    poll = next(source for source in kantata.changes if source.name.endswith(":poll"))
    inbox, cursors = Inbox(), Cursors()
    await poll.begin(cursors)
    well, ill = [(await account.create("workspaces", title=f"P{number}"))["id"] for number in range(2)]
    await _spoil(kantata, account, ill, odd)
    page = await psa.list_projects()
    assert [item.id for item in page.items] == [well]
    (left_out,) = page.left_out
    assert (left_out.id, f"$.{next(iter(odd))}" in left_out.why) == (ill, True)
    with pytest.raises(ContractViolation):
        await psa.get_project(ill)
    for _ in range(2):
        await poll.look(inbox, cursors)
    told = {(item.type, item.change.id) for item in inbox.items}
    assert (told, len(inbox.items)) == ({(PROJECT_CHANGED, well), (RECORD_UNREADABLE, ill)}, 2)
    await account.clear_faults()
    await poll.look(inbox, cursors)
    assert (inbox.items[-1].type, inbox.items[-1].change.id) == (PROJECT_CHANGED, ill)
    assert len({item.key for item in inbox.items}) == 2


async def test_the_odd_project_is_the_only_one_that_changed(
    psa: Any, account: Account, kantata: OpenInstance
) -> None:
    """It is left out alone; what has no id or no last change is no record, and spoils the answer."""
    ill = (await account.create("workspaces", title="P"))["id"]
    await _spoil(kantata, account, ill, {"title": 7})
    page = await psa.list_projects()
    assert (page.items, [each.id for each in page.left_out]) == ((), [ill])
    for gone in ({"id": None}, {"updated_at": ""}):
        await account.clear_faults()
        await _spoil(kantata, account, ill, gone)
        with pytest.raises(ContractViolation):
            await psa.list_projects()


async def _spoil(kantata: OpenInstance, account: Account, ident: str, odd: dict[str, Any]) -> None:
    """Every list of projects has one project with such values."""
    answer = await kantata.client._outbound.send("GET", "/workspaces", params={"order": "updated_at:asc"})
    body = answer.json(dict[str, Any])
    body["workspaces"][ident] |= odd
    await account.add_fault({"answer": {"status": 200, "body": body}}, path="/workspaces", times=None)
