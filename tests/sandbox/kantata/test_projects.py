"""Projects: money, status, templates, client groups, tasks, time and billing."""


async def test_price_is_written_in_main_units_and_read_formatted(api):
    """An integer of main units comes back as a string and as subunits."""
    made = await api.make("/workspaces", title="Acme", budgeted=True, price=1500, currency="USD")
    assert (made["price"], made["price_in_cents"]) == ("$1,500", 150000)
    assert (made["currency_symbol"], made["currency_base_unit"]) == ("$", 100)
    yen = await api.make("/workspaces", title="Tokyo", budgeted=True, price=1500, currency="JPY")
    assert (yen["price"], yen["price_in_cents"], yen["currency_base_unit"]) == ("¥1,500", 1500, 1)
    odd = {"workspace": {"title": "Odd", "budgeted": True, "price": 10.5}}
    assert await api.refused("POST", "/workspaces", odd) == (
        422,
        [("validation", "price", "must be an integer")],
    )


async def test_a_rate_card_decides_the_currency(api):
    """With a rate card the wished currency is not heard, and an update never changes it."""
    made = await api.make(
        "/workspaces", title="Carded", budgeted=True, price=5, currency="USD", rate_card_id=203
    )
    assert (made["currency"], made["price"]) == ("EUR", "€5")
    changed = await api.change(f"/workspaces/{made['id']}", currency="GBP", price=6)
    assert (changed["currency"], changed["price"]) == ("EUR", "€6")


async def test_an_unbudgeted_project_has_no_price(api):
    """Without a budget the price stays to be determined."""
    made = await api.make("/workspaces", title="Free", price=100)
    assert (made["price"], made["price_in_cents"]) == ("TBD", None)


async def test_status_is_written_by_key_and_read_as_an_object(api):
    """A new project is in the first status; an unknown key is refused."""
    made = await api.make("/workspaces", title="Status")
    assert made["status"] == {"key": 300, "message": "In Setup", "color": "grey"}
    changed = await api.change(f"/workspaces/{made['id']}", status_key=530)
    assert changed["status"]["message"] == "Cancelled"
    wrong = await api.refused("PUT", f"/workspaces/{made['id']}", {"workspace": {"status_key": 1}})
    assert wrong == (422, [("validation", "status_key", "is invalid")])


async def test_a_template_becomes_tasks_milestones_and_seats(api):
    """Dates shift to the start day over weekends; unnamed seats carry the planned roles."""
    made = await api.make(
        "/workspaces",
        title="From template",
        project_tracker_template_id=12,
        project_template_start_date="2027-01-11",
        project_template_create_unnamed_resources=True,
    )
    tasks = await api.rows("/stories", workspace_id=made["id"], per_page=200)
    assert [task["position"] for task in tasks] == list(range(1, 12))
    by_title = {task["title"]: task for task in tasks}
    assert by_title["Discovery"]["start_date"] == "2027-01-11"
    assert by_title["Milestone: scope agreed"]["start_date"] == "2027-02-01"
    assert by_title["Stakeholder interviews"]["parent_id"] == by_title["Discovery"]["id"]
    assert sum(task["story_type"] == "milestone" for task in tasks) == 3
    seats = await api.rows("/workspace_resources", workspace_id=made["id"], include="role", order="id:asc")
    assert [(seat["role_name"], seat["user_id"]) for seat in seats] == [
        ("Engagement Manager", None),
        ("Data Engineer", None),
        ("Data Engineer", None),
        ("Analyst", None),
    ]


async def test_template_seats_can_be_named_by_mapping(api):
    """A mapped seat gets its person, who joins the project; unmapped seats are left out."""
    seat = (await api.rows("/project_template_assignments", order="id:asc"))[0]
    mapping = [{"resource_id": seat["id"], "user_id": 3711196, "role_id": 31}]
    made = await api.make(
        "/workspaces",
        title="Mapped",
        project_tracker_template_id=12,
        project_template_assignment_mappings=mapping,
    )
    seats = await api.rows("/workspace_resources", workspace_id=made["id"])
    assert [(each["full_name"], each["role_id"]) for each in seats] == [("Marta Oduya", "31")]
    people = await api.rows("/users", participant_in=made["id"], order="id:asc")
    assert [person["full_name"] for person in people] == ["Ines Falk", "Marta Oduya"]


async def test_templates_are_listed_under_both_names(api):
    """The older path answers under its own key; the tasks are an optional field."""
    rows = await api.rows("/project_tracker_templates", order="id:asc", optional_fields="raw_json")
    titles = ["DT-DATA-PLATFORM", "DT-CLOUD-MIGRATION", "DT-MANAGED-SERVICES"]
    assert [(row["id"], row["title"]) for row in rows] == list(zip(["12", "13", "14"], titles, strict=True))
    assert rows[0]["item_count"] == len(rows[0]["raw_json"]["tasks"]) == 11
    older = await api.get("/project_templates", search="cloud")
    assert older["results"] == [{"key": "project_templates", "id": "13"}]


async def test_big_templates_may_come_late(kantata_sandbox, as_user):
    """Where the account says so, the tasks appear after the answer."""
    account = await kantata_sandbox.create_account(template_delay_seconds=30)
    await account.freeze_clock("2026-11-01T10:00:00Z")
    api = as_user(account.credentials["token"])
    made = await api.make("/workspaces", title="Late", project_tracker_template_id=13)
    assert await api.rows("/stories", workspace_id=made["id"]) == []
    await account.advance_clock(31)
    assert len(await api.rows("/stories", workspace_id=made["id"])) == 7


async def test_a_client_group_and_its_projects(api):
    """A company groups projects from either side; the primary group is one of them."""
    group = await api.make("/workspace_groups", name="Globex", company=True)
    first = await api.make("/workspaces", title="First", primary_workspace_group_id=group["id"])
    second = await api.make("/workspaces", title="Second")
    await api.change(f"/workspace_groups/{group['id']}", add_workspace_ids=[second["id"]])
    both = await api.rows("/workspaces", workspace_group_ids=group["id"], order="id:asc")
    assert [row["title"] for row in both] == ["First", "Second"]
    shown = await api.get(f"/workspaces/{first['id']}", include="workspace_groups")
    assert shown["workspaces"][first["id"]]["workspace_group_ids"] == [group["id"]]
    assert shown["workspace_groups"][group["id"]]["name"] == "Globex"


async def test_stories_in_bulk_and_their_soft_deletion(api):
    """Many tasks in one call; a deleted one is hidden but kept."""
    made = await api.make("/workspaces", title="Tasks")
    tasks = [{"workspace_id": made["id"], "title": f"T{n}", "story_type": "task"} for n in range(3)]
    answer = await api.send("POST", "/stories", {"stories": tasks})
    ids = [each["id"] for each in answer.json()["results"]]
    assert (await api.send("DELETE", f"/stories/{ids[0]}")).status_code == 204
    assert len(await api.rows("/stories", workspace_id=made["id"])) == 2
    gone = await api.rows("/stories", workspace_id=made["id"], only_deleted="1")
    assert [row["id"] for row in gone] == ids[:1]
    assert gone[0]["deleted_at"]


async def test_task_money_shows_only_in_budgeted_projects(api):
    """Estimates drop out of a project without a budget."""
    fields = {"title": "T", "story_type": "task", "time_estimate_in_minutes": 60}
    free = await api.make("/workspaces", title="Free")
    assert "time_estimate_in_minutes" not in await api.make("/stories", workspace_id=free["id"], **fields)
    paid = await api.make("/workspaces", title="Paid", budgeted=True, price=9)
    assert (await api.make("/stories", workspace_id=paid["id"], **fields))["time_estimate_in_minutes"] == 60


async def test_time_entries_count_against_the_budget(api):
    """Logged billable time is worth its rate; bulk deletion is all or nothing."""
    made = await api.make("/workspaces", title="Timed", budgeted=True, price=1000)
    entry = {"workspace_id": made["id"], "date_performed": "2026/12/02", "time_in_minutes": 90}
    answer = await api.send(
        "POST", "/time_entries", {"time_entries": [{**entry, "rate_in_cents": 10000}, entry]}
    )
    entries = [answer.json()["time_entries"][each["id"]] for each in answer.json()["results"]]
    assert [each["date_performed"] for each in entries] == ["2026-12-02", "2026-12-02"]
    shown = (await api.rows("/workspaces", only=made["id"]))[0]
    assert (shown["budget_used"], shown["budget_used_in_cents"]) == ("$150", 15000)
    ids = ",".join(each["id"] for each in entries)
    assert (await api.send("DELETE", "/time_entries", ids=f"{ids},1")).status_code == 404
    assert len(await api.rows("/time_entries")) == 2
    assert (await api.send("DELETE", "/time_entries", {"ids": ids})).status_code == 204
    assert await api.rows("/time_entries") == []


async def test_approved_time_is_locked_where_approval_is_required(account, api):
    """An approved entry refuses edits with 422."""
    made = await api.make("/workspaces", title="Strict", require_time_approvals=True)
    fields = {"workspace_id": made["id"], "date_performed": "2026-12-02", "time_in_minutes": 30}
    entry = await api.make("/time_entries", **fields)
    assert entry["approved"] is False
    await account.delete("time_entries", entry["id"])
    await account.seed({"time_entries": [{**fields, "approved": True}]})
    locked = (await api.rows("/time_entries"))[0]
    assert (await api.refused("PUT", f"/time_entries/{locked['id']}", {"time_entry": {"notes": "x"}}))[
        0
    ] == 422


async def test_billing_milestones_take_the_projects_currency(api):
    """A milestone is in subunits of its project's currency."""
    made = await api.make("/workspaces", title="Billed", currency="GBP")
    stone = await api.make(
        "/billing_milestones",
        workspace_id=made["id"],
        title="Phase 1",
        amount_in_cents=4800000,
        date_to_invoice="2027-02-01",
    )
    assert (stone["currency"], stone["amount_in_cents"], stone["invoice_id"]) == ("GBP", 4800000, None)
    assert len(await api.rows("/billing_milestones", workspace_ids=made["id"], uninvoiced="1")) == 1
