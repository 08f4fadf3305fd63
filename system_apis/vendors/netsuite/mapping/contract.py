"""system_apis: a contract to and from NetSuite's sales order."""

from functools import partial

from contracts.canonical import currencies
from contracts.canonical.contract import Contract, ContractDraft, ContractLine, ContractStatus
from contracts.canonical.values import Money
from system_apis.connector.codes import known_code
from system_apis.connector.erp import own_fields, own_values
from system_apis.connector.refusals import check_lengths, payable
from system_apis.connector.values import second_of
from system_apis.vendors.netsuite.mapping.lengths import contract_texts
from system_apis.vendors.netsuite.mapping.schedule import billing_lines, pricing_model
from system_apis.vendors.netsuite.mapping.values import (
    currency_of,
    custom_fields,
    point,
    refs_of,
    text_of,
    to_code,
    to_id,
)
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from system_apis.vendors.netsuite.records import NetSuiteOrder, NetSuiteSchedule, Raw

_STATUSES: dict[str, ContractStatus] = {"A": "draft", "C": "closed", "H": "closed"}
_STATUSES |= dict.fromkeys("BDEFG", "active")  # pending fulfilment or billing, in part or whole, and billed


def order_body(profile: NetSuiteProfile, draft: ContractDraft) -> Raw:
    """What a contract is at NetSuite, every line open, as yet without a billing schedule.

    Raises VendorRejected where the profile does not map a code, a text is too long or an amount too fine.
    """
    check_lengths(contract_texts(draft), profile.name)
    body: Raw = {
        **profile.defaults.contract,
        "entity": point(draft.customer_id),
        "subsidiary": to_id(profile, "entities", draft.selling_entity, "selling_entity"),
        "currency": to_id(profile, "currencies", draft.value.currency, "value/currency"),
        "terms": to_id(profile, "terms", draft.payment_terms, "payment_terms"),
        "memo": draft.name,
        "startDate": draft.start.isoformat(),
        "endDate": draft.end.isoformat(),
        "billingSchedule": None,
        "item": {
            "items": [_line(profile, draft, number, line) for number, line in enumerate(draft.lines, 1)]
        },
    }
    body |= own_fields(profile.fields.contract, draft)
    return body | custom_fields(profile.required_custom.contract, draft, draft.custom, profile)


def _line(profile: NetSuiteProfile, draft: ContractDraft, number: int, line: ContractLine) -> Raw:
    at = f"lines/{number - 1}"
    body: Raw = {
        **profile.defaults.contract_line,
        "line": number,
        "item": to_id(profile, "items", line.service_line, f"{at}/service_line"),
        "quantity": line.quantity,
        "amount": payable(line.amount, f"{at}/amount", profile.name),
        "description": line.description,
        "isClosed": False,
    }
    if profile.tax_codes:
        code = line.tax_code or draft.tax_profile
        body["taxCode"] = to_id(profile, "tax_codes", code, f"{at}/tax_code")
    return body | custom_fields(profile.required_custom.contract_line, line, {}, profile)


def closing_body(record: NetSuiteOrder) -> Raw:
    """The change that closes every line: NetSuite's way to call an order off without deleting it."""
    return {"item": {"items": [{"line": line.line, "isClosed": True} for line in record.item.items]}}


def is_closed(record: NetSuiteOrder) -> bool:
    return _STATUSES.get(record.status.id) == "closed"


def contract(
    profile: NetSuiteProfile, record: NetSuiteOrder, raw: Raw, schedule: NetSuiteSchedule | None
) -> Contract:
    """A contract from its whole order and schedule; `raw` is the order with the account's own fields."""
    currency = currency_of(profile, record.currency)
    return Contract(
        id=record.id,
        version=second_of(record.last_modified_date),
        updated_at=record.last_modified_date,
        customer_id=record.entity.id,
        status=known_code(_STATUSES, record.status.id, "a sales order", profile.name),
        value=currencies.shown(Money(record.subtotal, currency)),
        name=record.memo,
        number=record.tran_id,
        selling_entity=to_code(profile.entities, record.subsidiary),
        pricing_model=pricing_model(profile, schedule),
        billing_schedule=billing_lines(profile, schedule, currency),
        payment_terms=to_code(profile.terms, record.terms),
        start=record.start_date,
        end=record.end_date,
        refs=refs_of(profile, "contract", record.id, record.external_id),
        **own_values(profile.fields.contract, partial(text_of, raw)),
    )
