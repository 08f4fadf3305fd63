"""What NetSuite insists on before it saves: mandatory fields, OneWorld, defaults, sums."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from sandbox.core import Account
from sandbox.netsuite.money import check_payable, dec, exchange_rate, line_amounts, totals
from sandbox.netsuite.problems import Refusal, invalid_reference, invalid_value, missing_values, user_error
from sandbox.netsuite.schema import TYPES, RecordType, fields_of, label_of
from sandbox.netsuite.store import Record, table

REQUIRED = {
    "customer": ("subsidiary",),
    "salesOrder": ("entity",),
    "invoice": ("entity",),
    "billingSchedule": ("name",),
    "job": ("companyName", "parent", "subsidiary"),
    "contact": ("subsidiary",),
    "employee": ("firstName", "lastName", "subsidiary"),
    "term": ("name",),
    "subsidiary": ("name", "currency", "country"),
    "customerSubsidiaryRelationship": ("entity", "subsidiary"),
    "currency": ("name", "symbol", "exchangeRate"),
    "serviceSaleItem": ("itemId",),
    "salesTaxItem": ("itemId", "rate"),
    "department": ("name",),
    "classification": ("name",),
}
NUMBERED = {
    "customer": "CUST",
    "job": "PRJ",
    "contact": "CON",
    "employee": "EMP",
    "salesOrder": "SO",
    "invoice": "INV",
}
NO_LINES = "You must enter at least one line item for this transaction."


def before_save(account: Account, kind: RecordType, record: Record, sent_lines: dict[int, set[str]]) -> None:
    """Complete a record, or refuse it; `sent_lines` are the fields sent, by the line's index."""
    _required(account, kind, record)
    if kind.name in NUMBERED:
        _number(account, kind, record)
    if kind.is_transaction:
        _transaction(account, record, sent_lines)
    check = CHECKS.get(kind.name)
    if check:
        check(account, record)


def _required(account: Account, kind: RecordType, record: Record) -> None:
    names = [*_naming(kind, record), *REQUIRED[kind.name]]
    fields = fields_of(account, kind)
    names += [name for name, each in fields.items() if each.required and name not in names]
    missing = [
        label_of(kind, fields[name]) for name in names if name in fields and record.get(name) in (None, "")
    ]
    if missing:
        raise missing_values(missing)


def _naming(kind: RecordType, record: Record) -> tuple[str, ...]:
    if kind.name == "customer":
        return ("firstName", "lastName") if record.get("isPerson") else ("companyName",)
    return ("lastName",) if kind.name == "contact" and not record.get("entityId") else ()


def _number(account: Account, kind: RecordType, record: Record) -> None:
    """Auto-numbering fills the name or number that was not sent, so two firms of one name may both exist."""
    name = "tranId" if kind.is_transaction else "entityId"
    shelf = table(account, kind).values()
    if not record.get(name):
        digits = 4 if kind.is_transaction else 5
        record[name] = f"{NUMBERED[kind.name]}{account.next_number(f'{name} {kind.name}'):0{digits}d}"
    elif name == "entityId" and any(
        r["entityId"] == record[name] and r["id"] != record.get("id") for r in shelf
    ):
        raise user_error("This entity already exists.")


def _customer(account: Account, record: Record) -> None:
    subsidiary = table(account, TYPES["subsidiary"])[record["subsidiary"]["id"]]
    if subsidiary.get("isInactive"):
        raise invalid_reference(subsidiary["id"], "subsidiary", "subsidiary")
    record.setdefault("currency", dict(subsidiary["currency"]))
    record.setdefault("isPerson", False)
    record.setdefault("entityStatus", {"id": "13"})
    listed = record.setdefault("currencyList", {"items": []})["items"]
    if not any(line["currency"] == record["currency"] for line in listed):
        listed.insert(0, {"currency": dict(record["currency"])})
    if record.get("creditLimit") is not None and dec(record["creditLimit"]) < 0:
        raise invalid_value("creditLimit")
    check_payable(account, record.get("creditLimit"), record["currency"]["id"], "creditLimit")
    if record.get("email") and "@" not in record["email"]:
        raise invalid_value("email")
    _addresses(record)


def _addresses(record: Record) -> None:
    for line in (record.get("addressBook") or {}).get("items", []):
        address = line.get("addressBookAddress") or {}
        first = record.get("companyName", "")
        parts = [address.get(name) for name in ("addr1", "addr2", "city", "state", "zip")]
        country = (address.get("country") or {}).get("id")
        text = "\n".join(str(part) for part in [address.get("addressee", first), *parts, country] if part)
        address["addrText"] = line["addressBookAddress_text"] = text


def _transaction(account: Account, record: Record, sent_lines: dict[int, set[str]]) -> None:
    customer = table(account, TYPES["customer"]).get(record["entity"]["id"])
    if customer is None:
        project = table(account, TYPES["job"]).get(record["entity"]["id"], {})
        customer = table(account, TYPES["customer"]).get((project.get("parent") or {}).get("id", ""))
    if customer is None:
        raise invalid_reference(record["entity"]["id"], "entity", "entity")
    is_new, is_transformed = "id" not in record, bool(record.get("createdFrom"))
    if customer.get("isInactive") and is_new and not is_transformed:
        raise invalid_reference(record["entity"]["id"], "entity", "entity")
    _one_world(account, record, customer)
    currency_id = record["currency"]["id"]
    if record.get("exchangeRate") is None:
        record["exchangeRate"] = exchange_rate(account, currency_id, record["subsidiary"]["id"])
    record.setdefault("tranDate", account.clock.now().date().isoformat())
    if customer.get("terms"):
        record.setdefault("terms", dict(customer["terms"]))
    _lines(account, record, sent_lines)
    totals(account, record)


def subsidiaries_of(account: Account, customer: Record) -> list[str]:
    """The customer's primary subsidiary, and its secondary ones."""
    relations = table(account, TYPES["customerSubsidiaryRelationship"]).values()
    others = (each["subsidiary"]["id"] for each in relations if each["entity"]["id"] == customer["id"])
    return list(dict.fromkeys((customer["subsidiary"]["id"], *others)))


def _one_world(account: Account, record: Record, customer: Record) -> None:
    """A customer buys from its subsidiaries, by default the primary one, in the currencies on its list."""
    own = subsidiaries_of(account, customer)
    subsidiary = record.setdefault("subsidiary", {"id": own[0]})["id"]
    if subsidiary not in own:
        raise invalid_reference(subsidiary, "subsidiary", "subsidiary")
    currency = record.setdefault("currency", dict(customer["currency"]))["id"]
    if currency not in {line["currency"]["id"] for line in customer["currencyList"]["items"]}:
        raise invalid_reference(currency, "currency", "currency")


def _lines(account: Account, record: Record, sent_lines: dict[int, set[str]]) -> None:
    lines = record.get("item", {}).get("items", [])
    if not lines:
        raise user_error(NO_LINES)
    for index, line in enumerate(lines):
        if not line.get("item"):
            raise Refusal(
                400,
                "USER_ERROR",
                "Error while accessing a resource. Please enter value(s) for: Item.",
                errorPath=f"item.items[{index}]",
            )
        item = table(account, TYPES["serviceSaleItem"])[line["item"]["id"]]
        if item.get("isInactive"):
            raise invalid_reference(item["id"], "item", f"item.items[{index}].item")
        line.setdefault(
            "description", item.get("salesDescription") or item.get("displayName") or item["itemId"]
        )
        if line.get("rate") is None and line.get("amount") is None and item.get("rate") is not None:
            line["rate"] = item["rate"]
        currency_id, sent = record["currency"]["id"], sent_lines.get(index, set())
        if "amount" in sent:
            check_payable(account, line.get("amount"), currency_id, f"item.items[{index}].amount")
        line_amounts(account, line, currency_id, sent)
        line.setdefault("lineUniqueKey", account.next_number("line"))


def _sales_order(_account: Account, record: Record) -> None:
    record.setdefault("orderStatus", {"id": "B"})
    lines = record["item"]["items"]
    for line in lines:
        line.setdefault("quantityBilled", 0)
        line.setdefault("isClosed", False)
    record["status"] = {"id": order_status(record)}
    _dates_in_order(record)


def order_status(record: Record) -> str:
    """Services are not fulfilled: an approved order waits for billing, then is billed."""
    chosen = record["orderStatus"]["id"]
    lines = record["item"]["items"]
    if chosen != "B":
        return chosen
    if all(line.get("isClosed") for line in lines):
        return "H"
    billed = all(
        dec(line.get("quantityBilled")) >= dec(line["quantity"]) or line.get("isClosed") for line in lines
    )
    return "G" if billed else "F"


def _dates_in_order(record: Record) -> None:
    if record.get("startDate") and record.get("endDate") and record["endDate"] < record["startDate"]:
        raise user_error("The end date must be on or after the start date.")


def _invoice(account: Account, record: Record) -> None:
    record.setdefault("approvalStatus", {"id": "2"})
    record.setdefault("amountPaid", dec(0))
    record["amountRemaining"] = record["total"] - dec(record["amountPaid"])
    record["status"] = {"id": "A" if record["amountRemaining"] else "B"}
    if not record.get("dueDate"):
        terms = table(account, TYPES["term"]).get((record.get("terms") or {}).get("id", ""), {})
        due = date.fromisoformat(record["tranDate"]) + timedelta(days=int(terms.get("daysUntilNetDue", 0)))
        record["dueDate"] = due.isoformat()


def _billing_schedule(_account: Account, record: Record) -> None:
    for name, value in (("scheduleType", "STD"), ("frequency", "MONTHLY"), ("repeatEvery", "1")):
        record.setdefault(name, {"id": value})
    record.setdefault("inArrears", False)
    record.setdefault("isPublic", True)


def _relationship(account: Account, record: Record) -> None:
    """A customer's secondary subsidiary; the primary one stands on the customer itself."""
    customer = table(account, TYPES["customer"])[record["entity"]["id"]]
    relations = table(account, TYPES["customerSubsidiaryRelationship"]).values()
    others = [
        each["subsidiary"]["id"]
        for each in relations
        if each["entity"]["id"] == customer["id"] and each["id"] != record.get("id")
    ]
    if record.get("isPrimarySub") or record["subsidiary"]["id"] in (customer["subsidiary"]["id"], *others):
        raise invalid_reference(record["subsidiary"]["id"], "subsidiary", "subsidiary")
    record["isPrimarySub"] = False
    record["primaryCurrency"] = dict(customer["currency"])


def _job(account: Account, record: Record) -> None:
    parent: dict[str, Any] = table(account, TYPES["customer"])[record["parent"]["id"]]
    record.setdefault("currency", dict(parent["currency"]))
    record.setdefault("entityStatus", {"id": "2"})


CHECKS: dict[str, Callable[[Account, Record], None]] = {
    "customer": _customer,
    "salesOrder": _sales_order,
    "invoice": _invoice,
    "billingSchedule": _billing_schedule,
    "job": _job,
    "customerSubsidiaryRelationship": _relationship,
}
