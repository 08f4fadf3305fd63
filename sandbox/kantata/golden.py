"""The Kantata stand-in's records as the conformance suites know them: whole, empty, in every state."""

from typing import Any

from sandbox.core.golden import Children, Form, Golden, Notice, NounForms, Provoked, Spoil, State, Step

# The last second of a day and the first one of the next, in the account's zone.
EVENING, MIDNIGHT = "2028-07-01T06:59:59+00:00", "2028-07-01T07:00:00+00:00"
LATE, EARLY = "2028-07-01T06:59:59Z", "2028-07-01T07:00:00Z"
KEY, CONTRACT_NUMBER, TEMPLATE, TASK_KEY, CLIENT_KEY = "4401", "4404", "4499", "4421", "4411"
ENTITY = "4498"


def _reference(noun: str) -> dict[str, str]:
    return {"service_name": "enfilade", "service_model": noun, "service_model_ref": "$key"}


def _custom(**values: str) -> list[dict[str, Any]]:
    return [{"custom_field_id": field.lstrip("f"), "value": value} for field, value in values.items()]


MADE = {"created_at": "*", "updated_at": "*"}


def _value(subject: str, field: str, name: str, kind: str, value: Any) -> dict[str, Any]:
    return {
        "id": "*", "subject_type": subject, "subject_id": "*", "custom_field_id": field, "custom_field_name": name,
        "type": kind, "value": value, "setter_id": "*", **MADE,
    }  # fmt: skip


def _reference_row(subject: str, noun: str) -> dict[str, Any]:
    return {
        "id": "*", "subject_type": subject, "subject_id": "*", **_reference(noun), "external_link": None,
        "external_status": None, "external_message": None, "status": "pending", "locked": False,
        "last_synced_at": "*", **MADE,
    }  # fmt: skip


GROUP = Step(
    "client",
    "workspace_groups",
    {
        "name": "Größe & Söhne GmbH", "company": True, "external_reference": _reference("client"),
        "email": "ap@groesse.example", "website": "https://groesse.example",
        "custom_fields": _custom(f4411="$key"),
    },
)  # fmt: skip
BARE_GROUP = Step(
    "client", "workspace_groups", {"name": "Nothing known", "external_reference": _reference("client")}
)
CLIENT: dict[str, Any] = {
    "id": "$client", "version": "*", "updated_at": LATE, "name": "Größe & Söhne GmbH", "key": "$key",
    "refs": [{"instance": "*", "object": "client", "id": "$client"}],
}  # fmt: skip
REACHED = {"email": "ap@groesse.example", "website": "https://groesse.example"}
CLIENTS = NounForms(
    whole=Form((GROUP,), {**CLIENT, **REACHED}, at=EVENING),
    empty=Form((BARE_GROUP,), {**CLIENT, "updated_at": EARLY, "name": "Nothing known"}, at=MIDNIGHT),
    written={
        "workspace_groups": (
            {
                "id": "$client",
                "name": "Globex GmbH",
                "company": True,
                "email": "ap@globex.example",
                "website": "https://globex.example",
                "notes": "Key account",
                "contact_name": None,
                "phone_number": None,
                "address": None,
                **MADE,
            },
        ),
        "custom_field_values": (_value("WorkspaceGroup", CLIENT_KEY, "Enfilade key", "string", "$key"),),
        "external_references": (_reference_row("WorkspaceGroup", "client"),),
    },
    read_back={
        **CLIENT,
        "updated_at": "*",
        "name": "Globex GmbH",
        "email": "ap@globex.example",
        "website": "https://globex.example",
    },
)
OWNER = Step("client", "workspace_groups", {"name": "Golden GmbH", "company": True})
WORKSPACE: dict[str, Any] = {
    "title": "Platform & Größe", "currency": "GBP", "budgeted": True, "price": 123456789012,
    "start_date": "2028-02-29", "due_date": "2028-12-31", "status_key": 310,
    "primary_workspace_group_id": "$client", "external_reference": _reference("project"),
    "custom_fields": _custom(f4401="$key", f4404="SO-1001", f4499="DT-DATA-PLATFORM", f4498="Northbeam GmbH"),
}  # fmt: skip
PROJECT: dict[str, Any] = {
    "id": "$project", "version": "*", "updated_at": LATE, "name": "Platform & Größe", "status": "active",
    "customer_id": "$client", "contract_id": "SO-1001", "selling_entity": "NB-DE", "template": "DT-DATA-PLATFORM", "start": "2028-02-29",
    "end": "2028-12-31", "budget": {"amount": "123456789012.00", "currency": "GBP"}, "budget_hours": "1.75",
    "tasks": [
        {"id": "$task", "title": "Discovery", "kind": "task", "start": "2028-02-29", "due": "2028-03-31",
         "hours": "1.75", "status": "not started"},
        {"id": "$milestone", "title": "Live", "kind": "milestone", "due": "2028-12-31", "status": "not started"},
    ],
    "planned_roles": [
        {"role": "Data Engineer", "start": "2028-02-29", "end": "2028-12-31", "hours": "32.50", "region": "UKI",
         "skills": ["Python", "SQL"], "id": "$booking"},
    ],
    "manager": "Ines Falk", "key": "$key",
    "refs": [{"instance": "*", "object": "project", "id": "$project", "url": "*"}],
}  # fmt: skip
STRUCTURE = (
    Step("task", "stories", {
        "workspace_id": "$project", "title": "Discovery", "story_type": "task", "start_date": "2028-02-29",
        "due_date": "2028-03-31", "time_estimate_in_minutes": 105,
    }),
    Step("milestone", "stories", {
        "workspace_id": "$project", "title": "Live", "story_type": "milestone", "due_date": "2028-12-31",
    }),
    Step("seat", "workspace_resources", {"workspace_id": "$project", "role_id": "32"}),
    Step("booking", "workspace_allocations", {
        "resource_id": "$seat", "start_date": "2028-02-29", "end_date": "2028-12-31", "minutes": 1950,
        "notes": "Enfilade $key/1; region UKI; skills Python, SQL",
    }),
)  # fmt: skip


# Without a budget the vendor hides estimates, too.
UNESTIMATED = [{name: value for name, value in task.items() if name != "hours"} for task in PROJECT["tasks"]]


def _story(position: int, title: str, **more: Any) -> dict[str, Any]:
    blank = dict.fromkeys(
        (
            "description",
            "parent_id",
            "start_date",
            "due_date",
            "budget_estimate_in_cents",
            "time_estimate_in_minutes",
            "cost_budget_in_cents",
            "weight",
            "deleted_at",
            "root_id",
        )
    )
    return {
        "id": "*", "workspace_id": "$project", "title": title, "story_type": "task", "billable": True,
        "fixed_fee": True, "priority": "normal", "percentage_complete": 0, "time_trackable": True,
        "archived": False, "state": "not started", "position": position, "ancestor_ids": [], "tags": [],
        "creator_id": "*", **MADE, **blank, **more,
    }  # fmt: skip


def _seat(role: str, label: str) -> dict[str, Any]:
    return {
        "id": "*", "workspace_id": "$project", "user_id": None, "role_id": role, "label": label,
        "participation_id": None, "bill_rate": None, "cost_rate": None, **MADE,
    }  # fmt: skip


def _booking(minutes: int, notes: str) -> dict[str, Any]:
    return {
        "id": "*", "workspace_resource_id": "*", "workspace_id": "$project", "start_date": "2028-02-29",
        "end_date": "2028-12-31", "minutes": minutes, "hard": False, "notes": notes, "creator_id": "*", **MADE,
    }  # fmt: skip


def _budget(name: str, price: int, currency: str, shown: str) -> State:
    return State(
        name, {"price": price, "currency": currency}, {"budget": {"amount": shown, "currency": currency}}
    )


PROJECTS = NounForms(
    whole=Form(
        (OWNER, Step("project", "workspaces", WORKSPACE), *STRUCTURE),
        PROJECT,
        at=EVENING,
        listed={"tasks": None, "planned_roles": None, "budget_hours": None},
    ),
    empty=Form(
        (Step("project", "workspaces", {"title": "Nothing known"}),),
        {
            "id": "$project",
            "version": "*",
            "updated_at": EARLY,
            "name": "Nothing known",
            "status": "planned",
            "manager": "Ines Falk",
            "refs": PROJECT["refs"],
        },
        at=MIDNIGHT,
    ),
    states=(
        State("planned", {"status_key": 300}, {"status": "planned"}),
        State("completed", {"status_key": 520}, {"status": "closed"}),
        State("cancelled", {"status_key": 530}, {"status": "cancelled"}),
        State(
            "another entity",
            {"custom_fields": _custom(f4401="enf-another-entity", f4498="Northbeam SA")},
            {"selling_entity": None, "contract_id": None, "template": None},
        ),
        State("archived", {}, {"status": "closed"}, then={"archived": True}),
        State(
            "archived and cancelled", {"status_key": 530}, {"status": "cancelled"}, then={"archived": True}
        ),
        _budget("yen", 12345678901, "JPY", "12345678901"),
        _budget("dinars", 1234567, "KWD", "1234567.000"),
        _budget("nothing to spend", 0, "GBP", "0.00"),
        State(
            "not budgeted",
            {"budgeted": False, "price": None},
            {"budget": None, "budget_hours": None, "tasks": UNESTIMATED},
        ),
    ),
    many={"workspaces": {"title": "Project {n}"}},
    odd={"archived": "perhaps"},
    children=(
        Children(
            "tasks",
            "stories",
            {"workspace_id": "$project", "title": "Task {n}", "story_type": "task"},
            count=205,
            spoils=Spoil(
                "GET", "/stories", {"results": [{"key": "stories", "id": "1"}], "stories": {"1": {}}}
            ),
        ),
        Children(
            "planned_roles",
            "workspace_allocations",
            {"resource_id": "$seat", "start_date": "2028-03-01", "end_date": "2028-04-01", "minutes": 60},
            count=205,
            spoils=Spoil(
                "GET", "/workspace_allocations", {"results": [{"key": "workspace_allocations", "id": "1"}]}
            ),
        ),
    ),
    lacks={"code": "Kantata's project has none"},
    owners=(OWNER,),
    written={
        "workspaces": (
            {
                "id": "$project",
                "title": "Globex data platform",
                "description": "",
                "start_date": "2028-02-29",
                "due_date": "2028-12-31",
                "budgeted": True,
                "currency": "GBP",
                "price_in_cents": 12345678901200,
                "rate_card_id": None,
                "access_level": "invitation",
                "stage": "project",
                "client_role_name": "Clients",
                "consultant_role_name": "Consultants",
                "workspace_group_ids": ["$client"],
                "primary_workspace_group_id": "$client",
                "approver_id": None,
                "approver_ids": [],
                "require_time_approvals": False,
                "require_expense_approvals": False,
                "require_notes_on_time_entries": False,
                "time_trackable": True,
                "target_margin": None,
                "tasks_default_non_billable": False,
                "stories_are_fixed_fee_by_default": True,
                "expenses_in_burn_rate": True,
                "change_orders_enabled": True,
                "external_link": None,
                "archived": False,
                "status_key": 300,
                "creator_id": "*",
                "primary_maven_id": "*",
                **MADE,
            },
        ),
        "custom_field_values": (
            _value("Workspace", KEY, "Enfilade key", "string", "$key"),
            _value("Workspace", CONTRACT_NUMBER, "Contract number", "string", "SO-1001"),
            _value("Workspace", "4402", "Service line", "single", [8801]),
            _value("Workspace", "4403", "Region", "single", [8804]),
            _value("Workspace", TEMPLATE, "Delivery template", "string", "DT-DATA-PLATFORM"),
            _value("Workspace", ENTITY, "Selling entity", "string", "Northbeam Ltd"),
            *(
                _value("Story", TASK_KEY, "Enfilade key", "string", f"$key.{code}")
                for code in ("DISC", "M1", "WORK")
            ),
        ),
        "external_references": (_reference_row("Workspace", "project"),),
        "participations": (
            {
                "id": "*",
                "workspace_id": "$project",
                "user_id": "*",
                "role": "maven",
                "access_level": "project_lead",
                "is_team_lead": True,
                "can_invite": False,
                "rate_in_cents": None,
                "cost_in_cents": None,
                **MADE,
            },
        ),
        "stories": (
            _story(
                1, "Discovery", start_date="2028-02-29", due_date="2028-03-31", time_estimate_in_minutes=5775
            ),
            _story(
                2,
                "Platform live",
                story_type="milestone",
                due_date="2028-12-31",
                budget_estimate_in_cents=100055,
            ),
            _story(
                3,
                "Workshops",
                start_date="2028-02-29",
                due_date="2028-02-29",
                time_estimate_in_minutes=1440,
                parent_id="*",
                ancestor_ids="*",
                root_id="*",
            ),
        ),
        "workspace_resources": (_seat("32", "Data Engineer"), _seat("31", "Engagement Manager")),
        "workspace_allocations": (
            _booking(6000, "Enfilade $key/1; region UKI; skills Python, SQL"),
            _booking(1950, "Enfilade $key/2"),
        ),
    },
    read_back={
        **PROJECT,
        "updated_at": "*",
        "name": "Globex data platform",
        "status": "planned",
        "selling_entity": "NB-UK",
        "budget_hours": "24.00",
        "tasks": [
            {
                "id": "*",
                "title": "Discovery",
                "kind": "task",
                "start": "2028-02-29",
                "due": "2028-03-31",
                "hours": "96.25",
                "status": "not started",
            },
            {
                "id": "*",
                "title": "Platform live",
                "kind": "milestone",
                "due": "2028-12-31",
                "status": "not started",
            },
            {
                "id": "*",
                "title": "Workshops",
                "kind": "task",
                "start": "2028-02-29",
                "due": "2028-02-29",
                "hours": "24.00",
                "status": "not started",
            },
        ],
        "planned_roles": [
            {
                "role": "Data Engineer",
                "start": "2028-02-29",
                "end": "2028-12-31",
                "hours": "100.00",
                "region": "UKI",
                "skills": ["Python", "SQL"],
                "id": "*",
            },
            {
                "role": "Engagement Manager",
                "start": "2028-02-29",
                "end": "2028-12-31",
                "hours": "32.50",
                "id": "*",
            },
        ],
    },
    undone={"workspaces": ({"status_key": 530, "archived": True},)},
    edit={"title": "Renamed"},
)


def _broken(key: str) -> dict[str, Any]:
    """An answer that names a record which is not in it."""
    return {"count": 1, "results": [{"key": key, "id": "1"}], key: {}}


_GROUPS = Spoil("GET", "/workspace_groups", _broken("workspace_groups"))
_WORKSPACES = Spoil("GET", "/workspaces", _broken("workspaces"))
_STORIES = Spoil(
    "GET", "/stories", {"count": 1, "results": [{"key": "stories", "id": "1"}], "stories": {"1": {}}}
)
_BOOKINGS = Spoil(
    "GET",
    "/workspace_allocations",
    {
        "count": 1,
        "results": [{"key": "workspace_allocations", "id": "1"}],
        "workspace_allocations": {"1": {}},
    },
)
GOLDEN = Golden(
    nouns={"client": CLIENTS, "project": PROJECTS},
    seeds={
        "custom_fields": (
            {
                "id": TEMPLATE,
                "name": "Delivery template",
                "value_type": "string",
                "subject_type": "Workspace",
            },
            {
                "id": ENTITY,
                "name": "Selling entity",
                "value_type": "string",
                "subject_type": "Workspace",
            },
        )
    },
    profile={
        "changes": {"feed_seconds": 0.05, "poll_seconds": 0.05},
        "fields": {"project": {"template": "Delivery template", "selling_entity": "Selling entity"}},
        "picklists": {"selling_entity": {"Northbeam Ltd": "NB-UK", "Northbeam GmbH": "NB-DE"}},
    },
    calls={
        "find_clients": (_GROUPS,),
        "get_client_by_key": (_GROUPS,),
        "get_project": (_WORKSPACES, _STORIES, _BOOKINGS),
        "get_project_by_key": (_WORKSPACES, _STORIES, _BOOKINGS),
        "list_projects": (_WORKSPACES,),
    },
    budget={
        "find_clients": 3,
        "get_client_by_key": 1,
        "get_project": 3,
        "get_project_by_key": 3,
        "list_projects": 1,
        "put_client": 2,
        "put_project": 9,
        "cancel_project": 2,
    },
    findings=(
        Provoked("login", "access token", spoils=("GET", "/users/me"), status=401),
        Provoked("permission", "Account Administrator", environ={"KANTATA_TOKEN": "lead_token"}),
        Provoked("permission", "subscribed events", spoils=("GET", "/subscribed_events")),
        Provoked(
            "field",
            "Contract number",
            schema=({"object": "workspaces", "remove_field": "Contract number"},),
        ),
        Provoked("field", "Effort", profile={"fields": {"project": {"pricing_model": "Effort"}}}),
        Provoked(
            "reference",
            "Service line",
            profile={"picklists": {"service_line": {"Alchemy": "GOLD"}}},
        ),
        Provoked("reference", "Alchemist", profile={"picklists": {"role": {"Alchemist": "GOLD"}}}),
        Provoked("environment", "account", profile={"connection": {"account_id": "1"}}),
        Provoked("limit", "calls", profile={"limits": {"concurrency": 0}}),
    ),
    notices={
        "deleted": Notice(
            "project",
            {
                "instance": "*",
                "object": "project",
                "id": "$project",
                "changed_at": "*",
                "kind": "deleted",
                "by_us": True,  # the person in the screens is the administrator, as whom we log in
            },
        )
    },
    unseen={
        "person": "a person in the stand-in's screens is the administrator, as whom we log in",
        "merged": "projects are not merged",
        "restored": "the vendor documents no way back for a deleted project",
    },
    stamps=frozenset({"updated_at"}),
    journals=frozenset({"subscribed_events"}),
)
