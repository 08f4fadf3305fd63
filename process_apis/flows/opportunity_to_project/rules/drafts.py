"""What follows from the terms: contract, billing schedule, project with its structure, and the keys."""

import datetime as dt
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from contracts.canonical import values
from contracts.canonical.contract import BillingLine, ContractDraft, ContractLine
from contracts.canonical.currencies import is_payable, shared_out
from contracts.canonical.project import ProjectDraft, StaffingDemand, TaskPlan
from contracts.canonical.reference import DeliveryTemplate, RateCard, TemplateTask
from contracts.canonical.values import Money
from process_apis.flows.opportunity_to_project.rules.terms import Terms
from process_apis.reference import rate_at


def on_day(terms: Terms, offset: Decimal) -> dt.date:
    """The business date at a part (0 to 1) of the project's length."""
    days = (Decimal((terms.end - terms.start).days) * offset).to_integral_value(ROUND_DOWN)
    return terms.start + dt.timedelta(days=int(days))


def billing_schedule(terms: Terms, template: DeliveryTemplate) -> tuple[BillingLine, ...]:
    """When what becomes due: milestones of the template, months of a retainer, or a cap at the end.

    The amounts add up to the value, in whole minor units of its currency; nothing is due on no date.
    """
    if terms.pricing_model == "time_and_materials":
        cap = BillingLine("Time and materials, up to", terms.end, terms.value, "time_and_materials_cap")
        return (cap,)
    if terms.pricing_model == "retainer":
        return _monthly(terms)
    return tuple(
        BillingLine(stone.title, on_day(terms, stone.end_offset), amount)
        for stone, amount in _stones(terms, template)
    )


def _stones(terms: Terms, template: DeliveryTemplate) -> list[tuple[TemplateTask, Money]]:
    """The milestones that are billed with what becomes due at each."""
    stones = [task for task in template.tasks if task.billing_share > 0]
    amounts = shared_out(terms.value, [each.billing_share for each in stones])
    return [(stone, amount) for stone, amount in zip(stones, amounts, strict=True) if amount.amount]


def _monthly(terms: Terms) -> tuple[BillingLine, ...]:
    months = []
    first = terms.start.replace(day=1)
    while first <= terms.end:
        months.append(max(first, terms.start))
        first = (first + dt.timedelta(days=32)).replace(day=1)
    amounts = shared_out(terms.value, [Decimal(1)] * len(months))
    return tuple(
        BillingLine(f"Retainer {month:%B %Y}", month, amount, "retainer")
        for month, amount in zip(months, amounts, strict=True)
        if amount.amount
    )


def contract_draft(terms: Terms, customer_id: str, template: DeliveryTemplate) -> ContractDraft:
    """The contract that the terms ask for; `customer_id` is the ERP's own."""
    return ContractDraft(
        name=terms.name,
        customer_id=customer_id,
        opportunity_ref=terms.opportunity_id,
        revision=terms.revision,
        selling_entity=terms.selling_entity,
        value=terms.value,
        pricing_model=terms.pricing_model,
        payment_terms=terms.payment_terms,
        tax_profile=terms.tax_profile,
        start=terms.start,
        end=terms.end,
        lines=_contract_lines(terms),
        billing_schedule=billing_schedule(terms, template),
        rate_card_id=terms.rate_card,
    )


def _contract_lines(terms: Terms) -> tuple[ContractLine, ...]:
    lines = tuple(
        ContractLine(
            line.description or terms.name, line.quantity, line.total, terms.service_line, terms.tax_profile
        )
        for line in terms.lines
    )
    closes = sum((line.amount.amount for line in lines), Decimal(0)) == terms.value.amount
    if lines and closes and all(is_payable(line.amount) for line in lines):
        return lines
    return (ContractLine(terms.name, Decimal(1), terms.value, terms.service_line, terms.tax_profile),)


def budget_hours(terms: Terms, template: DeliveryTemplate, rate_card: RateCard) -> Decimal:
    """The hours that the value buys at the template's mix of roles, in quarters of an hour."""
    mixed = Decimal(0)
    for role in template.roles:
        mixed += role.hours_share * (rate_at(rate_card, role.role, terms.region, terms.start) or Decimal(0))
    return _quarters(terms.value.amount / mixed)


def _quarters(hours: Decimal) -> Decimal:
    return (hours * 4).quantize(Decimal(1), ROUND_HALF_UP) / 4


def project_draft(
    terms: Terms, contract_number: str, client_id: str, template: DeliveryTemplate, rate_card: RateCard
) -> ProjectDraft:
    """The project that the terms ask for, with work breakdown, milestones, planned roles and demand."""
    hours = budget_hours(terms, template, rate_card)
    return ProjectDraft(
        name=terms.name,
        client_id=client_id,
        contract_number=contract_number,
        template=terms.template,
        start=terms.start,
        end=terms.end,
        currency=terms.value.currency,
        pricing_model=terms.pricing_model,
        service_line=terms.service_line,
        region=terms.region,
        selling_entity=terms.selling_entity,
        budget=terms.value,
        budget_hours=hours,
        tasks=_task_plans(terms, template, hours),
        staffing=_staffing(terms, template, hours),
    )


def _task_plans(terms: Terms, template: DeliveryTemplate, hours: Decimal) -> tuple[TaskPlan, ...]:
    fixed = terms.pricing_model == "fixed_price"
    due = {stone.code: amount for stone, amount in _stones(terms, template)} if fixed else {}
    return tuple(
        TaskPlan(
            code=task.code,
            title=task.title,
            kind="milestone" if task.milestone else "task",
            start=on_day(terms, task.start_offset),
            due=on_day(terms, task.end_offset),
            hours=None if task.milestone else _quarters(hours * task.hours_share),
            amount=due.get(task.code) if task.milestone else None,
            parent=task.parent,
        )
        for task in template.tasks
    )


def _staffing(terms: Terms, template: DeliveryTemplate, hours: Decimal) -> tuple[StaffingDemand, ...]:
    return tuple(
        StaffingDemand(
            role=role.role,
            start=terms.start,
            end=terms.end,
            hours=_quarters(hours * role.hours_share),
            region=terms.region,
            skills=role.skills,
        )
        for role in template.roles
    )


def key_of(what: str, instance: str, opportunity_id: str, revision: int, number: int = 1) -> str:
    """The key under which a vendor creates an object of this deal, the same however often it is tried.

    `number` says which activation of the deal it is: what another one made and took back is not met again.
    """
    return values.key_of(
        what, instance, opportunity_id, f"r{revision}", *([str(number)] if number > 1 else [])
    )
