"""The subscribed-events feed: late, out of order, sometimes twice, nine days long."""


async def types(api, **query):
    return [
        row["event_type"] for row in await api.rows("/subscribed_events", order="created_at:asc", **query)
    ]


async def test_one_action_makes_several_events(api):
    """Creating a project tells of the project and of its maker's participation."""
    made = await api.make("/workspaces", title="News")
    assert await types(api) == ["workspace:created", "participation:created"]
    await api.change(f"/workspaces/{made['id']}", status_key=310)
    body = await api.get(
        "/subscribed_events",
        event_types="workspace:updated",
        optional_fields="payload_changes,previous_payload",
        include="subject",
    )
    event = next(iter(body["subscribed_events"].values()))
    assert event["payload_changes"] == {"status_key": [300, 310]}
    assert event["previous_payload"] == {"status_key": 300}
    assert "current_payload" not in event
    assert event["subject_ref"] == {"key": "workspaces", "id": made["id"]}
    assert event["subject_id"] == int(made["id"])
    assert body["workspaces"][made["id"]]["title"] == "News"


async def test_a_refused_request_is_no_news(api):
    """What was undone is not told."""
    await api.refused(
        "POST", "/workspaces", {"workspaces": [{"title": "A"}, {"title": "B", "status_key": 9}]}
    )
    assert await types(api) == []


async def test_only_administrators_read_the_feed(account, as_user):
    """A collaborator is refused with 403, for the list and the types."""
    other = as_user(account.credentials["collaborator_token"])
    assert (await other.refused("GET", "/subscribed_events"))[0] == 403
    assert (await other.refused("GET", "/subscribed_events/event_types"))[0] == 403


async def test_events_lag(account, api):
    """An event appears when the lag is over, with the later moment as its creation."""
    await account.set_limits(event_lag_seconds=180)
    await account.freeze_clock("2026-12-02T10:00:00Z")
    await api.make("/workspaces", title="Slow")
    assert await types(api) == []
    await account.advance_clock(180)
    event = (await api.rows("/subscribed_events", event_types="workspace:created"))[0]
    assert event["subject_changed_at"] == "2026-12-02T10:00:00Z"
    assert event["created_at"] == "2026-12-02T10:03:00Z"


async def test_events_are_kept_nine_days(account, api):
    """After nine days an event is gone."""
    await account.freeze_clock("2026-12-02T10:00:00Z")
    await api.make("/workspaces", title="Old")
    await account.advance_clock(9 * 86400)
    assert len(await types(api)) == 2
    await account.advance_clock(1)
    assert await types(api) == []


async def test_events_can_be_lost_doubled_late_and_disordered(account, api):
    """Each notification mode shows in the feed."""
    await account.freeze_clock("2026-12-02T10:00:00Z")
    await account.set_notifications("lose", times=2)
    await api.make("/workspaces", title="Lost")
    assert await types(api) == []
    await account.set_notifications("duplicate", times=1, copies=3)
    made = await api.make("/workspaces", title="Thrice")
    assert (await types(api)).count("workspace:created") == 3
    await account.set_notifications("delay", times=1)
    await api.change(f"/workspaces/{made['id']}", title="Late")
    await account.advance_clock(600)
    assert "workspace:updated" not in await types(api)
    await account.flush_notifications()
    late = (await api.rows("/subscribed_events", event_types="workspace:updated"))[0]
    assert late["created_at"] == "2026-12-02T10:00:00Z"
    await account.set_notifications("reorder", times=2)
    await api.change(f"/workspaces/{made['id']}", title="One")
    await account.advance_clock(5)
    await api.change(f"/workspaces/{made['id']}", title="Two")
    rows = await api.rows(
        "/subscribed_events",
        event_types="workspace:updated",
        created_after="2026-12-02T10:05:00Z",
        order="created_at:asc",
        optional_fields="current_payload",
    )
    assert [row["current_payload"]["title"] for row in rows] == ["Two", "One"]


async def test_events_can_be_thinned_to_the_latest(api):
    """`most_recent` keeps one event per subject; it cannot be combined with its sibling."""
    made = await api.make("/workspaces", title="Busy")
    for title in ("One", "Two"):
        await api.change(f"/workspaces/{made['id']}", title=title)
    query = {"subject_type": "Workspace", "subject_id": made["id"]}
    assert await types(api, most_recent="true", **query) == ["workspace:updated"]
    assert sorted(await types(api, most_recent_by_event_type="true", **query)) == [
        "workspace:created",
        "workspace:updated",
    ]
    assert (await api.refused("GET", "/subscribed_events", most_recent=1, most_recent_by_event_type=1))[
        0
    ] == 400


async def test_event_types_are_listed_without_an_envelope(api):
    """This endpoint has no results, no count and no meta."""
    body = await api.get("/subscribed_events/event_types")
    assert set(body) == {"subscribed_event_types", "subscribed_event_type_schemas"}
    assert "workspace:custom_field_value_updated" in body["subscribed_event_types"]


async def test_a_persons_edit_in_the_vendors_screens_is_news(account, api):
    """The control API's edits are told like any other change; deletions too."""
    made = await account.create("workspaces", title="By hand", budgeted=True, price=12)
    await account.edit("workspaces", made["id"], title="By hand, changed")
    await account.delete("workspaces", made["id"])
    told = await types(api, subject_type="Workspace")
    assert told == ["workspace:created", "workspace:updated", "workspace:deleted"]
    body = await api.get("/subscribed_events", include="subject", event_types="workspace:deleted")
    assert next(iter(body["subscribed_events"].values()))["subject_ref"] is None
