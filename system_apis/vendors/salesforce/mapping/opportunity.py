"""system_apis: a Salesforce Opportunity as our opportunity, and the project's link as its fields. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from contracts.canonical.opportunity import Opportunity, OpportunityLine, ProjectLink, Stage, TeamMember
from contracts.canonical.values import Ref
from system_apis.connector import crm
from system_apis.connector.custom_values import custom_fields
from system_apis.connector.values import money, utc, versioned
from system_apis.platforms.salesforce_org.records import Row
from system_apis.platforms.salesforce_org.values import plain, texts
from system_apis.vendors.salesforce.profile import SalesforceProfile
from system_apis.vendors.salesforce.records import LineItem, OpportunityRecord


def opportunity(
    row: Row[OpportunityRecord], profile: SalesforceProfile, instance_url: str = ""
) -> Opportunity:
    """The deal as the org has it; its terms by the profile's fields, codes and defaults."""
    record, read = row.record, texts(row.all)
    terms, unmapped = crm.terms(read, profile)
    currency = profile.currency_of(record.currency_iso_code)
    modified = utc(record.system_modstamp)
    opportunity = Opportunity(
        id=record.id,
        version="",
        updated_at=modified,
        name=record.name,
        stage=stage(is_won=record.is_won, is_closed=record.is_closed),
        customer_id=record.account_id or "",
        stage_label=record.stage_name,
        amount=money(record.amount, currency),
        probability=None if record.probability is None else int(record.probability),
        close_date=record.close_date,
        project_ref=read(profile.fields.opportunity.project_id),
        lines=tuple(_lines(record, currency)),
        account_team=tuple(_team(record)),
        unmapped=unmapped,
        refs=(Ref(profile.name, "opportunity", record.id, _url(instance_url, record.id)),),
        **terms,
    )
    return versioned(opportunity, modified)


def stage(*, is_won: bool, is_closed: bool) -> Stage:
    """By the org's own flags: labels are free text there."""
    if not is_closed:
        return "open"
    return "won" if is_won else "lost"


def _lines(record: OpportunityRecord, currency: str) -> Iterator[OpportunityLine]:
    for item in record.opportunity_line_items.records if record.opportunity_line_items else ():
        unit_price, total = money(_unit_price(item), currency), money(_total(item), currency)
        if unit_price is None or total is None:
            continue
        yield OpportunityLine(
            id=item.id,
            description=item.description or item.name or "",
            quantity=plain(item.quantity),
            unit_price=unit_price,
            total=total,
            product=item.product_code or "",
            service_date=item.service_date,
        )


def _unit_price(item: LineItem) -> Decimal | None:
    # Either price may have been typed in; Salesforce derives the other, but hides what a user may not see.
    if item.unit_price is None and item.total_price is not None and item.quantity:
        return (item.total_price / item.quantity).quantize(Decimal("0.000001"))
    return item.unit_price


def _total(item: LineItem) -> Decimal | None:
    if item.total_price is None and item.unit_price is not None:
        return item.unit_price * item.quantity
    return item.total_price


def _team(record: OpportunityRecord) -> Iterator[TeamMember]:
    if record.owner and record.owner.name:
        yield TeamMember(name=record.owner.name, email=record.owner.email or "", role="owner")
    for member in record.opportunity_team_members.records if record.opportunity_team_members else ():
        if member.user and member.user.name:
            yield TeamMember(
                name=member.user.name, email=member.user.email or "", role=member.team_member_role or ""
            )


def _url(instance_url: str, record_id: str) -> str:
    return f"{instance_url}/lightning/r/Opportunity/{record_id}/view" if instance_url else ""


def link_changes(
    row: Row[OpportunityRecord], link: ProjectLink, profile: SalesforceProfile
) -> dict[str, Any]:
    """The fields to write so that the opportunity shows the link; empty when it already does.

    Fields that the org demands with every save go along where they are empty.
    """
    changed = crm.link_changes(texts(row.all), link, profile)
    if not changed:
        return {}
    required = profile.required_custom.opportunity
    empty = {field: value for field, value in required.items() if row.all.get(field) in (None, "")}
    return {
        **custom_fields(empty, link, profile.name),
        **{field: value or None for field, value in changed.items()},
    }
