"""Who works in a project: participations, seats, bookings, requests, assignments, people."""

import pytest


@pytest.fixture
async def project(api):
    return await api.make("/workspaces", title="Staffed")


async def test_an_unnamed_seat_carries_the_planned_role(api, project):
    """A seat without a person is known by its role; naming it brings the person into the project."""
    seat = await api.make("/workspace_resources", workspace_id=project["id"], user_id=None, role_id=32)
    assert (seat["user_id"], seat["role_id"], seat["full_name"]) == (None, "32", "Unnamed Data Engineer")
    assert len(await api.rows("/workspace_resources", workspace_id=project["id"], unnamed="1")) == 1
    named = await api.change(f"/workspace_resources/{seat['id']}", user_id=3711197)
    assert named["full_name"] == "Jonas Brandt"
    assert len(await api.rows("/participations", workspace_id=project["id"], user_id=3711197)) == 1


async def test_bookings_are_soft_unless_hard(api, project):
    """Allocations in bulk; percentage from working days; found by overlap and by type."""
    seat = await api.make("/workspace_resources", workspace_id=project["id"], role_id=31)
    booking = {
        "resource_id": seat["id"],
        "start_date": "2026-12-07",
        "end_date": "2026-12-11",
        "minutes": 1200,
    }
    answer = await api.send(
        "POST", "/workspace_allocations", {"workspace_allocations": [booking, {**booking, "hard": True}]}
    )
    made = list(answer.json()["workspace_allocations"].values())
    assert [each["hard"] for each in made] == [False, True]
    assert made[0]["percentage"] == 50
    assert made[0]["workspace_id"] == project["id"]
    seat = (await api.rows("/workspace_resources", workspace_id=project["id"]))[0]
    assert seat["total_allocated_minutes"] == 2400
    found = await api.rows(
        "/workspace_allocations", overlaps_with_date_range="2026-12-11:2026-12-31", type="hard"
    )
    assert [each["id"] for each in found] == [made[1]["id"]]
    backwards = {"workspace_allocation": {**booking, "end_date": "2026-01-01"}}
    assert (await api.refused("POST", "/workspace_allocations", backwards))[0] == 422


async def test_a_resource_request_is_demand_for_a_seat(api, project):
    """A request by role makes the seat and books it softly; approval names a person."""
    request = await api.make(
        "/resource_requests",
        resource_workspace_id=project["id"],
        resource_role_id=33,
        workspace_allocation_start_date="2026-12-07",
        workspace_allocation_end_date="2026-12-11",
        workspace_allocation_percentage=50,
        approver_ids=[3711196],
    )
    assert request["status"] == "pending"
    bookings = await api.rows("/workspace_allocations", workspace_ids=project["id"])
    assert [(each["minutes"], each["hard"]) for each in bookings] == [(1200, False)]
    done = await api.change(
        f"/resource_requests/{request['id']}", request_resolution_status="approved", user_id=3711198
    )
    assert done["status"] == "approved"
    seat = (await api.rows("/workspace_resources", only=request["resource_id"]))[0]
    assert seat["full_name"] == "Priya Raman"


async def test_an_assignment_is_made_once(api, project):
    """Putting the same seat on the same task again is the same assignment."""
    story = await api.make("/stories", workspace_id=project["id"], title="T", story_type="task")
    seat = await api.make("/workspace_resources", workspace_id=project["id"], user_id=3711199)
    first = await api.make("/assignments", story_id=story["id"], resource_id=seat["id"], estimated_minutes=60)
    second = await api.make(
        "/assignments", story_id=story["id"], resource_id=seat["id"], estimated_minutes=90
    )
    assert first["id"] == second["id"]
    assert second["estimated_minutes"] == 90
    shown = (await api.rows("/stories", workspace_id=project["id"]))[0]
    assert shown["assignee_ids"] == ["3711199"]


async def test_participations_want_their_project_named(api, project, kantata_sandbox, as_user):
    """Without a workspace the list is refused, except in tenants that allow it."""
    assert (await api.refused("GET", "/participations"))[0] == 422
    lax = await kantata_sandbox.create_account(participations_need_workspace=False)
    other = as_user(lax.credentials["token"])
    assert await other.rows("/participations") == []


async def test_a_seat_goes_with_its_bookings(api, project):
    """Deleting a seat answers 204 and takes its allocations along."""
    seat = await api.make("/workspace_resources", workspace_id=project["id"], role_id=31)
    fields = {"start_date": "2026-12-07", "end_date": "2026-12-11", "minutes": 60}
    await api.make("/workspace_allocations", resource_id=seat["id"], **fields)
    assert (await api.send("DELETE", f"/workspace_resources/{seat['id']}")).status_code == 204
    assert await api.rows("/workspace_allocations") == []


async def test_people_roles_and_skills_are_there(api):
    """The seeded firm: an administrator and five people, five roles, skills with their roles."""
    people = await api.get("/users", include="account_membership", order="id:asc")
    assert people["count"] == 6
    assert people["account_memberships"]["55101"]["is_administrator"] is True
    assert len(await api.rows("/roles")) == 5
    skills = await api.get("/skills", include="roles", search="sql")
    assert next(iter(skills["skills"].values()))["role_ids"] == ["32", "35"]
    assert (await api.refused("POST", "/users", {"user": {"full_name": "X"}}))[0] == 404
