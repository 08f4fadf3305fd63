"""The data of each kind of event, and the type's name."""

import datetime as dt
from typing import Literal

import msgspec

from contracts.canonical.contract import CONTRACT, BillingLine
from contracts.canonical.customer import CUSTOMER, Customer
from contracts.canonical.exception import ExceptionKind, ExceptionStatus
from contracts.canonical.opportunity import OPPORTUNITY
from contracts.canonical.project import PROJECT, StaffingDemand
from contracts.canonical.values import Money
from contracts.canonical.workflow import Mode, WorkflowStatus

OPPORTUNITY_WON = "enfilade.opportunity.won.v1"
OPPORTUNITY_CHANGED = OPPORTUNITY.changed
CUSTOMER_APPROVED = "enfilade.customer.approved.v1"
CUSTOMER_CHANGED = CUSTOMER.changed
CONTRACT_ACTIVATED = "enfilade.contract.activated.v1"
CONTRACT_CHANGED = CONTRACT.changed
PROJECT_CHANGED = PROJECT.changed
PROJECT_CREATED = "enfilade.project.created.v1"
STAFFING_DEMAND_PUBLISHED = "enfilade.staffing_demand.published.v1"
ACTIVATION_UPDATED = "enfilade.activation.updated.v1"
WORKFLOW_STATUS_CHANGED = "enfilade.workflow.status_changed.v1"
EXCEPTION_RAISED = "enfilade.exception.raised.v1"
EXCEPTION_RESOLVED = "enfilade.exception.resolved.v1"
# Between the tiers only: a record that is off its vendor's schema; its `values` say why.
RECORD_UNREADABLE = "enfilade.record.unreadable"
SLA_BREACHED = "enfilade.sla.breached.v1"


class RecordChanged(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record changed in a vendor's instance; the flow reads the record itself before it acts.

    `object` names a business object that a capability of the instance reads. `fields` are the canonical names
    of what changed (empty: unknown); `by_us` marks an echo of our own write. A record that was `merged` is
    gone, and `merged_into` is the id of the one that remains; a `restored` one had been deleted.
    """

    instance: str
    object: str
    id: str
    version: str = ""
    fields: tuple[str, ...] = ()
    values: dict[str, str] = {}
    changed_at: dt.datetime | None = None
    by_us: bool = False
    kind: Literal["changed", "deleted", "merged", "restored"] = "changed"
    merged_into: str = ""


class StaffingDemandPublished(msgspec.Struct, frozen=True):
    project_id: str
    demand: tuple[StaffingDemand, ...]


class ContractActivated(msgspec.Struct, frozen=True):
    contract_id: str
    customer_id: str
    value: Money
    revision: int


class ProjectCreated(msgspec.Struct, frozen=True):
    project_id: str
    contract_id: str
    customer_id: str
    name: str


class ActivationUpdated(msgspec.Struct, frozen=True, omit_defaults=True):
    """An activation as it stands, observing or not: its deal's terms, and what was made of them."""

    activation_id: str
    status: WorkflowStatus
    instance: str
    opportunity_id: str
    account_id: str
    name: str
    value: Money
    account_name: str = ""
    selling_entity: str = ""
    customer_id: str = ""
    contract_id: str = ""
    project_id: str = ""
    start: dt.date | None = None
    end: dt.date | None = None
    billing_schedule: tuple[BillingLine, ...] = ()


class CustomerApproved(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account of an instance is a customer now; `customer` is that as a whole, with our id."""

    customer_id: str
    legal_name: str
    selling_entity: str
    instance: str = ""
    account_id: str = ""
    account_name: str = ""
    customer: Customer | None = None


class WorkflowStatusChanged(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run as it stands since its status changed; whose it is (`entity`, `customer`) as far as known."""

    workflow_id: str
    flow: str
    status: WorkflowStatus
    status_text: str
    subject: str = ""
    mode: Mode = "live"
    entity: str = ""
    customer: str = ""
    instances: tuple[str, ...] = ()
    started_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    exception_id: str = ""


class ExceptionChanged(msgspec.Struct, frozen=True, omit_defaults=True):
    """An exception was raised or resolved (`status` says which): what stopped, and whose the work is."""

    exception_id: str
    kind: ExceptionKind
    status: ExceptionStatus
    flow: str
    subject: str
    owner: str
    stopped: str = ""
    why: str = ""
    what_next: str = ""
    raised_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    resolved_at: dt.datetime | None = None
    workflow_id: str = ""
    step: str = ""
    entity: str = ""
    customer: str = ""
    instances: tuple[str, ...] = ()


class SlaBreached(msgspec.Struct, frozen=True):
    """What was due was not done in time: a run waits too long (`wait`), or an exception is not decided.

    `id` is the run's or the exception's; `subject` the business object of an exception, else empty.
    """

    kind: Literal["wait", "exception"]
    id: str
    due_at: dt.datetime
    subject: str = ""
