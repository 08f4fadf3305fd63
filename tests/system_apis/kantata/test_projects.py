"""Projects at Kantata: made whole under a key, read back, cancelled and revived."""

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contracts.problems import NotFound, VendorRejected
from kit.database import Database
from system_apis.vendors.kantata.profile import KantataProfile
from tests.support.instances import Open
from tests.support.sandboxes import Account
from tests.system_apis.kantata.drafts import END, STAFFING, START, TASKS, gbp, project_draft


async def shape(account: Account) -> dict[str, int]:
    """How many of each kind are in the account."""
    kinds = ("workspaces", "stories", "workspace_resources", "workspace_allocations")
    return {kind: len(await account.records(kind)) for kind in kinds}


WHOLE = {"workspaces": 1, "stories": 5, "workspace_resources": 3, "workspace_allocations": 3}


async def test_a_project_is_made_whole(psa: Any, account: Account, client_id: str) -> None:
    """Facts, tasks under their parents, milestones with their money, seats and soft bookings come to be."""
    project = await psa.put_project("prj-1", project_draft(client_id))
    assert (project.name, project.status, project.key) == ("Globex data platform", "planned", "prj-1")
    assert (project.start, project.end, project.budget) == (START, END, gbp("187501.00"))
    assert (project.customer_id, project.contract_id) == (client_id, "SO-1001")
    assert project.manager == "Ines Falk"
    assert project.refs[0].url == f"https://app.mavenlink.com/workspaces/{project.id}"
    assert {(task.title, task.kind) for task in project.tasks} == {
        ("Discovery", "task"),
        ("Workshops", "task"),
        ("Architecture agreed", "milestone"),
        ("Build", "task"),
        ("Platform live", "milestone"),
    }
    by_title = {task.title: task for task in project.tasks}
    assert by_title["Discovery"].hours == Decimal("96.25")
    assert [(role.role, role.hours, role.region, role.skills) for role in project.planned_roles] == [
        ("Engagement Manager", Decimal(120), "UKI", ("SQL", "AWS")),
        ("Data Engineer", Decimal(500), "UKI", ()),
        ("Data Engineer", Decimal("300.25"), "", ()),
    ]
    assert await shape(account) == WHOLE


async def test_the_account_holds_what_was_told(psa: Any, account: Account, client_id: str) -> None:
    """Subunits, parents, choices and soft bookings stand in the vendor's own records."""
    await psa.put_project("prj-1", project_draft(client_id))
    stories = {story["title"]: story for story in await account.records("stories")}
    assert stories["Workshops"]["parent_id"] == stories["Discovery"]["id"]
    assert stories["Discovery"]["time_estimate_in_minutes"] == 5775
    assert stories["Architecture agreed"]["budget_estimate_in_cents"] == 5625030
    assert [booking["hard"] for booking in await account.records("workspace_allocations")] == [False] * 3
    seats = await account.records("workspace_resources")
    assert [(seat["role_id"], seat["user_id"]) for seat in seats] == [
        ("31", None),
        ("32", None),
        ("32", None),
    ]
    values = {row["custom_field_name"]: row["value"] for row in await account.records("custom_field_values")}
    assert (values["Contract number"], [str(choice) for choice in values["Service line"]]) == (
        "SO-1001",
        ["8801"],
    )


async def test_it_reads_back_the_same(psa: Any, client_id: str) -> None:
    """What put answers is what get answers, by id and by key."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    again = await psa.put_project("prj-1", project_draft(client_id))
    assert again == await psa.get_project(made.id) == await psa.get_project_by_key("prj-1")
    assert (again.id, again.tasks, again.planned_roles) == (made.id, made.tasks, made.planned_roles)


async def test_the_calls_are_few(psa: Any, account: Account, client_id: str) -> None:
    """A new project takes a look-up, a call per kind and level, one per seat; an unchanged one three."""
    await account.clear_calls()
    await psa.put_project("prj-1", project_draft(client_id))
    made = await account.calls()
    assert Counter(f"{call['method']} {call['path'].split('/')[3]}" for call in made) == {
        "GET workspaces": 1,
        "POST workspaces": 1,
        "POST stories": 2,
        "POST workspace_resources": 3,
        "POST workspace_allocations": 1,
    }
    await account.clear_calls()
    await psa.put_project("prj-1", project_draft(client_id))
    assert sorted(call["method"] for call in await account.calls()) == ["GET"] * 3


async def test_cents_are_rounded_in_the_budget_only(psa: Any, client_id: str) -> None:
    """The vendor's price has no decimals: it is rounded, and the answer says to what."""
    project = await psa.put_project("prj-1", project_draft(client_id, budget=gbp("187500.50")))
    assert project.budget == gbp("187501.00")


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("stories", {"stories": 0}),
        ("workspace_resources", {"workspace_resources": 0, "workspace_allocations": 0}),
        ("workspace_allocations", {"workspace_allocations": 0}),
    ],
)
async def test_a_half_made_project_is_completed(
    psa: Any, account: Account, client_id: str, kind: str, left: dict[str, int]
) -> None:
    """What a try that stopped has left is kept, and only what is missing is added."""
    await account.add_fault({"status": 403}, method="POST", path=f"/{kind}")
    with pytest.raises(VendorRejected):
        await psa.put_project("prj-1", project_draft(client_id))
    assert (await shape(account)).items() >= left.items()
    project = await psa.put_project("prj-1", project_draft(client_id))
    assert (len(project.tasks), len(project.planned_roles)) == (5, 3)
    assert await shape(account) == WHOLE


async def test_a_seat_without_booking_is_used(psa: Any, account: Account, client_id: str) -> None:
    """A try that stopped between seat and booking leaves no second seat behind."""
    await account.add_fault({"status": 403}, method="POST", path="/workspace_resources", skip=2)
    with pytest.raises(VendorRejected):
        await psa.put_project("prj-1", project_draft(client_id))
    assert (await shape(account))["workspace_resources"] == 2
    await psa.put_project("prj-1", project_draft(client_id))
    assert await shape(account) == WHOLE


async def test_tasks_are_known_by_their_titles_too(
    open_kantata: Open, profile: KantataProfile, account: Account, client_id: str
) -> None:
    """Without a unique field of tasks an existing title is not made again."""
    fields = msgspec.structs.replace(profile.fields, task=type(profile.fields.task)())
    psa = (await open_kantata(msgspec.structs.replace(profile, fields=fields))).capabilities["psa"]
    await psa.put_project("prj-1", project_draft(client_id, tasks=TASKS[:2], staffing=()))
    project = await psa.put_project("prj-1", project_draft(client_id))
    assert Counter(task.title for task in project.tasks) == Counter(task.title for task in TASKS)
    assert await shape(account) == WHOLE


async def test_a_task_that_people_renamed_or_deleted_is_not_made_again(
    psa: Any, account: Account, client_id: str
) -> None:
    """Our key of a task stays with it, whatever people do to it."""
    made = await psa.put_project("prj-1", project_draft(client_id, staffing=STAFFING[:1]))
    await account.edit("stories", made.tasks[0].id, title="Find out")
    build = next(task for task in made.tasks if task.title == "Build")
    await account.delete("stories", build.id)
    project = await psa.put_project("prj-1", project_draft(client_id))
    assert {task.title for task in project.tasks} == {
        "Find out",
        "Workshops",
        "Architecture agreed",
        "Platform live",
    }
    assert (await shape(account))["stories"] == 5


async def test_a_staffed_seat_stays_the_planned_one(psa: Any, account: Account, client_id: str) -> None:
    """A person who took the seat does not make the demand come again."""
    await psa.put_project("prj-1", project_draft(client_id))
    seat = (await account.records("workspace_resources"))[1]
    await account.edit("workspace_resources", seat["id"], user_id="3711197")
    project = await psa.put_project("prj-1", project_draft(client_id))
    assert len(project.planned_roles) == 3
    assert await shape(account) == WHOLE


async def test_what_people_change_in_a_whole_project_stays(
    psa: Any, account: Account, client_id: str
) -> None:
    """A second put overwrites neither title, nor dates, nor status of a project that is delivery's by now."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    await account.edit("workspaces", made.id, title="Globex, phase 1", status_key=310)
    again = await psa.put_project("prj-1", project_draft(client_id))
    assert (again.name, again.status) == ("Globex, phase 1", "active")
    assert (again.id, again.version != made.version) == (made.id, True)


async def test_cancelling_is_done_once_and_undone_by_a_put(
    psa: Any, account: Account, client_id: str
) -> None:
    """Cancelled and archived, still found by its key; a put revives the same project by the draft."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    cancelled = await psa.cancel_project("prj-1")
    assert (cancelled.id, cancelled.status) == (made.id, "cancelled")
    assert (await account.record("workspaces", made.id))["archived"] is True
    await account.clear_calls()
    assert await psa.cancel_project("prj-1") == cancelled
    assert [call["method"] for call in await account.calls()] == ["GET"]
    assert (await psa.get_project_by_key("prj-1")).status == "cancelled"
    assert (await psa.get_project(made.id)).status == "cancelled"
    revived = await psa.put_project("prj-1", project_draft(client_id, name="Globex again"))
    assert (revived.id, revived.status, revived.name) == (made.id, "planned", "Globex again")
    assert (await account.record("workspaces", made.id))["archived"] is False
    assert await shape(account) == WHOLE


async def test_a_title_that_is_too_long(psa: Any, account: Account, client_id: str) -> None:
    """It is refused by its place before anything is created."""
    draft = project_draft(client_id)
    tasks = (*draft.tasks[:-1], msgspec.structs.replace(draft.tasks[-1], title="t" * 201))
    with pytest.raises(
        VendorRejected, match=r"the tasks \d+ title has 201 characters; kantata-main takes 200"
    ) as caught:
        await psa.put_project("prj-1", project_draft(client_id, tasks=tasks))
    assert [fault.pointer for fault in caught.value.errors] == [f"/tasks/{len(tasks) - 1}/title"]
    assert not await account.records("workspaces")


async def test_a_closed_project_keeps_its_tasks(psa: Any, account: Account, client_id: str) -> None:
    """Tasks of an archived project, which the vendor leaves out of its lists, are read with it."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    await account.edit("workspaces", made.id, archived=True)
    closed = await psa.get_project(made.id)
    assert (closed.status, closed.tasks) == ("closed", made.tasks)
    assert made.tasks


async def test_what_is_not_there_is_not_found(psa: Any) -> None:
    """Neither a key nor an id that the account does not know."""
    with pytest.raises(NotFound):
        await psa.get_project_by_key("prj-none")
    with pytest.raises(NotFound):
        await psa.cancel_project("prj-none")
    with pytest.raises(NotFound):
        await psa.get_project("99999999")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"region": "LATAM"}, "/region"),
        ({"staffing": (msgspec.structs.replace(STAFFING[0], role="Astronaut"),)}, "/staffing/0/role"),
        ({"custom": {"cost_centre": "9"}}, "/custom/cost_centre"),
        ({"budget": gbp("10"), "currency": "EUR"}, "/budget"),
    ],
)
async def test_what_the_account_lacks_is_told_before_anything_is_made(
    psa: Any, account: Account, client_id: str, change: dict[str, Any], pointer: str
) -> None:
    """A code without a label, an unknown role or field stops the project before it exists."""
    with pytest.raises(VendorRejected) as refusal:
        await psa.put_project("prj-1", project_draft(client_id, **change))
    assert [fault.pointer for fault in refusal.value.errors] == [pointer]
    assert (await shape(account))["workspaces"] == 0


async def test_a_role_that_is_added_later_is_found(psa: Any, account: Account, client_id: str) -> None:
    """After a refusal the account's roles are read again."""
    draft = project_draft(client_id, staffing=(msgspec.structs.replace(STAFFING[0], role="Astronaut"),))
    with pytest.raises(VendorRejected):
        await psa.put_project("prj-1", draft)
    await account.create("roles", name="Astronaut")
    assert (await psa.put_project("prj-1", draft)).planned_roles[0].role == "Astronaut"


async def test_what_is_ignored_in_silence_is_told(psa: Any, account: Account, client_id: str) -> None:
    """A 200 that kept neither budget nor region is a refusal that names them, after one more try."""
    bare = {
        "id": "3467375",
        "title": "Globex data platform",
        "created_at": "2026-11-20T10:00:00-07:00",
        "updated_at": "2026-11-20T10:00:00-07:00",
        "start_date": START.isoformat(),
        "due_date": END.isoformat(),
        "currency": "GBP",
        "primary_workspace_group_id": client_id,
        "status": {"key": 300, "message": "In Setup"},
        "price": "TBD",
        "price_in_cents": None,
    }
    body = {"count": 1, "results": [{"key": "workspaces", "id": "3467375"}], "workspaces": {"3467375": bare}}
    answer = {"answer": {"status": 200, "body": body}}
    await account.add_fault(answer, method="POST", path="/workspaces")
    await account.add_fault(answer, method="PUT", path="/workspaces/")
    fields = {"count": 1, "results": [{"key": "custom_field_values", "id": "1"}]}
    value = {
        "id": "1",
        "subject_type": "Workspace",
        "subject_id": 3467375,
        "custom_field_id": "0",
        "value": None,
    }
    kept = {"answer": {"status": 200, "body": {**fields, "custom_field_values": {"1": value}}}}
    await account.add_fault(kept, times=None, method="POST", path="/custom_field_values")
    with pytest.raises(VendorRejected) as refusal:
        await psa.put_project("prj-1", project_draft(client_id))
    assert [fault.field for fault in refusal.value.errors] == [
        "price",
        "budgeted",
        "Enfilade key",
        "Contract number",
        "Service line",
        "Region",
    ]


async def test_a_budget_that_was_missing_is_set_when_it_may_be(
    psa: Any, account: Account, client_id: str
) -> None:
    """A project that an earlier try left without a price gets it before its tasks."""
    await account.add_fault({"status": 403}, method="POST", path="/stories")
    with pytest.raises(VendorRejected):
        await psa.put_project("prj-1", project_draft(client_id, budget=None))
    assert (await psa.put_project("prj-1", project_draft(client_id))).budget == gbp("187501.00")


async def test_a_lost_reference_is_put_back(psa: Any, account: Account, client_id: str) -> None:
    """A project whose reference somebody removed is found by its unique field and marked again."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    for row in await account.records("external_references"):
        if row["service_model_ref"] == "prj-1":
            await account.delete("external_references", row["id"])
    again = await psa.put_project("prj-1", project_draft(client_id))
    assert again.id == made.id
    assert (await psa.get_project_by_key("prj-1")).id == made.id
    assert await shape(account) == WHOLE


async def test_two_at_once_make_one(open_kantata: Open, account: Account, client_id: str) -> None:
    """In one process the second waits for the first; both answer the same project."""
    psa = (await open_kantata()).capabilities["psa"]
    draft = project_draft(client_id)
    first, second = await asyncio.gather(psa.put_project("prj-1", draft), psa.put_project("prj-1", draft))
    assert first.id == second.id
    assert await shape(account) == WHOLE


async def test_two_processes_at_once_make_one(
    open_kantata: Open, account: Account, database: Database, client_id: str
) -> None:
    """Processes that share the database take turns by key."""
    one, two = [(await open_kantata(database=database)).capabilities["psa"] for _ in range(2)]
    draft = project_draft(client_id)
    first, second = await asyncio.gather(one.put_project("prj-1", draft), two.put_project("prj-1", draft))
    assert first.id == second.id
    assert await shape(account) == WHOLE


async def test_strangers_at_once_make_one_project_and_one_set_of_tasks(
    open_kantata: Open, account: Account, client_id: str
) -> None:
    """Without anything in common, the vendor's own unique fields keep the second out."""
    one, two = [(await open_kantata()).capabilities["psa"] for _ in range(2)]
    draft = project_draft(client_id, staffing=())
    first, second = await asyncio.gather(one.put_project("prj-1", draft), two.put_project("prj-1", draft))
    assert first.id == second.id
    assert (await shape(account)).items() >= {"workspaces": 1, "stories": 5}.items()
