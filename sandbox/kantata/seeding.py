"""Kantata stand-in: what a fresh account of the small firm holds."""

from typing import Any

from sandbox.core import Account
from sandbox.kantata import oauth
from sandbox.kantata.rates import default_limits, merge
from sandbox.kantata.store import Record
from sandbox.kantata.values import instant

FIRM = "Northbeam Advisory"
STATUSES = (
    (300, "In Setup", "grey"),
    (310, "Active", "green"),
    (520, "Completed", "blue"),
    (530, "Cancelled", "red"),
)
ROLES = ("Engagement Manager", "Data Engineer", "Cloud Architect", "Consultant", "Analyst")
# Name, permission level, role (by place above), bill and cost rate per hour in cents.
PEOPLE = (
    ("Ines Falk", "Account Administrator", None, 0, 0),
    ("Marta Oduya", "Project Lead", 0, 24000, 11000),
    ("Jonas Brandt", "Collaborator", 1, 18000, 8200),
    ("Priya Raman", "Collaborator", 2, 21000, 9600),
    ("Tom Ashby", "Collaborator", 3, 15500, 7000),
    ("Lena Vogt", "Collaborator", 4, 11000, 5200),
)
SKILLS = (("Python", (1,)), ("SQL", (1, 4)), ("AWS", (2,)), ("Facilitation", (0, 3)))
RATE_CARDS = (("RC-UK-2026", "GBP"), ("RC-US-2026", "USD"), ("RC-DE-2026", "EUR"))
SERVICE_LINES = ("Data & Analytics", "Cloud Migration", "Managed Services")
REGIONS = ("UK & Ireland", "North America", "DACH")
FIELDS = (
    (4401, "Enfilade key", "string", "Workspace", True, ()),
    (4402, "Service line", "single", "Workspace", False, SERVICE_LINES),
    (4403, "Region", "single", "Workspace", False, REGIONS),
    (4404, "Contract number", "string", "Workspace", False, ()),
    (4411, "Enfilade key", "string", "WorkspaceGroup", True, ()),
    (4421, "Enfilade key", "string", "Story", True, ()),
)
MANAGER, ENGINEER, ARCHITECT, CONSULTANT, ANALYST = range(5)
# A task: its own mark, title, mark of its parent, start and length in working days, minutes, seats (by role).
Task = tuple[str, str, str, int, int, int, tuple[int, ...]]
TEMPLATES: tuple[tuple[int, str, str, tuple[int, ...], tuple[Task, ...]], ...] = (
    (
        12,
        "DT-DATA-PLATFORM",
        "USD",
        (MANAGER, ENGINEER, ENGINEER, ANALYST),
        (
            ("discovery", "Discovery", "", 0, 14, 0, ()),
            ("interviews", "Stakeholder interviews", "discovery", 0, 9, 2400, (0, 3)),
            ("sources", "Source system inventory", "discovery", 5, 9, 2880, (3,)),
            ("m-scope", "Milestone: scope agreed", "", 15, 0, 0, (0,)),
            ("build", "Platform build", "", 16, 59, 0, ()),
            ("landing", "Landing and ingestion", "build", 16, 29, 9600, (1, 2)),
            ("model", "Data model and quality rules", "build", 36, 29, 9600, (1, 3)),
            ("dashboards", "Reporting layer", "build", 56, 19, 4800, (2, 3)),
            ("m-build", "Milestone: platform accepted", "", 76, 0, 0, (0,)),
            ("handover", "Handover and training", "", 77, 14, 2400, (0, 1)),
            ("m-end", "Milestone: project closed", "", 92, 0, 0, (0,)),
        ),
    ),
    (
        13,
        "DT-CLOUD-MIGRATION",
        "GBP",
        (MANAGER, ARCHITECT, CONSULTANT),
        (
            ("assess", "Assessment and landing zone design", "", 0, 19, 4800, (0, 1)),
            ("m-design", "Milestone: design approved", "", 20, 0, 0, (0,)),
            ("waves", "Migration waves", "", 21, 49, 0, ()),
            ("wave-1", "Wave 1: low-risk workloads", "waves", 21, 19, 4800, (1, 2)),
            ("wave-2", "Wave 2: core systems", "waves", 41, 29, 9600, (1, 2)),
            ("m-cutover", "Milestone: cut-over complete", "", 71, 0, 0, (0,)),
            ("care", "Hypercare", "", 72, 9, 2400, (2,)),
        ),
    ),
    (
        14,
        "DT-MANAGED-SERVICES",
        "EUR",
        (MANAGER, CONSULTANT, ANALYST),
        (
            ("onboard", "Service onboarding", "", 0, 14, 2400, (0, 1)),
            ("m-live", "Milestone: service live", "", 15, 0, 0, (0,)),
            ("run", "Monthly service operation", "", 16, 199, 28800, (1, 2)),
            ("reviews", "Quarterly service reviews", "", 16, 199, 1920, (0,)),
            ("m-renew", "Milestone: renewal decision", "", 216, 0, 0, (0,)),
        ),
    ),
)
FIRST_SEAT, FIRST_CHOICE, FIRST_ROLE = 1201, 8801, 31
FIRST_USER, FIRST_MEMBERSHIP, FIRST_SKILL, FIRST_CARD = 3711195, 55101, 611, 201


def seed(account: Account) -> None:
    account.extra.update(
        account_id=4200 + account.seed,
        statuses=[{"key": key, "message": message, "color": color} for key, message, color in STATUSES],
        client_id=account.secret("client id"),
        client_secret=account.secret("client secret"),
        tokens={},
        refresh_tokens={},
        codes={},
        limits=default_limits(),
        administrator_id=str(FIRST_USER),
    )
    merge(account.extra["limits"], account.settings.get("limits", {}))
    empty = bool(account.settings.get("empty"))
    _people(account, PEOPLE[:1] if empty else PEOPLE)
    for who, place in (("administrator", 0), ("lead", 1), ("collaborator", 2)):
        if place == 0 or not empty:
            oauth.add_token(account, account.secret(f"{who} token"), str(FIRST_USER + place))
    if not empty:
        _catalogue(account)
        _fields(account)
        for template in TEMPLATES:
            _template(account, *template)


def _put(account: Account, key: str, number: int, **fields: Any) -> Record:
    now = instant(account.clock.now())
    record = {"id": str(number), **fields, "created_at": now, "updated_at": now}
    account.tables.setdefault(key, {})[str(number)] = record
    # New records of this kind take numbers after the seeded ones.
    account.next_number(key)
    return record


def _people(account: Account, people: tuple[tuple[str, str, int | None, int, int], ...]) -> None:
    for place, (name, permission, role, bill, cost) in enumerate(people):
        role_id = None if role is None or account.settings.get("empty") else str(FIRST_ROLE + role)
        address = name.lower().replace(" ", ".")
        _put(
            account,
            "users",
            FIRST_USER + place,
            full_name=name,
            photo_path="https://app.mavenlink.com/images/default_profile_photo/default.png",
            email_address=f"{address}@northbeam.example",
            headline=ROLES[role] if role is not None else "Operations",
            disabled=False,
            role_id=role_id,
            account_permission=permission,
            account_membership_id=str(FIRST_MEMBERSHIP + place),
        )
        _put(
            account,
            "account_memberships",
            FIRST_MEMBERSHIP + place,
            user_id=str(FIRST_USER + place),
            permission=permission,
            is_administrator=place == 0,
            is_owner=place == 0,
            can_create_workspace=permission != "Collaborator",
            bill_rate_in_cents=bill,
            cost_rate_in_cents=cost,
            billability_target=80,
            default_role_id=role_id,
            manager_id=None,
        )


def _catalogue(account: Account) -> None:
    for place, name in enumerate(ROLES):
        _put(account, "roles", FIRST_ROLE + place, name=name)
    for place, (name, roles) in enumerate(SKILLS):
        role_ids = [str(FIRST_ROLE + role) for role in roles]
        blank = {"description": None, "skill_category_id": None}
        _put(account, "skills", FIRST_SKILL + place, name=name, max_level=5, role_ids=role_ids, **blank)
    for place, (name, currency) in enumerate(RATE_CARDS):
        _put(account, "rate_cards", FIRST_CARD + place, name=name, currency=currency, active=True)


def _fields(account: Account) -> None:
    choice_id = FIRST_CHOICE
    for number, name, kind, subject, unique, choices in FIELDS:
        _put(
            account,
            "custom_fields",
            number,
            name=name,
            value_type=kind,
            subject_type=subject,
            unique_constraint=unique,
            default_text=None,
            custom_field_set_id=None,
            creator_id=str(FIRST_USER),
        )
        for label in choices:
            _put(account, "custom_field_choices", choice_id, label=label, custom_field_id=str(number))
            choice_id += 1


def _template(
    account: Account, number: int, title: str, currency: str, seats: tuple[int, ...], tasks: tuple[Task, ...]
) -> None:
    first = FIRST_SEAT + len(account.tables.get("project_template_assignments", {}))
    seat_ids = [str(first + place) for place in range(len(seats))]
    for seat_id, role in zip(seat_ids, seats, strict=True):
        same = [each for each in seats if each == role]
        place = seat_ids[: int(seat_id) - first + 1]
        ordinal = sum(1 for each, of in zip(place, seats, strict=False) if of == role)
        _put(
            account,
            "project_template_assignments",
            int(seat_id),
            name=ROLES[role] if len(same) == 1 else f"{ROLES[role]} {ordinal}",
            role_id=str(FIRST_ROLE + role),
            project_template_id=str(number),
        )
    _put(
        account,
        "project_tracker_templates",
        number,
        title=title,
        description=f"Delivery template of {FIRM}",
        shared=True,
        is_budgeted=True,
        budget=None,
        currency=currency,
        user_id=str(FIRST_USER),
        _tasks=[_task(task, seat_ids) for task in tasks],
    )


def _task(task: Task, seat_ids: list[str]) -> Record:
    ref, title, parent, offset, length, minutes, seats = task
    return {
        "ref": ref,
        "title": title,
        "parent": parent,
        "story_type": "milestone" if ref.startswith("m-") else "task",
        "offset_days": offset,
        "duration_days": length,
        "minutes": minutes,
        "seats": [seat_ids[seat] for seat in seats],
    }
