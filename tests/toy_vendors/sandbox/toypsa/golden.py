"""The Toy PSA stand-in's records as the conformance suites know them: whole, empty, in every state."""

from typing import Any

from sandbox.core.golden import Form, Golden, NounForms, Provoked, Spoil, State, Step

EVENING, MIDNIGHT = "2028-06-30T23:59:59+00:00", "2028-07-01T00:00:00+00:00"
LATE, EARLY = "2028-06-30T23:59:59Z", "2028-07-01T00:00:00Z"
LACKS = "Toy PSA has none"


def _client(name: str, **card: str) -> dict[str, Any]:
    return {"key": "$key", "card": {"name": name, **card}}


OWNER = Step("client", "clients", {"card": {"name": "Golden GmbH"}})
CLIENT: dict[str, Any] = {"id": "$client", "version": "*", "updated_at": LATE, "name": "Größe", "key": "$key"}
REACHED = {"email": "ap@globex.example", "website": "https://globex.example"}
CARD = {**REACHED, "notes": "Key account"}
CLIENTS = NounForms(
    whole=Form((Step("client", "clients", _client("Größe", **REACHED)),), {**CLIENT, **REACHED}, at=EVENING),
    empty=Form(
        (Step("client", "clients", _client("Nothing known")),),
        {**CLIENT, "updated_at": EARLY, "name": "Nothing known"},
        at=MIDNIGHT,
    ),
    lacks={"refs": LACKS},
    written={
        "clients": ({"id": "$client", "version": "*", "changed_at": "*", **_client("Globex GmbH", **CARD)},)
    },
    read_back={**CLIENT, **REACHED, "updated_at": "*", "name": "Globex GmbH"},
)
LEAST: dict[str, Any] = {
    "name": "Nothing known", "client_id": "$client", "contract_number": "", "template": "", "start": "2028-02-29",
    "end": "2028-12-31", "currency": "GBP", "pricing_model": "fixed_price",
}  # fmt: skip
PLAN: dict[str, Any] = {
    "name": "Globex data platform", "client_id": "$client", "contract_number": "SO-1001",
    "template": "DT-DATA-PLATFORM", "start": "2028-02-29", "end": "2028-12-31", "currency": "GBP",
    "pricing_model": "fixed_price", "service_line": "DATA", "region": "UKI", "selling_entity": "NB-UK",
    "budget": {"amount": "123456789012", "currency": "GBP"}, "budget_hours": "132.5",
    "tasks": [
        {"code": "DISC", "title": "Discovery", "start": "2028-02-29", "due": "2028-03-31", "hours": "96.25"},
        {"code": "WORK", "title": "Workshops", "start": "2028-02-29", "due": "2028-02-29", "hours": "24",
         "parent": "DISC"},
        {"code": "M1", "title": "Platform live", "kind": "milestone", "due": "2028-12-31",
         "amount": {"amount": "1000.55", "currency": "GBP"}},
    ],
    "staffing": [
        {"role": "Data Engineer", "start": "2028-02-29", "end": "2028-12-31", "hours": "100", "region": "UKI",
         "skills": ["Python", "SQL"]},
        {"role": "Engagement Manager", "start": "2028-02-29", "end": "2028-12-31", "hours": "32.5"},
    ],
}  # fmt: skip
PROJECT: dict[str, Any] = {
    "id": "$project", "version": "*", "updated_at": LATE, "name": "Globex data platform", "status": "planned",
    "customer_id": "$client", "contract_id": "SO-1001", "selling_entity": "NB-UK", "template": "DT-DATA-PLATFORM", "start": "2028-02-29",
    "end": "2028-12-31", "budget": PLAN["budget"], "budget_hours": "132.5", "key": "$key",
    "tasks": [
        {"id": "$project-1", "title": "Discovery", "kind": "task", "start": "2028-02-29", "due": "2028-03-31",
         "hours": "96.25"},
        {"id": "$project-2", "title": "Workshops", "kind": "task", "start": "2028-02-29", "due": "2028-02-29",
         "hours": "24"},
        {"id": "$project-3", "title": "Platform live", "kind": "milestone", "due": "2028-12-31"},
    ],
    "planned_roles": [
        {**demand, "id": f"$project-{number}"} for number, demand in enumerate(PLAN["staffing"], 1)
    ],
    "refs": [{"instance": "*", "object": "project", "id": "$project", "url": "*"}],
}  # fmt: skip


NAMED, READS = {**PLAN, "name": "Größe"}, {**PROJECT, "name": "Größe"}


def _budget(currency: str, amount: str) -> State:
    money = {"amount": amount, "currency": currency}
    return State(currency, {"plan": {**NAMED, "currency": currency, "budget": money}}, {"budget": money})


PROJECTS = NounForms(
    whole=Form(
        (OWNER, Step("project", "projects", {"key": "$key", "status": "planned", "plan": NAMED})), READS, at=EVENING
    ),
    empty=Form(
        (OWNER, Step("project", "projects", {"plan": LEAST})),
        {
            "id": "$project", "version": "*", "updated_at": EARLY, "name": "Nothing known", "status": "planned",
            "customer_id": "$client", "start": "2028-02-29", "end": "2028-12-31", "refs": PROJECT["refs"],
        },
        at=MIDNIGHT,
    ),
    states=(
        *(State(word, {"status": word}, {"status": word}) for word in ("active", "closed", "cancelled")),
        _budget("JPY", "12345678901"),
        _budget("KWD", "0.125"),
    ),
    lacks=dict.fromkeys(("code", "manager"), LACKS),
    many={"projects": {"plan": LEAST}},
    odd={"plan": {"name": 5}},
    owners=(OWNER,),
    written={
        "projects": (
            {"id": "$project", "key": "$key", "version": "*", "changed_at": "*", "status": "planned", "plan": PLAN},
        )
    },
    read_back={**PROJECT, "updated_at": "*"},
    undone={"projects": ({"status": "cancelled"},)},
    edit={"status": "active"},
)  # fmt: skip
_CLIENTS = Spoil("GET", "/clients", {"items": [{"id": 5}], "more": False})
_PROJECTS = Spoil("GET", "/projects", {"items": [{"id": 5}], "more": False})
GOLDEN = Golden(
    nouns={"client": CLIENTS, "project": PROJECTS},
    profile={"changes": {"poll_seconds": 0.05}},
    calls={
        "find_clients": (_CLIENTS,),
        "get_client_by_key": (_CLIENTS,),
        **dict.fromkeys(("get_project", "get_project_by_key", "list_projects"), (_PROJECTS,)),
    },
    budget={
        **dict.fromkeys(
            ("find_clients", "get_client_by_key", "get_project", "get_project_by_key", "list_projects"), 1
        ),
        "put_client": 1,
        "put_project": 4,
        "cancel_project": 2,
    },
    stamps=frozenset({"version", "changed_at"}),
    findings=(Provoked("login", "token", spoils=("POST", "/token"), status=400),),
    unseen={
        "own write": "a document does not say who changed it",
        **dict.fromkeys(("deleted", "merged", "restored"), "a document that is gone is not listed"),
        **{
            f"check:{kind}": "a toy's check looks at the login only"
            for kind in ("permission", "field", "limit", "environment", "reference")
        },
    },
    equivalent={
        "project/single: no tasks, status": "a planned task has none",
        **dict.fromkeys(
            ("a start is invented", "an end is invented", "a client is invented"),
            "a document is a draft, which must have it",
        ),
        **dict.fromkeys(
            ("tasks are cut after 200", "planned roles are cut after 200"),
            "a document comes whole, never in pages",
        ),
    },
)
