"""system_apis: billing lines to and from NetSuite's billing schedule.

A fixed price is billed by milestones, which carry their own words. Retainers and time-and-materials caps are
recurrences on given dates, which carry none: their words follow from the schedule's type and the date.
"""

import datetime as dt
from decimal import Decimal, InvalidOperation

from contracts.canonical.contract import BillingLine, ContractDraft
from contracts.canonical.opportunity import PricingModel
from contracts.canonical.values import Money
from contracts.problems import ContractViolation
from system_apis.vendors.netsuite.mapping.values import point
from system_apis.vendors.netsuite.records import NetSuiteRecurrence, NetSuiteSchedule, Raw
from system_apis.vendors.netsuite.settings.maps import Maps, Schedule

_MODELS: tuple[PricingModel, ...] = ("fixed_price", "retainer", "time_and_materials")


def schedule_body(maps: Maps, draft: ContractDraft) -> Raw:
    """The schedule of a contract: its lines replace whatever was there."""
    how = _how(maps, draft.pricing_model)
    body: Raw = {**how.more, "name": draft.name, "scheduleType": point(how.type)}
    if how.frequency:
        body["frequency"] = point(how.frequency)
    lines = enumerate(draft.billing_schedule, 1)
    if how.lines == "milestone":
        return body | {"milestone": {"items": [_milestone(number, line) for number, line in lines]}}
    return body | {"recurrence": {"items": [_recurrence(number, line) for number, line in lines]}}


def _how(maps: Maps, model: PricingModel) -> Schedule:
    return getattr(maps.billing_schedules, model)


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


def pricing_model(maps: Maps, schedule: NetSuiteSchedule | None) -> PricingModel | None:
    """The pricing model that the schedule's type stands for; None without one."""
    if schedule is None:
        return None
    return next((model for model in _MODELS if _how(maps, model).type == schedule.schedule_type.id), None)


def billing_lines(maps: Maps, schedule: NetSuiteSchedule | None, currency: str) -> tuple[BillingLine, ...]:
    if schedule is None:
        return ()
    milestones = tuple(
        BillingLine(
            line.comments or schedule.name, line.milestone_date, Money(line.milestone_amount, currency)
        )
        for line in schedule.milestone.items
    )
    retainer = pricing_model(maps, schedule) == "retainer"
    return milestones + tuple(
        _line_of(maps, recurrence, recurrence.recurrence_date, currency, retainer=retainer)
        for recurrence in schedule.recurrence.items
        if recurrence.recurrence_date is not None  # others are relative to what was billed before
    )


def _line_of(
    maps: Maps, recurrence: NetSuiteRecurrence, due: dt.date, currency: str, *, retainer: bool
) -> BillingLine:
    try:
        amount = Money(Decimal(recurrence.amount), currency)
    except (InvalidOperation, ValueError):
        raise ContractViolation("a recurrence's amount is no number", instance=maps.instance) from None
    if retainer:
        return BillingLine(f"Retainer {due:%B %Y}", due, amount, "retainer")
    return BillingLine("Time and materials, up to", due, amount, "time_and_materials_cap")
