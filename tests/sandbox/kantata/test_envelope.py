"""The wire's manners: envelope, paging, filters, bodies, refusals."""

import re

import pytest

LEAD = "3711196"


async def test_a_list_names_its_order_and_keys_its_records_by_string_id(api):
    """`results` gives the order; the records are a map by id; meta counts all matches."""
    body = await api.get("/roles", order="name:asc", per_page=2)
    assert [body["roles"][each["id"]]["name"] for each in body["results"]] == ["Analyst", "Cloud Architect"]
    assert body["results"][0] == {"key": "roles", "id": "35"}
    assert body["count"] == 5
    assert body["meta"] == {"count": 5, "page_count": 3, "page_number": 1, "page_size": 2}


async def test_an_empty_list_still_has_its_collections(api):
    """Nothing found is 200 with empty maps, side-loads included."""
    body = await api.get("/time_entries", include="user,story")
    assert body == {
        "count": 0,
        "results": [],
        "time_entries": {},
        "users": {},
        "stories": {},
        "meta": {"count": 0, "page_count": 0, "page_number": 1, "page_size": 20},
    }


async def test_side_loads_come_only_when_asked(api):
    """An association's records and its to-many ids are there only when it is included."""
    made = await api.make("/workspaces", title="Quiet")
    plain = await api.get(f"/workspaces/{made['id']}")
    assert set(plain) == {"count", "results", "workspaces", "meta"}
    assert "participation_ids" not in plain["workspaces"][made["id"]]
    full = await api.get(f"/workspaces/{made['id']}", include="participations,creator")
    shown = full["workspaces"][made["id"]]
    assert list(full["participations"]) == shown["participation_ids"]
    assert full["users"][shown["creator_id"]]["full_name"] == "Ines Falk"


async def test_the_callers_own_participation(api, account, as_user):
    """`current_user_participation` is the caller's own, by a single id; null for who is no participant."""
    made = await api.make("/workspaces", title="Ours")
    path, asked = f"/workspaces/{made['id']}", {"include": "current_user_participation"}
    body = await api.get(path, **asked)
    (mine,) = body["participations"].values()
    me = (await api.get("/users/me"))["results"][0]["id"]
    assert mine["user_id"] == me
    assert body["workspaces"][made["id"]]["current_user_participation_id"] == mine["id"]
    await api.make("/participations", workspace_id=made["id"], user_id=LEAD)
    lead = as_user(account.credentials["lead_token"])
    (theirs,) = (await lead.get(path, **asked))["participations"].values()
    assert theirs["user_id"] == LEAD
    await api.send("DELETE", f"/participations/{mine['id']}")
    without = await api.get(path, **asked)
    assert without["workspaces"][made["id"]]["current_user_participation_id"] is None
    assert without["participations"] == {}


async def test_a_project_is_found_by_its_custom_text(api):
    """`by_custom_text_value` compares one field's whole value; without a field's id it is refused."""
    wanted, _ = [
        await api.make("/workspaces", title=text, custom_fields=[{"custom_field_id": "4404", "value": text}])
        for text in ("C-1", "C-11")
    ]
    assert [row["id"] for row in await api.rows("/workspaces", by_custom_text_value="4404:C-1")] == [
        wanted["id"]
    ]
    assert await api.rows("/workspaces", by_custom_text_value="4401:C-1") == []
    assert (await api.refused("GET", "/workspaces", by_custom_text_value="C-1"))[0] == 400


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("/workspaces", {"include": "creator,nonsense"}, "include: nonsense"),
        ("/workspaces", {"optional_fields": "nonsense"}, "optional_fields: nonsense"),
        ("/workspaces", {"order": "nonsense:asc"}, "order: nonsense:asc"),
        ("/roles", {"order": "date_performed:asc"}, "order: date_performed:asc"),
        ("/roles", {"order": "name:up"}, "order: name:up"),
        ("/workspaces", {"has_buyer": "true", "colour": "red"}, "parameters: colour, has_buyer"),
        ("/assignments", {"search": "x"}, "parameters: search"),
        ("/users/me", {"include": "nonsense"}, "include: nonsense"),
    ],
)
async def test_what_is_not_imitated_is_refused(api, path, query, said):
    """An association, an optional field, an order or a filter that there is not is 400 with its name."""
    status, ((kind, _, message),) = await api.refused("GET", path, **query)
    assert (status, kind) == (400, "system")
    assert message.startswith(said)


async def test_a_write_with_an_unknown_association_saves_nothing(api):
    """It is refused before the record is made."""
    body = {"workspace": {"title": "Never"}}
    assert (await api.refused("POST", "/workspaces", body, include="nonsense"))[0] == 400
    assert await api.rows("/workspaces") == []


async def test_tasks_of_an_archived_project_vanish_until_asked_for(api):
    """A list of tasks leaves out those of archived projects, unless it is asked for them."""
    made = await api.make("/workspaces", title="Old")
    await api.make("/stories", workspace_id=made["id"], title="Done", story_type="task")
    await api.change(f"/workspaces/{made['id']}", archived=True)
    assert await api.rows("/stories", workspace_id=made["id"]) == []
    shown = await api.rows("/stories", workspace_id=made["id"], show_from_archived_workspaces="true")
    assert [story["title"] for story in shown] == ["Done"]


async def test_three_parameters_have_a_value(api):
    """`only_active` and the two of assignments choose by their value, unlike flags."""
    made = await api.make("/workspaces", title="Old")
    story = await api.make("/stories", workspace_id=made["id"], title="Done", story_type="task")
    await api.make("/assignments", story_id=story["id"], assignee_id=LEAD)
    await api.change(f"/workspaces/{made['id']}", archived=True)
    assert len(await api.rows("/assignments", in_unarchived_workspaces="false")) == 1
    assert await api.rows("/assignments", in_unarchived_workspaces="true") == []
    assert len(await api.rows("/assignments", in_unarchived_stories="true")) == 1
    everybody = await api.rows("/account_memberships", only_active="false")
    assert everybody == await api.rows("/account_memberships", only_active="true")


# What tap-mavenlink 0.0.3 asks for, stream by stream, where the collection is imitated.
OF_THE_TAP = {
    "account_memberships": {"only_active": "false"},
    "assignments": {"in_unarchived_workspaces": "false", "in_unarchived_stories": "false"},
    "custom_fields": {},
    "custom_field_values": {"subject_type": "Workspace"},
    "stories": {
        "show_archived": "true",
        "show_deleted": "true",
        "show_from_archived_workspaces": "true",
    },
    "time_entries": {"from_archived_workspaces": "true"},
    "users": {},
    "workspace_allocations": {},
    "workspace_groups": {},
    "workspaces": {
        "include": "workspace_groups,participants,participations,custom_field_values",
        "include_archived": "true",
    },
}


@pytest.mark.parametrize("key", OF_THE_TAP)
async def test_what_a_public_tap_asks_for(api, key):
    """Its streams are answered with the collection's records and the number of pages."""
    await api.make("/workspaces", title="Tapped")
    body = await api.get(f"/{key}.json", page=1, per_page=200, **OF_THE_TAP[key])
    assert set(body[key]) == {each["id"] for each in body["results"]}
    assert body["meta"]["page_count"] == (1 if body[key] else 0)


async def test_paging_clamps_and_limit_beats_page(api):
    """A page has 200 at most; past the end is empty; limit and offset win over page."""
    assert (await api.get("/roles", per_page=5000))["meta"]["page_size"] == 200
    assert (await api.get("/roles", page=9))["results"] == []
    taken = await api.rows("/roles", order="id:asc", limit=2, offset=3, page=1, per_page=1)
    assert [row["id"] for row in taken] == ["34", "35"]


async def test_flag_filters_count_by_presence(api):
    """`budgeted=false` means budgeted, as it does at the vendor."""
    await api.make("/workspaces", title="With", budgeted=True, price=10)
    await api.make("/workspaces", title="Without")
    assert [row["title"] for row in await api.rows("/workspaces", budgeted="false")] == ["With"]


async def test_archived_projects_vanish_until_asked_for(api):
    """The default filter hides an archived project from list, `only` and show alike."""
    made = await api.make("/workspaces", title="Old")
    await api.change(f"/workspaces/{made['id']}", archived=True)
    assert await api.rows("/workspaces") == []
    assert await api.rows("/workspaces", only=made["id"]) == []
    assert (await api.refused("GET", f"/workspaces/{made['id']}"))[0] == 404
    assert len(await api.rows("/workspaces", only=made["id"], include_archived="true")) == 1
    back = await api.change(f"/workspaces/{made['id']}", archived=False)
    assert back["archived"] is False


async def test_search_is_fuzzy_and_bars_only(api):
    """Search finds words anywhere, and cannot be combined with `only`."""
    await api.make("/workspaces", title="8105 Project")
    assert [row["title"] for row in await api.rows("/workspaces", search="8105")] == ["8105 Project"]
    assert (await api.refused("GET", "/workspaces", search="x", only="1"))[0] == 400


async def test_the_json_suffix_and_rails_forms_are_taken(api):
    """`.json` may follow any path, and a form with brackets is as good as JSON."""
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/x-www-form-urlencoded"}
    form = (
        "workspace[title]=By+form&workspace[budgeted]=true&workspace[price]=7"
        "&workspace[custom_fields][][custom_field_id]=4404&workspace[custom_fields][][value]=C-1"
    )
    answer = await api.client.post("/api/v1/workspaces.json", content=form, headers=headers)
    shown = next(iter(answer.json()["workspaces"].values()))
    assert (shown["title"], shown["price"]) == ("By form", "$7")
    assert (await api.get(f"/workspaces/{shown['id']}.json"))["count"] == 1


async def test_headers_of_every_answer(api):
    """Each answer has the vendor's request id, run time, status line and a weak ETag."""
    answer = await api.send("GET", "/roles")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["x-request-id"])
    assert answer.headers["etag"].startswith('W/"')
    assert answer.headers["status"] == "200 OK"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert float(answer.headers["x-runtime"]) >= 0


async def test_a_wrong_wrapper_is_400(api):
    """A body without its singular or plural key is refused as malformed, as is broken JSON."""
    assert await api.refused("POST", "/workspaces", {"title": "x"}) == (
        400,
        [("system", None, "param is missing or the value is empty: workspace")],
    )
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    broken = await api.client.post("/api/v1/workspaces", content="{", headers=headers)
    assert broken.status_code == 400


async def test_every_fault_of_a_body_is_told(api):
    """A 422 lists each field with its own sentence."""
    status, errors = await api.refused("POST", "/stories", {"story": {"due_date": "soon", "parent_id": 999}})
    assert status == 422
    assert {field for _, field, _ in errors} == {
        "workspace_id",
        "title",
        "story_type",
        "due_date",
        "parent_id",
    }
    untitled = await api.refused("POST", "/workspaces", {"workspace": {"creator_role": "maven"}})
    assert untitled == (422, [("validation", "title", "Please give your project a title")])


async def test_unknown_records_paths_and_tokens(api, as_user):
    """404 for what is not there, 401 with the OAuth body for a token that nobody has."""
    assert await api.refused("GET", "/workspaces/1") == (404, [("system", None, "Not found")])
    assert (await api.refused("GET", "/nonsense"))[0] == 404
    assert (await api.refused("DELETE", "/workspaces/1"))[0] == 404
    assert await as_user("nobody").refused("GET", "/users/me") == (
        401,
        [("oauth", None, "Invalid OAuth 2 Request")],
    )


async def test_bulk_creation_is_all_or_nothing_and_bounded(api):
    """A plural key creates many; one fault refuses all of them; more than the limit is refused."""
    good, bad = {"title": "One"}, {"title": ""}
    assert (await api.refused("POST", "/workspaces", {"workspaces": [good, bad]}))[0] == 422
    assert await api.rows("/workspaces") == []
    answer = await api.send("POST", "/workspaces", {"workspaces": [good, {"title": "Two"}]})
    assert [row["title"] for row in answer.json()["workspaces"].values()] == ["One", "Two"]
    assert (await api.refused("POST", "/workspaces", {"workspaces": [good] * 101}))[0] == 422
    assert (await api.refused("POST", "/roles", {"roles": [{"name": "x"}]}))[0] == 400


async def test_times_have_an_offset_and_filters_take_any(api):
    """Timestamps are shown in the account's zone; a filter may use another."""
    made = await api.make("/workspaces", title="Timed")
    assert made["updated_at"].endswith("-07:00")
    assert await api.rows("/workspaces", updated_after="2999-01-01T00:00:00Z") == []
    assert len(await api.rows("/workspaces", updated_after="2020-01-01T00:00:00+02:00")) == 1
    assert (await api.refused("GET", "/workspaces", updated_after="yesterday"))[0] == 400
