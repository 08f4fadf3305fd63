"""system_apis: a Salesforce Opportunity as our opportunity, and the project's link as its fields. Pure."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, get_args

import msgspec

from contracts.canonical.opportunity import (
    Opportunity,
    OpportunityLine,
    PricingModel,
    ProjectLink,
    Stage,
    TeamMember,
)
from contracts.canonical.values import Ref
from contracts.problems import Fault, VendorRejected
from system_apis.vendors.salesforce.mapping.values import (
    date_or_none,
    instant,
    money,
    plain,
    text,
    version,
)
from system_apis.vendors.salesforce.records import LineItem, OpportunityRecord, Row
from system_apis.vendors.salesforce.settings.maps import Maps

_CODED = ("service_line", "region", "pricing_model", "payment_terms")
_AS_IT_IS = ("delivery_template", "rate_card")


def opportunity(row: Row[OpportunityRecord], maps: Maps, instance_url: str = "") -> Opportunity:
    """The deal as the org has it; its terms by the profile's fields, codes and defaults."""
    record = row.record
    terms, unmapped = _terms(row.all, maps)
    currency = record.currency_iso_code or maps.currency
    opportunity = Opportunity(
        id=record.id,
        version="",
        updated_at=instant(record.system_modstamp),
        name=record.name,
        stage=stage(is_won=record.is_won, is_closed=record.is_closed),
        customer_id=record.account_id or "",
        stage_label=record.stage_name,
        amount=money(record.amount, currency),
        probability=None if record.probability is None else int(record.probability),
        close_date=record.close_date,
        expected_start=_date(row.all, maps.fields.opportunity.expected_start, "expected_start", unmapped),
        expected_end=_date(row.all, maps.fields.opportunity.expected_end, "expected_end", unmapped),
        project_ref=text(row.all.get(maps.fields.opportunity.project_id)),
        lines=tuple(_lines(record, currency)),
        account_team=tuple(_team(record)),
        unmapped=unmapped,
        refs=(Ref(maps.instance, "opportunity", record.id, _url(instance_url, record.id)),),
        **terms,
    )
    return msgspec.structs.replace(opportunity, version=version(record, opportunity))


def stage(*, is_won: bool, is_closed: bool) -> Stage:
    """By the org's own flags: labels are free text there."""
    if not is_closed:
        return "open"
    return "won" if is_won else "lost"


def _terms(values: dict[str, Any], maps: Maps) -> tuple[dict[str, Any], dict[str, str]]:
    fields, defaults, codes = maps.fields.opportunity, maps.defaults.opportunity, maps.picklists
    terms: dict[str, Any] = {}
    unmapped: dict[str, str] = {}
    for name in (*_AS_IT_IS, *_CODED):
        content = text(values.get(getattr(fields, name)))
        table = getattr(codes, name) if name in _CODED else {}
        code = (table.get(content) if table else content) if content else getattr(defaults, name)
        if name == "pricing_model" and code and code not in get_args(PricingModel):
            code = None
        if content and not code:
            unmapped[name] = content
        elif code:
            terms[name] = code
    return terms, unmapped


def _date(values: dict[str, Any], field: str, name: str, unmapped: dict[str, str]) -> dt.date | None:
    day = date_or_none(values.get(field))
    if day is None and text(values.get(field)):
        unmapped[name] = text(values[field])
    return day


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


def _status_label(status: str, maps: Maps) -> str:
    """The org's value of our status; with an empty table the org's values are ours. Raises VendorRejected."""
    labels = {code: label for label, code in maps.picklists.project_status.items()}
    if not labels or not status or status in labels:
        return labels.get(status, status)
    sentence = f"[picklists.project_status] of the profile of {maps.instance} has no value for {status!r}"
    fault = Fault("/status", sentence, "unmapped", field="status", fixed_by="administrator")
    raise VendorRejected(sentence, instance=maps.instance, errors=(fault,))


def link_changes(row: Row[OpportunityRecord], link: ProjectLink, maps: Maps) -> dict[str, Any]:
    """The fields to write so that the opportunity shows the link; empty when it already does.

    An empty text clears. Fields that the org demands with every save go along where they are empty.
    """
    fields = maps.fields.opportunity
    wanted = {
        fields.project_id: link.project_id,
        fields.project_url: link.project_url,
        fields.project_status: _status_label(link.status, maps) if fields.project_status else "",
    }
    changed = {
        field: value or None for field, value in wanted.items() if field and text(row.all.get(field)) != value
    }
    if not changed:
        return {}
    missing = {
        field: value
        for field, value in maps.required_custom.opportunity.items()
        if row.all.get(field) in (None, "")
    }
    return {**missing, **changed}
