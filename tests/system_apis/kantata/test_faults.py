"""What goes wrong on the way to Kantata: lost answers, late effects, throttling, answers off their schema."""

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from contracts.problems import (
    ContractViolation,
    Problem,
    VendorDoubtful,
    VendorRejected,
    VendorUnavailable,
)
from kit import clock
from kit.database import Database
from kit.database.tables import cursors
from kit.http import VendorAnswer
from system_apis.vendors.kantata.client.errors import reader
from system_apis.vendors.kantata.profile import KantataProfile
from tests.support.instances import Open
from tests.support.sandboxes import Account
from tests.system_apis.kantata.drafts import client_draft, project_draft
from tests.system_apis.kantata.test_projects import WHOLE, shape

KINDS = ("workspaces", "stories", "workspace_resources", "workspace_allocations")
LOST = [
    pytest.param({"status": 504, "when": "after"}, id="504 after commit"),
    pytest.param({"drop": "after"}, id="dropped after commit"),
    pytest.param({"drop": "before"}, id="dropped before commit"),
]


def settled(profile: KantataProfile, seconds: float) -> KantataProfile:
    connection = msgspec.structs.replace(profile.connection, settle_seconds=seconds)
    return msgspec.structs.replace(profile, connection=connection)


async def all_are_done(account: Account) -> None:
    """Until every call came to its end at the vendor, those too whose client has gone."""
    while any(call["duration_ms"] is None for call in await account.calls()):
        pass  # each look is a call


async def until_made(psa: Any, draft: Any) -> Any:
    """As a durable step does: again, as long as the problem says that one may."""
    while True:
        try:
            return await psa.put_project("prj-1", draft)
        except VendorUnavailable as problem:
            clock.advance(problem.retry_after or 0)


@pytest.mark.parametrize("effect", LOST)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_lost_answer_makes_nothing_twice(
    psa: Any, account: Account, client_id: str, kind: str, effect: dict[str, Any], real_clock: None
) -> None:
    """Whichever call loses its answer, the outcome is doubtful first, and one whole project in the end."""
    await account.add_fault(effect, method="POST", path=f"/{kind}")
    with pytest.raises(VendorDoubtful):
        await psa.put_project("prj-1", project_draft(client_id))
    project = await until_made(psa, project_draft(client_id))
    assert (len(project.tasks), len(project.planned_roles)) == (5, 3)
    assert await shape(account) == WHOLE


@pytest.mark.parametrize("kind", KINDS)
async def test_a_late_effect_makes_nothing_twice(
    open_kantata: Open, profile: KantataProfile, account: Account, client_id: str, kind: str
) -> None:
    """A request that takes effect after its connection broke meets what was made since, or is waited out."""
    psa = (await open_kantata(settled(profile, 0.6))).capabilities["psa"]
    await account.add_fault({"commit_late_ms": 300}, method="POST", path=f"/{kind}")
    with pytest.raises(VendorDoubtful):
        await psa.put_project("prj-1", project_draft(client_id))
    async with asyncio.timeout(10):
        while True:
            try:
                await psa.put_project("prj-1", project_draft(client_id))
                break
            except VendorDoubtful as problem:
                await asyncio.sleep(problem.retry_after or 0)
        await all_are_done(account)
    await psa.put_project("prj-1", project_draft(client_id))
    assert await shape(account) == WHOLE


async def test_another_process_knows_of_the_doubt(
    open_kantata: Open, profile: KantataProfile, account: Account, database: Database, client_id: str
) -> None:
    """A seat in doubt is waited out by whichever process comes next."""
    slow = settled(profile, 100)
    one, two = [(await open_kantata(slow, database=database)).capabilities["psa"] for _ in range(2)]
    await account.add_fault({"drop": "before"}, method="POST", path="/workspace_resources")
    with pytest.raises(VendorDoubtful):
        await one.put_project("prj-1", project_draft(client_id))
    with pytest.raises(VendorDoubtful, match="earlier request") as doubt:
        await two.put_project("prj-1", project_draft(client_id))
    assert doubt.value.retry_after == 5


async def test_a_process_that_dies_leaves_its_doubt(
    open_kantata: Open, profile: KantataProfile, account: Account, database: Database, client_id: str
) -> None:
    """A seat whose process ended before the answer came is waited out by the next, too."""
    slow = settled(profile, 100)
    one, two = [(await open_kantata(slow, database=database)).capabilities["psa"] for _ in range(2)]
    hold = await account.hold("before", method="POST", path="/workspace_resources")
    dying = asyncio.create_task(one.put_project("prj-1", project_draft(client_id)))
    assert await hold.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    with pytest.raises(VendorDoubtful, match="earlier request"):
        await two.put_project("prj-1", project_draft(client_id))
    await hold.release()


async def test_what_was_answered_is_in_no_doubt(
    open_kantata: Open, profile: KantataProfile, account: Account, database: Database, client_id: str
) -> None:
    """A refused seat is asked for again at once, and nothing is left behind of the seats that were made."""
    slow = settled(profile, 100)
    psa = (await open_kantata(slow, database=database)).capabilities["psa"]
    await account.add_fault({"status": 422}, method="POST", path="/workspace_resources")
    with pytest.raises(VendorRejected):
        await psa.put_project("prj-1", project_draft(client_id))
    await psa.put_project("prj-1", project_draft(client_id))
    assert await shape(account) == WHOLE
    async with database.connect() as connection:
        kept = await connection.execute(select(cursors.c.name).where(cursors.c.name.contains(":doubt:")))
        assert kept.scalars().all() == []


async def test_a_burst_of_429_is_waited_out(psa: Any, account: Account, client_id: str) -> None:
    """Throttled calls did nothing: they are sent again, and nothing is made twice."""
    await account.add_fault({"status": 429}, times=3, method="POST", path="/workspaces")
    await psa.put_project("prj-1", project_draft(client_id))
    assert await shape(account) == WHOLE


async def test_a_longer_burst_is_told(psa: Any, account: Account, client_id: str) -> None:
    """When the throttling lasts, the caller comes again later."""
    await account.add_fault({"status": 429}, times=None, method="POST", path="/workspaces")
    with pytest.raises(VendorUnavailable) as problem:
        await psa.put_project("prj-1", project_draft(client_id))
    assert not isinstance(problem.value, VendorDoubtful)
    assert problem.value.retryable


async def test_the_vendors_own_limits_are_borne(psa: Any, account: Account, client_id: str) -> None:
    """Never more than four calls at a time."""
    await asyncio.gather(*(psa.put_project(f"prj-{n}", project_draft(client_id)) for n in range(6)))
    assert (await account.count_calls())["max_in_flight"] <= 4


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        {"workspaces": {}},
        {"results": [{"key": "workspaces", "id": "1"}], "workspaces": {}},
        {
            "results": [{"key": "workspaces", "id": "1"}],
            "workspaces": {"1": {"id": "1", "title": None, "updated_at": "yesterday"}},
        },
    ],
)
async def test_an_answer_off_its_schema_is_a_violation(psa: Any, account: Account, body: Any) -> None:
    """Never a silent nothing: whatever is not as promised says so, and not what it was."""
    await account.add_fault({"answer": {"status": 200, "body": body}}, method="GET", path="/workspaces")
    with pytest.raises(ContractViolation) as problem:
        await psa.get_project_by_key("prj-1")
    assert "yesterday" not in problem.value.detail


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ContractViolation),
        (401, VendorRejected),
        (403, VendorRejected),
        (422, VendorRejected),
        (429, VendorUnavailable),
        (500, VendorUnavailable),
        (503, VendorUnavailable),
    ],
)
async def test_each_status_has_its_meaning(
    psa: Any, account: Account, client_id: str, status: int, kind: type[Problem]
) -> None:
    """A read that fails names the instance and the vendor's request id, and never quotes the vendor."""
    await account.add_fault({"status": status}, times=None, method="GET", path="/workspaces")
    with pytest.raises(kind) as problem:
        await psa.get_project_by_key("prj-1")
    assert type(problem.value) is kind
    assert "kantata-main" in problem.value.detail
    assert problem.value.extra["vendor_request_id"]


async def test_a_validation_names_the_field(psa: Any, client_id: str) -> None:
    """The vendor's field and our words for what is wrong with it."""
    with pytest.raises(VendorRejected) as refusal:
        await psa.put_project("prj-1", project_draft("999999"))
    assert [fault.field for fault in refusal.value.errors] == ["primary_workspace_group_id"]


@pytest.mark.parametrize(
    ("errors", "detail"),
    [
        (
            [
                {"type": "validation", "message": "Please give\na “title”", "field": "title"},
                {"type": "validation", "message": "Only in phase 2.", "field": None},
            ],
            (
                "kantata-main: the account refused the record (title is needed; was refused). It says: "
                '“Please give a "title" Only in phase 2.”'
            ),
        ),
        ([{"type": "system", "message": "row 7 of shard 3"}], "kantata-main: the account refused the record"),
        (
            [{"type": "validation", "message": ""}],
            "kantata-main: the account refused the record (was refused)",
        ),
    ],
)
def test_a_validation_is_quoted_as_data(errors: list[dict[str, Any]], detail: str) -> None:
    """The firm's own sentences in one line and in quotation marks; what the vendor's machines say is not."""
    body = msgspec.json.encode({"errors": errors})
    problem = reader(1.0)(VendorAnswer("kantata-main", "POST", "/workspaces", 422, {}, body, "req-1"))
    assert isinstance(problem, VendorRejected)
    assert problem.detail == detail


async def test_html_from_the_edge_is_an_absence(psa: Any, account: Account, client_id: str) -> None:
    """A 502 with a page of HTML is waited for, not read."""
    await account.add_fault({"html": 502}, times=1, method="GET", path="/workspaces")
    assert (await psa.put_project("prj-1", project_draft(client_id))).key == "prj-1"


@pytest.mark.parametrize("effect", [*LOST, pytest.param({"commit_late_ms": 200}, id="late")])
async def test_a_client_is_made_once(psa: Any, account: Account, effect: dict[str, Any]) -> None:
    """Whatever becomes of the first answer, the vendor's unique field keeps the second out."""
    await account.add_fault(effect, method="POST", path="/workspace_groups")
    with pytest.raises(VendorDoubtful):
        await psa.put_client("cli-1", client_draft())
    made = await psa.put_client("cli-1", client_draft())
    await all_are_done(account)
    assert [group["id"] for group in await account.records("workspace_groups")] == [made.id]
