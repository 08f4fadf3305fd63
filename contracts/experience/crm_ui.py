"""The CRM screen: activate a deal, watch it become a project, and see an account's projects."""

import datetime as dt
from typing import Protocol

import msgspec

from contracts.canonical.values import Id, Instant, Money
from contracts.canonical.workflow import WorkflowStatus
from contracts.experience.common import ScreenLink, ScreenStep
from contracts.operation import api, operation
from contracts.problems import (
    Conflict,
    ContractViolation,
    Forbidden,
    NotFound,
    VendorRejected,
)
from contracts.process.opportunity_to_project import ActivationBlocked


class ActivationScreen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the CRM screen shows of an activation; `status_url` is where to look again.

    `waiting_for` is who must act, `what_next` what that is, or how the deal is activated anew.
    """

    id: str
    status: WorkflowStatus
    status_text: str
    opportunity_id: str
    status_url: str
    correlation_id: str
    opportunity_name: str = ""
    started_at: Instant | None = None
    seconds: float | None = None
    steps: tuple[ScreenStep, ...] = ()
    project: ScreenLink | None = None
    contract: ScreenLink | None = None
    customer: ScreenLink | None = None
    waiting_for: str = ""
    what_next: str = ""
    exception_id: str = ""


class BillingRow(msgspec.Struct, frozen=True):
    description: str
    due: dt.date
    amount: Money


class ProjectCard(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    contract_value: Money
    activation_status: WorkflowStatus
    project: ScreenLink
    contract: ScreenLink
    opportunity_id: str
    start: dt.date | None = None
    end: dt.date | None = None
    billing_schedule: tuple[BillingRow, ...] = ()


class AccountScreen(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account's projects as of an instant; `age_seconds` says how fresh that is."""

    account_id: str
    as_of: Instant
    age_seconds: float
    customer_name: str = ""
    customer_status: str = ""
    totals: tuple[Money, ...] = ()
    projects: tuple[ProjectCard, ...] = ()


@api(
    "experience",
    "crm-ui",
    version=1,
    summary="What a salesperson's CRM screen calls and waits for",
    data_classes=("commercial", "financial"),
)
class CrmUi(Protocol):
    """Ids in paths are ours, or the caller's CRM record ids, resolved in the token's `instance`."""

    @operation(
        "POST",
        "/opportunities/{opportunity_id}/activation",
        summary="Activate a won opportunity",
        status=202,
        idempotency="natural",
        problems=(ActivationBlocked, Conflict, ContractViolation, Forbidden, NotFound, VendorRejected),
    )
    async def activate_opportunity(self, opportunity_id: Id) -> ActivationScreen:
        """Accepted, with a status link; or ActivationBlocked with everything that is missing."""
        ...

    @operation(
        "GET",
        "/opportunities/{opportunity_id}/activation",
        summary="Watch the activation of an opportunity",
        problems=(Forbidden, NotFound),
    )
    async def get_activation(self, opportunity_id: Id) -> ActivationScreen:
        """The activation's steps with times; NotFound when it was never started."""
        ...

    @operation(
        "GET",
        "/accounts/{account_id}/overview",
        summary="See an account's projects, contract values and billing schedules",
        cache_seconds=0,
        problems=(Forbidden, NotFound),
    )
    async def get_account_overview(self, account_id: Id) -> AccountScreen:
        """The overview from our read model, with its freshness; no vendor is called."""
        ...
