"""system_apis: billing lines to and from NetSuite's billing schedule.

A fixed price is billed by milestones, which carry their own words. Retainers and time-and-materials caps are
recurrences on given dates, which carry none: their words follow from the schedule's type and the date.
"""

from itertools import count

from contracts.canonical.contract import BillingLine, ContractDraft
from contracts.canonical.currencies import shown
from contracts.canonical.opportunity import PricingModel
from contracts.canonical.values import Money
from system_apis.connector.erp import unworded_line
from system_apis.connector.refusals import payable
from system_apis.vendors.netsuite.mapping.lengths import schedule_name
from system_apis.vendors.netsuite.mapping.values import point
from system_apis.vendors.netsuite.profile import NetSuiteProfile, Schedule
from system_apis.vendors.netsuite.records import NetSuiteSchedule, Raw

_MODELS: tuple[PricingModel, ...] = ("fixed_price", "retainer", "time_and_materials")


def schedule_body(profile: NetSuiteProfile, draft: ContractDraft) -> Raw:
    """The schedule of a contract: its lines replace whatever was there.

    Raises VendorRejected for an amount that is finer than its currency.
    """
    how = _how(profile, draft.pricing_model)
    body: Raw = {**how.more, "name": schedule_name(draft.name), "scheduleType": point(how.type)}
    if how.frequency:
        body["frequency"] = point(how.frequency)
    for number, line in enumerate(draft.billing_schedule):
        payable(line.amount, f"billing_schedule/{number}/amount", profile.name)
    line_body = _milestone if how.lines == "milestone" else _recurrence
    return body | {how.lines: {"items": list(map(line_body, count(1), draft.billing_schedule))}}


def _how(profile: NetSuiteProfile, model: PricingModel) -> Schedule:
    return getattr(profile.billing_schedules, model)


def _milestone(number: int, line: BillingLine) -> Raw:
    return {
        "milestoneId": number,
        "milestoneAmount": line.amount.amount,
        "milestoneDate": line.due.isoformat(),
        "comments": line.description,
    }


def _recurrence(number: int, line: BillingLine) -> Raw:
    return {
        "recurrenceId": number,
        "amount": str(line.amount.amount),
        "count": 1,
        "units": point("MONTH"),
        "recurrenceDate": line.due.isoformat(),
        "relativeToPrevious": False,
    }


def pricing_model(profile: NetSuiteProfile, schedule: NetSuiteSchedule | None) -> PricingModel | None:
    """The pricing model of the schedule's type; None without one."""
    if schedule is None:
        return None
    return next((model for model in _MODELS if _how(profile, model).type == schedule.schedule_type.id), None)


def billing_lines(
    profile: NetSuiteProfile, schedule: NetSuiteSchedule | None, currency: str
) -> tuple[BillingLine, ...]:
    if schedule is None:
        return ()
    milestones = tuple(
        BillingLine(
            line.comments or schedule.name, line.milestone_date, shown(Money(line.milestone_amount, currency))
        )
        for line in schedule.milestone.items
    )
    model = pricing_model(profile, schedule)
    return milestones + tuple(
        unworded_line(model, line.recurrence_date, shown(Money(line.amount, currency)), schedule.name)
        for line in schedule.recurrence.items
        if line.recurrence_date is not None  # others are relative to what was billed before
    )
