"""A project: the delivery of one contract, with its tasks, milestones, planned roles and staffing demand."""

import datetime as dt
from typing import Literal

import msgspec

from contracts.canonical.customer import Customer
from contracts.canonical.objects import BusinessObject
from contracts.canonical.opportunity import PricingModel
from contracts.canonical.values import Id, Instant, LeftOut, Money, Name, Quantity, Ref

PROJECT = BusinessObject("project", stage="active")

ProjectStatus = Literal["planned", "active", "closed", "cancelled"]


class TaskPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task or milestone to create, by its place in the template; `parent` names another plan's code."""

    code: str
    title: str
    kind: Literal["task", "milestone"] = "task"
    start: dt.date | None = None
    due: dt.date | None = None
    hours: Quantity | None = None
    amount: Money | None = None
    parent: str = ""


class StaffingDemand(msgspec.Struct, frozen=True, omit_defaults=True):
    """A named role that the project needs, from, to, hours: an assignment without a resource yet."""

    role: str
    start: dt.date
    end: dt.date
    hours: Quantity
    region: str = ""
    skills: tuple[str, ...] = ()
    id: str = ""


class ProjectDraft(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one needs to know to provision a project in a PSA; `client_id` is the PSA's own."""

    name: Name
    client_id: str
    contract_number: str
    template: str
    start: dt.date
    end: dt.date
    currency: str
    pricing_model: PricingModel
    service_line: str = ""
    region: str = ""
    selling_entity: str = ""
    budget: Money | None = None
    budget_hours: Quantity | None = None
    tasks: tuple[TaskPlan, ...] = ()
    staffing: tuple[StaffingDemand, ...] = ()
    custom: dict[str, str] = {}


class Task(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    title: str
    kind: Literal["task", "milestone"]
    start: dt.date | None = None
    due: dt.date | None = None
    hours: Quantity | None = None
    status: str = ""


class Project(msgspec.Struct, frozen=True, omit_defaults=True):
    """A project as the PSA, or we, know it."""

    id: Id
    version: str
    updated_at: Instant
    name: str
    status: ProjectStatus
    customer_id: str = ""
    contract_id: str = ""
    selling_entity: str = ""
    code: str = ""
    template: str = ""
    start: dt.date | None = None
    end: dt.date | None = None
    budget: Money | None = None
    budget_hours: Quantity | None = None
    tasks: tuple[Task, ...] = ()
    planned_roles: tuple[StaffingDemand, ...] = ()
    manager: str = ""
    key: str = ""
    refs: tuple[Ref, ...] = ()


class Projects(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of projects, and those of its records that cannot be read."""

    items: tuple[Project, ...]
    next_cursor: str | None = None
    left_out: tuple[LeftOut, ...] = ()


class Client(msgspec.Struct, frozen=True, omit_defaults=True):
    """A customer as the PSA groups projects by it."""

    id: Id
    version: str
    updated_at: Instant
    name: str
    key: str = ""
    email: str = ""
    website: str = ""
    refs: tuple[Ref, ...] = ()


class Clients(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[Client, ...]


class ClientDraft(msgspec.Struct, frozen=True, omit_defaults=True):
    name: Name
    email: str = ""
    website: str = ""
    notes: str = ""
    custom: dict[str, str] = {}


def client_of(customer: Customer) -> ClientDraft:
    """The data from which a PSA creates the firm under which it groups projects."""
    return ClientDraft(name=customer.trading_name or customer.legal_name, website=customer.website)


def firm_of(client: Client) -> Customer:
    """The client as a firm, to be matched with others."""
    return Customer(
        id=client.id,
        version=client.version,
        updated_at=client.updated_at,
        legal_name=client.name,
        status="approved",
        email=client.email,
        website=client.website,
        refs=client.refs,
    )
