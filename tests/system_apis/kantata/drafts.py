"""tests of Kantata's room: the drafts that the flows send."""

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from contracts.canonical.project import ClientDraft, ProjectDraft, StaffingDemand, TaskPlan
from contracts.canonical.values import Money

START, END = dt.date(2027, 1, 11), dt.date(2027, 6, 30)


def client_draft(**changes: Any) -> ClientDraft:
    return msgspec.structs.replace(
        ClientDraft(name="Globex GmbH", website="https://globex.example"), **changes
    )


def gbp(amount: str) -> Money:
    return Money(Decimal(amount), "GBP")


TASKS = (
    TaskPlan(code="DISC", title="Discovery", start=START, due=dt.date(2027, 2, 5), hours=Decimal("96.25")),
    TaskPlan(
        code="WORK",
        title="Workshops",
        start=START,
        due=dt.date(2027, 1, 29),
        hours=Decimal(24),
        parent="DISC",
    ),
    TaskPlan(
        code="M1",
        title="Architecture agreed",
        kind="milestone",
        due=dt.date(2027, 3, 1),
        amount=gbp("56250.30"),
    ),
    TaskPlan(code="BUILD", title="Build", start=dt.date(2027, 3, 1), due=END, hours=Decimal(800)),
    TaskPlan(code="M2", title="Platform live", kind="milestone", due=END, amount=gbp("131250.70")),
)
STAFFING = (
    StaffingDemand(
        role="Engagement Manager",
        start=START,
        end=END,
        hours=Decimal(120),
        region="UKI",
        skills=("SQL", "AWS"),
    ),
    StaffingDemand(role="Data Engineer", start=START, end=END, hours=Decimal(500), region="UKI"),
    StaffingDemand(role="Data Engineer", start=START, end=END, hours=Decimal("300.25")),
)


def project_draft(client_id: str, **changes: Any) -> ProjectDraft:
    draft = ProjectDraft(
        name="Globex data platform",
        client_id=client_id,
        contract_number="SO-1001",
        template="DT-DATA-PLATFORM",
        start=START,
        end=END,
        currency="GBP",
        pricing_model="fixed_price",
        service_line="DATA",
        region="UKI",
        budget=gbp("187501"),
        budget_hours=Decimal(920),
        tasks=TASKS,
        staffing=STAFFING,
    )
    return msgspec.structs.replace(draft, **changes)
