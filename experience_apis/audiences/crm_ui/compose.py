"""What the CRM screen shows, composed from what the flows answer: arithmetic and labels, no I/O."""

import datetime as dt
from decimal import Decimal

from contracts.canonical.values import Money
from contracts.experience.common import ScreenLink
from contracts.experience.crm_ui import (
    AccountScreen,
    ActivationScreen,
    BillingRow,
    CrmUi,
    ProjectCard,
)
from contracts.process.opportunity_to_project import Activation
from contracts.process.projects import AccountOverview, AccountProject
from experience_apis.screens import NAMES, link_to, prefix_of, step_shown

PREFIX = prefix_of(CrmUi)
# Ends of an activation that leave no contract.
UNCONTRACTED = ("undone", "observed", "failed")


def activation_screen(activation: Activation) -> ActivationScreen:
    """An activation as a salesperson reads it."""
    return ActivationScreen(
        id=activation.id,
        status=activation.status,
        status_text=activation.status_text,
        opportunity_id=activation.opportunity_id,
        opportunity_name=activation.opportunity_name,
        status_url=f"{PREFIX}/opportunities/{activation.opportunity_id}/activation",
        correlation_id=activation.correlation_id,
        started_at=activation.started_at,
        seconds=activation.seconds,
        steps=tuple(step_shown(step) for step in activation.timeline),
        project=link_to("Project", activation.project_id, activation.refs, "project"),
        contract=link_to("Contract", activation.contract_id, activation.refs, "contract"),
        customer=link_to("Customer", activation.customer_id, activation.refs, "customer"),
        waiting_for=NAMES.get(activation.waiting_for, activation.waiting_for),
        what_next=activation.what_next,
        exception_id=activation.exception_id,
    )


def account_screen(overview: AccountOverview, now: dt.datetime) -> AccountScreen:
    """An account's projects, with the contracted value per currency and the age of what is shown."""
    return AccountScreen(
        account_id=overview.account_id,
        as_of=overview.as_of,
        age_seconds=max(0.0, round((now - overview.as_of).total_seconds(), 3)),
        customer_name=overview.customer_name,
        customer_status=overview.customer_status,
        totals=_totals(overview),
        projects=tuple(_card(item) for item in overview.items),
    )


def _totals(overview: AccountOverview) -> tuple[Money, ...]:
    sums: dict[str, Decimal] = {}
    for item in overview.items:
        if item.activation_status in UNCONTRACTED:
            continue
        value = item.contract_value
        sums[value.currency] = sums.get(value.currency, Decimal(0)) + value.amount
    return tuple(Money(amount, currency) for currency, amount in sorted(sums.items()))


def _card(item: AccountProject) -> ProjectCard:
    return ProjectCard(
        name=item.project_name,
        contract_value=item.contract_value,
        activation_status=item.activation_status,
        project=ScreenLink("Project", item.project_id),
        contract=ScreenLink("Contract", item.contract_id),
        opportunity_id=item.opportunity_id,
        start=item.start,
        end=item.end,
        billing_schedule=tuple(
            BillingRow(row.description, row.due, row.amount) for row in item.billing_schedule
        ),
    )
