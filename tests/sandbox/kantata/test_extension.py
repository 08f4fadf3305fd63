"""Custom fields and external references: the two ways to leave a key at the vendor."""

REFERENCE = {"service_name": "psi", "service_model": "opportunity", "service_model_ref": "OPP-1"}


async def test_a_unique_custom_field_guards_the_key(api):
    """The second project with the same value is refused whole, and so is the second value."""
    keyed = {"custom_fields": [{"custom_field_id": "4401", "value": "OPP-1"}]}
    await api.make("/workspaces", title="First", **keyed)
    taken = (422, [("validation", "value", "has already been entered")])
    assert await api.refused("POST", "/workspaces", {"workspace": {"title": "Twin", **keyed}}) == taken
    assert [row["title"] for row in await api.rows("/workspaces")] == ["First"]
    other = await api.make("/workspaces", title="Other")
    value = {
        "subject_type": "Workspace",
        "subject_id": int(other["id"]),
        "custom_field_id": 4401,
        "value": "OPP-1",
    }
    assert await api.refused("POST", "/custom_field_values", {"custom_field_value": value}) == taken


async def test_values_are_filtered_in_lower_case_and_read_typed(api):
    """Choices go in as ids in an array and come back with their label; a label is refused."""
    made = await api.make(
        "/workspaces",
        title="Chosen",
        custom_fields=[
            {"custom_field_id": 4402, "value": [8801]},
            {"custom_field_id": 4404, "value": "SO-1"},
        ],
    )
    rows = await api.rows(
        "/custom_field_values", subject_type="workspace", subject_id=made["id"], order="id:asc"
    )
    assert [(row["value"], row["display_value"], row["type"]) for row in rows] == [
        ([8801], "Data & Analytics", "single"),
        ("SO-1", "SO-1", "string"),
    ]
    assert rows[0]["subject_id"] == int(made["id"])
    label = {"custom_field_value": {"value": ["Cloud Migration"]}}
    assert await api.refused("PUT", f"/custom_field_values/{rows[0]['id']}", label) == (
        422,
        [("validation", "value", "is invalid")],
    )
    changed = await api.change(f"/custom_field_values/{rows[0]['id']}", value=["8802"])
    assert changed["display_value"] == "Cloud Migration"


async def test_a_subject_has_one_value_per_field(api):
    """A second POST for the same field and subject is refused; inline writing replaces."""
    made = await api.make("/workspaces", title="One", custom_fields=[{"custom_field_id": 4404, "value": "A"}])
    value = {"subject_type": "Workspace", "subject_id": made["id"], "custom_field_id": 4404, "value": "B"}
    assert (await api.refused("POST", "/custom_field_values", {"custom_field_value": value}))[0] == 422
    await api.change(f"/workspaces/{made['id']}", custom_fields=[{"custom_field_id": 4404, "value": "C"}])
    assert [row["value"] for row in await api.rows("/custom_field_values", custom_field_id=4404)] == ["C"]


async def test_fields_and_choices_can_be_made(api):
    """A new choice field brings its choices; numbers, dates and money are checked by type."""
    field = await api.make(
        "/custom_fields",
        name="Tier",
        value_type="multi",
        subject_type="WorkspaceGroup",
        choices=[{"label": "Gold"}, {"label": "Silver"}],
    )
    choices = await api.rows("/custom_field_choices", custom_field_id=field["id"], order="id:asc")
    assert [choice["label"] for choice in choices] == ["Gold", "Silver"]
    money = await api.make("/custom_fields", name="Cap", value_type="currency")
    made = await api.make(
        "/workspaces",
        title="Capped",
        custom_fields=[{"custom_field_id": money["id"], "value": [12345, "USD"]}],
    )
    shown = await api.get(f"/workspaces/{made['id']}", include="custom_field_values")
    assert next(iter(shown["custom_field_values"].values()))["display_value"] == "$123.45"


async def test_projects_are_found_by_their_external_reference(api):
    """An inline reference is the look-up for a repeated creation."""
    made = await api.make("/workspaces", title="Known", external_reference=REFERENCE)
    await api.make(
        "/workspaces", title="Other", external_reference={**REFERENCE, "service_model_ref": "OPP-2"}
    )
    found = await api.rows(
        "/workspaces",
        external_reference_service_name="psi",
        external_reference_service_model_refs="OPP-1,OPP-9",
        include="external_references",
    )
    assert [row["id"] for row in found] == [made["id"]]
    many = ",".join(str(n) for n in range(201))
    query = {"external_reference_service_name": "psi", "external_reference_service_model_refs": many}
    assert (await api.refused("GET", "/workspaces", **query))[0] == 422


async def test_references_do_not_stop_two_objects(api):
    """One per service per object, but two objects may carry the same reference."""
    first = await api.make("/workspaces", title="A", external_reference=REFERENCE)
    await api.make("/workspaces", title="B", external_reference=REFERENCE)
    again = {**REFERENCE, "subject_type": "Workspace", "subject_id": first["id"], "service_model_ref": "X"}
    refused = await api.refused("POST", "/external_references", {"external_reference": again})
    assert refused == (422, [("validation", "service_name", "has already been taken")])
    upserted = await api.send("POST", "/external_references/create_or_update", {"external_reference": again})
    assert upserted.status_code == 200
    rows = await api.rows(
        "/external_references", subject_type="Workspace", service_name="psi", order="id:asc"
    )
    assert [row["service_model_ref"] for row in rows] == ["X", "OPP-1"]
    assert (await api.refused("GET", "/external_references"))[0] == 422
    assert (await api.send("DELETE", f"/external_references/{rows[0]['id']}")).status_code == 204
