"""system_apis: a contract to and from NetSuite's sales order."""

from decimal import Decimal

from contracts.canonical.contract import Contract, ContractDraft, ContractLine, ContractStatus
from contracts.canonical.currencies import shown
from contracts.canonical.values import Money
from contracts.problems import ContractViolation
from system_apis.vendors.netsuite.mapping.schedule import billing_lines, pricing_model
from system_apis.vendors.netsuite.mapping.values import (
    custom_fields,
    instant_of,
    point,
    refs_of,
    text_of,
    to_code,
    to_id,
)
from system_apis.vendors.netsuite.records import NetSuiteOrder, NetSuiteSchedule, Raw, Row, version_of
from system_apis.vendors.netsuite.settings.maps import Maps

_STATUSES: dict[str, ContractStatus] = {
    "A": "draft",
    "B": "active",
    "C": "closed",
    "D": "active",
    "E": "active",
    "F": "active",
    "G": "active",
    "H": "closed",
}


def order_body(maps: Maps, draft: ContractDraft, schedule_id: str) -> Raw:
    """What a contract is at NetSuite, every line open; `schedule_id` is its billing schedule's, or empty."""
    body: Raw = {
        **maps.defaults.contract,
        "entity": point(draft.customer_id),
        "subsidiary": to_id(maps.entities, draft.selling_entity, field="selling_entity", maps=maps),
        "currency": to_id(maps.currencies, draft.value.currency, field="value/currency", maps=maps),
        "terms": to_id(maps.terms, draft.payment_terms, field="payment_terms", maps=maps),
        "memo": draft.name,
        "startDate": draft.start.isoformat(),
        "endDate": draft.end.isoformat(),
        "billingSchedule": point(schedule_id) if schedule_id else None,
        "item": {"items": [_line(maps, draft, number, line) for number, line in enumerate(draft.lines, 1)]},
    }
    fields = maps.fields.contract
    for name, value in (
        (fields.opportunity_ref, draft.opportunity_ref),
        (fields.revision, str(draft.revision)),
        (fields.rate_card_id, draft.rate_card_id),
        (fields.tax_profile, draft.tax_profile),
    ):
        if name and value:
            body[name] = value
    return body | custom_fields(maps.required_custom.contract, draft, draft.custom, maps)


def _line(maps: Maps, draft: ContractDraft, number: int, line: ContractLine) -> Raw:
    at = f"lines/{number - 1}"
    body: Raw = {
        **maps.defaults.contract_line,
        "line": number,
        "item": to_id(maps.items, line.service_line, field=f"{at}/service_line", maps=maps),
        "quantity": line.quantity,
        "amount": line.amount.amount,
        "description": line.description,
        "isClosed": False,
    }
    if maps.tax_codes:
        code = line.tax_code or draft.tax_profile
        body["taxCode"] = to_id(maps.tax_codes, code, field=f"{at}/tax_code", maps=maps)
    return body | custom_fields(maps.required_custom.contract_line, line, {}, maps)


def closing_body(record: NetSuiteOrder) -> Raw:
    """The change that closes every line: NetSuite's way to call an order off without deleting it."""
    return {"item": {"items": [{"line": line.line, "isClosed": True} for line in record.item.items]}}


def is_closed(record: NetSuiteOrder) -> bool:
    return _STATUSES.get(record.status.id) == "closed"


def _status(maps: Maps, letter: str) -> ContractStatus:
    if letter not in _STATUSES:
        raise ContractViolation(f"a sales order has the unknown status {letter!r}", instance=maps.instance)
    return _STATUSES[letter]


def contract(maps: Maps, record: NetSuiteOrder, raw: Raw, schedule: NetSuiteSchedule | None) -> Contract:
    """A contract from its whole order and schedule; `raw` is the order with the account's own fields."""
    fields = maps.fields.contract
    currency = to_code(maps.currencies, record.currency)
    return Contract(
        id=record.id,
        version=version_of(record.last_modified_date),
        updated_at=record.last_modified_date,
        customer_id=record.entity.id,
        status=_status(maps, record.status.id),
        value=shown(Money(record.subtotal, currency)),
        name=record.memo,
        number=record.tran_id,
        opportunity_ref=text_of(raw, fields.opportunity_ref),
        selling_entity=to_code(maps.entities, record.subsidiary),
        pricing_model=pricing_model(maps, schedule),
        billing_schedule=billing_lines(maps, schedule, currency),
        rate_card_id=text_of(raw, fields.rate_card_id),
        tax_profile=text_of(raw, fields.tax_profile),
        payment_terms=to_code(maps.terms, record.terms),
        revision=_revision(text_of(raw, fields.revision)),
        start=record.start_date,
        end=record.end_date,
        refs=refs_of(maps, "contract", record.id, record.external_id),
    )


def contract_of_row(maps: Maps, row: Row, value: Decimal) -> Contract:
    """A contract from a SuiteQL row and the sum of its lines; only a whole order has its schedule."""
    fields = maps.fields.contract
    changed = instant_of(row["changed"], maps.zone)
    return Contract(
        id=row["id"],
        version=version_of(changed),
        updated_at=changed,
        customer_id=row["entity"],
        status=_status(maps, row["status"][-1:]),
        value=shown(Money(value, to_code(maps.currencies, row.get("currency")))),
        name=row.get("memo", ""),
        number=row.get("tranid", ""),
        opportunity_ref=text_of(row, fields.opportunity_ref.lower()),
        selling_entity=to_code(maps.entities, row.get("subsidiary")),
        rate_card_id=text_of(row, fields.rate_card_id.lower()),
        tax_profile=text_of(row, fields.tax_profile.lower()),
        payment_terms=to_code(maps.terms, row.get("terms")),
        revision=_revision(text_of(row, fields.revision.lower())),
        refs=refs_of(maps, "contract", row["id"], row.get("externalid", "")),
    )


def _revision(text: str) -> int:
    return int(text) if text.isdigit() else 1
