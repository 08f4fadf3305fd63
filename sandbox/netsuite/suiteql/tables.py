"""The tables that SuiteQL sees: the account's records as rows, references as numbers, booleans as T and F."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.core import Account
from sandbox.netsuite.lists import LISTS
from sandbox.netsuite.money import dec, derived, tax_rate
from sandbox.netsuite.schema import TYPES, Field, RecordType, choices, fields_of
from sandbox.netsuite.store import Record, display, look_up, table, wall_time

NAMES = {
    name.lower(): name for name in TYPES if name not in {"salesOrder", "invoice", "serviceSaleItem"}
}  # fmt: skip
TRANSACTIONS = {"salesOrder": "SalesOrd", "invoice": "CustInvc"}
Row = dict[str, Any]
# A letter means different things on an order and an invoice, so these rows bring their text along.
TEXT = " text"


@dataclass(frozen=True)
class Table:
    """Columns by name; a column that came from a field keeps it, for its display text."""

    name: str
    columns: Mapping[str, tuple[RecordType, Field] | None]
    rows: list[Row]


def load(account: Account, name: str) -> Table | None:
    """The table of that name, or None."""
    if name == "transaction":
        return _transactions(account)
    if name == "transactionline":
        return _lines(account)
    if name == "deletedrecord":
        return _deleted(account)
    if name == "customersubsidiaryrelationship":
        return _relations(account)
    if name == "item":
        return _records(account, TYPES["serviceSaleItem"], name)
    return _records(account, TYPES[NAMES[name]], name) if name in NAMES else None


def shown(account: Account, source: tuple[RecordType, Field] | None, value: Any) -> Any:
    """BUILTIN.DF: a value as a person sees it."""
    if source is None or value is None:
        return value
    kind, each = source
    if each.kind == "enum":
        return choices(account, kind, each).get(str(value), value)
    if each.kind == "ref":
        found = look_up(account, each.target, str(value))
        return display(*found) if found else value
    return {"T": "Yes", "F": "No"}.get(value, value) if each.kind == "boolean" else value


def _columns(account: Account, kind: RecordType) -> dict[str, tuple[RecordType, Field] | None]:
    fields = fields_of(account, kind).values()
    return {
        each.name.lower(): (kind, each)
        for each in fields
        if each.kind != "address" and not each.name.startswith("custcol")
    }


def _records(account: Account, kind: RecordType, name: str) -> Table:
    whole = (derived(account, r) if kind.name == "customer" else r for r in table(account, kind).values())
    return Table(name, _columns(account, kind), [_row(account, kind, record) for record in whole])


def _relations(account: Account) -> Table:
    """Every customer's primary subsidiary, which has no record of its own here, and the secondary ones."""
    kind = TYPES["customerSubsidiaryRelationship"]
    stored = _records(account, kind, kind.name.lower())
    primary = [
        _row(
            account,
            kind,
            {
                "id": f"-{customer['id']}",
                "entity": {"id": customer["id"]},
                "subsidiary": customer["subsidiary"],
                "isPrimarySub": True,
            },
        )
        for customer in table(account, TYPES["customer"]).values()
    ]
    return Table(stored.name, stored.columns, [*primary, *stored.rows])


def _row(account: Account, kind: RecordType, record: Record) -> Row:
    fields = fields_of(account, kind).values()
    row = {
        each.name.lower(): cell(each, record.get(each.name), account)
        for each in fields
        if each.kind != "address"
    }
    if "isinactive" in row:
        row["isinactive"] = row["isinactive"] or "F"
    return row


def cell(each: Field, value: Any, account: Account) -> Any:  # noqa: PLR0911 - one line per kind of field
    """A stored value as SuiteQL computes with it."""
    if value is None or value == "":
        return None
    if each.kind in {"ref", "enum"}:
        return number_or_text(value["id"])
    if each.kind == "boolean":
        return "T" if value else "F"
    if each.kind == "date":
        return date.fromisoformat(value)
    if each.kind == "date-time":
        return wall_time(account, datetime.fromisoformat(value))
    if each.kind in {"number", "integer"}:
        return _number(value)
    return number_or_text(value) if each.name == "id" else value


def _number(value: Any) -> Any:
    """A raw record may have what is none."""
    try:
        return dec(value)
    except ArithmeticError:
        return str(value)


def number_or_text(value: Any) -> Any:
    text = str(value)
    return Decimal(text) if text.lstrip("-").isdigit() else text


def _transactions(account: Account) -> Table:
    columns: dict[str, tuple[RecordType, Field] | None] = {}
    rows = []
    for name, code in TRANSACTIONS.items():
        kind = TYPES[name]
        columns |= _columns(account, kind)
        for record in table(account, kind).values():
            base = (dec(record["total"]) * dec(record["exchangeRate"])).quantize(Decimal("0.01"))
            extra = {
                "type": code,
                "recordtype": name.lower(),
                "foreigntotal": dec(record["total"]),
                "total": base,
            }
            extra |= {"trandisplayname": display(kind, record)}
            status = record["status"]  # absent in a raw record that is odd
            extra[f"status{TEXT}"] = LISTS[f"{name}Status"][status["id"]] if status else None
            rows.append({**_row(account, kind, record), **extra})
    columns |= dict.fromkeys(("type", "recordtype", "foreigntotal", "total", "trandisplayname"))
    return Table("transaction", columns, rows)


def _lines(account: Account) -> Table:
    order = TYPES["salesOrder"].sublists["item"].fields
    invoice = TYPES["invoice"].sublists["item"].fields
    columns: dict[str, tuple[RecordType, Field] | None] = {
        name: (TYPES["salesOrder"], order[source])
        for name, source in (
            ("item", "item"),
            ("department", "department"),
            ("class", "class"),
            ("taxcode", "taxCode"),
        )
    }
    columns |= {"createdfrom": (TYPES["invoice"], invoice["orderDoc"])}
    columns |= dict.fromkeys(
        [
            "id",
            "transaction",
            "linesequencenumber",
            "quantity",
            "rate",
            "foreignamount",
            "netamount",
            "memo",
            "mainline",
            "taxline",
            "uniquekey",
            "isclosed",
            "quantitybilled",
            "entity",
            "subsidiary",
        ]
    )
    rows = [
        row
        for name in TRANSACTIONS
        for record in table(account, TYPES[name]).values()
        for row in _of(account, record)
    ]
    return Table("transactionline", columns, rows)


def _of(account: Account, record: Record) -> list[Row]:
    """A transaction's lines as the ledger has them: the main line, revenue negative, tax."""
    common = {
        "transaction": number_or_text(record["id"]),
        "entity": number_or_text(record["entity"]["id"]),
        "subsidiary": number_or_text(record["subsidiary"]["id"]),
    }
    main = {**common, "id": Decimal(0), "linesequencenumber": Decimal(0), "mainline": "T", "taxline": "F"}
    rows = [{**main, "foreignamount": dec(record["total"]), "memo": record.get("memo")}]
    rows += [_line(record, line, common) for line in record["item"]["items"]]
    for line in record["item"]["items"]:
        tax = dec(line["amount"]) * tax_rate(account, line) / 100
        if tax:
            place = Decimal(1000 + line["line"])
            rows.append({**common, "id": place, "mainline": "F", "taxline": "T", "foreignamount": -tax})
    return rows


def _line(record: Record, line: Record, common: Row) -> Row:
    amount, rate = dec(line["amount"]), dec(record["exchangeRate"])
    pointed = {
        name: number_or_text(line[source]["id"]) if line.get(source) else None
        for name, source in (
            ("item", "item"),
            ("department", "department"),
            ("class", "class"),
            ("taxcode", "taxCode"),
            ("createdfrom", "orderDoc"),
        )
    }
    return {
        **common,
        **pointed,
        "id": Decimal(line["line"]),
        "linesequencenumber": Decimal(line["line"]),
        "quantity": -dec(line["quantity"]),
        "rate": dec(line["rate"]) if line.get("rate") is not None else None,
        "foreignamount": -amount,
        "netamount": -(amount * rate).quantize(Decimal("0.01")),
        "memo": line.get("description"),
        "mainline": "F",
        "taxline": "F",
        "uniquekey": Decimal(line["lineUniqueKey"]),
        "isclosed": "T" if line.get("isClosed") else "F",
        "quantitybilled": dec(line["quantityBilled"]) if line.get("quantityBilled") is not None else None,
    }


def _deleted(account: Account) -> Table:
    columns: dict[str, tuple[RecordType, Field] | None] = dict.fromkeys(
        ("context", "deletedby", "deleteddate", "name", "recordtype", "recordid")
    )
    rows = [
        {
            **each,
            "context": "REST Web Services",
            "deletedby": Decimal(7),
            "deleteddate": wall_time(account, datetime.fromisoformat(each["deleteddate"])),
            "recordid": number_or_text(each["recordid"]),
        }
        for each in account.extra.get("deleted", [])
    ]
    return Table("deletedrecord", columns, rows)
