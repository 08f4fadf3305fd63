"""Saving in the NetSuite stand-in: create, change, upsert, delete, transform, each whole or not at all."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.core import Account
from sandbox.netsuite import push
from sandbox.netsuite.money import dec
from sandbox.netsuite.problems import Refusal, bad_query, invalid_value, user_error
from sandbox.netsuite.rules import NO_LINES, before_save, order_status
from sandbox.netsuite.schema import TYPES, RecordType, Sublist, fields_of
from sandbox.netsuite.store import Record, check_external_id, find, get, new_id, references_to, stamp, table
from sandbox.netsuite.values import Taking

TRANSFORMS = {("salesOrder", "invoice")}


@dataclass
class Manner:
    """How a save was asked for: validation modes, which sublists to replace, and by what way it came."""

    naming: str = "warning"
    valuing: str = "error"
    replace: frozenset[str] = frozenset()
    replace_selected: bool = False
    source: str = "restWebServices"
    unknown: list[str] = field(default_factory=list)


def create(
    account: Account, kind: RecordType, body: Any, manner: Manner, base: Record | None = None
) -> Record:
    """A new record, on top of `base` where a transform supplies one. Raises: Refusal."""
    record = copy.deepcopy(base or {})
    sent_lines = _apply(account, kind, record, body, manner)
    if record.get("externalId"):
        check_external_id(account, kind, record["externalId"])
    if kind.is_transaction:
        record["source"] = {"id": manner.source}
    before_save(account, kind, record, sent_lines)
    record["id"] = new_id(account, kind)
    record["createdDate" if kind.family in {"transaction", "item"} else "dateCreated"] = stamp(account)
    return _commit(account, kind, record, "create")


def update(account: Account, kind: RecordType, ident: str, body: Any, manner: Manner) -> Record:
    """The record with the sent fields changed. Raises: Refusal."""
    record = copy.deepcopy(get(account, kind, ident))
    unknown = manner.replace - set(kind.sublists) - set(fields_of(account, kind))
    if unknown:
        raise bad_query(
            "replace", f"Invalid value in the 'replace' query parameter: {', '.join(sorted(unknown))}."
        )
    sent_lines = _apply(account, kind, record, body, manner)
    if record.get("externalId"):
        check_external_id(account, kind, record["externalId"], record["id"])
    before_save(account, kind, record, sent_lines)
    return _commit(account, kind, record, "edit")


def upsert(account: Account, kind: RecordType, external_id: str, body: Any, manner: Manner) -> Record:
    """Create or change by external id; the answer does not tell which. Raises: Refusal."""
    sent = {**_object(body), "externalId": external_id}
    if find(account, kind, f"eid:{external_id}"):
        return update(account, kind, f"eid:{external_id}", sent, manner)
    return create(account, kind, sent, manner)


def delete(account: Account, kind: RecordType, ident: str) -> None:
    """Raises: Refusal, also where other records point here."""
    record = get(account, kind, ident)
    if any(references_to(account, kind, record["id"])):
        raise user_error("This record cannot be deleted because it has dependent records.")
    if kind.name == "invoice" and record.get("createdFrom"):
        _bill(account, record, -1)
    del table(account, kind)[record["id"]]
    account.extra.setdefault("deleted", []).append(
        {
            "recordtype": kind.name.lower(),
            "recordid": record["id"],
            "name": record.get("entityId", ""),
            "deleteddate": stamp(account),
        }
    )
    account.touch()
    push.tell(account, kind, record, "delete")


def transform(
    account: Account, kind: RecordType, ident: str, target: str, body: Any, manner: Manner
) -> Record:
    """A new record made from another: a sales order's open lines as an invoice. Raises: Refusal."""
    goal = next((t for t in TYPES.values() if t.name.lower() == target.lower()), None)
    if goal is None or (kind.name, goal.name) not in TRANSFORMS:
        raise Refusal(400, "USER_ERROR", f"Transformation from '{kind.name}' to '{target}' is not supported.")
    if ident.startswith("eid:"):
        raise Refusal(404)
    order = get(account, kind, ident)
    overrides = copy.deepcopy(_object(body))
    wanted = overrides.pop("item", None)
    if order_status(order) != "F":
        raise user_error(f"You can not initialize invoice: invalid reference {ident}.")
    base = _invoice_of(order, _open_lines(order, wanted))
    invoice = create(account, goal, overrides, manner, base)
    _bill(account, invoice, 1)
    return invoice


def _invoice_of(order: Record, lines: list[Record]) -> Record:
    carried = (
        "entity subsidiary currency exchangeRate memo terms otherRefNum job department class "
        "startDate endDate billingAddress"
    )
    base = {name: order[name] for name in carried.split() if order.get(name) is not None}
    base |= {name: value for name, value in order.items() if name.startswith("custbody")}
    return {**base, "createdFrom": {"id": order["id"]}, "item": {"items": lines}}


def _open_lines(order: Record, wanted: Any) -> list[Record]:
    """What is left to bill, or the quantities that the request asks for by `orderLine`. Raises: Refusal."""
    asked = {}
    for each in _items(wanted, "item") if wanted else []:
        asked[each.get("orderLine")] = each
    lines = []
    for line in order["item"]["items"]:
        left = dec(line["quantity"]) - dec(line.get("quantityBilled"))
        change = asked.get(line["line"], {}) if asked else {}
        if line.get("isClosed") or left <= 0 or (asked and line["line"] not in asked):
            continue
        quantity = dec(change.get("quantity", left))
        if quantity > left:
            raise invalid_value("item.items.quantity")
        carried = {
            k: v
            for k, v in line.items()
            if k in {"item", "rate", "description", "department", "class", "taxCode", "job"}
        }
        amount = dec(line["amount"]) * quantity / dec(line["quantity"])
        extra = {
            "orderDoc": {"id": order["id"]},
            "orderLine": line["line"],
            "quantity": quantity,
            "amount": amount,
        }
        lines.append({**carried, **extra, "line": len(lines) + 1})
    if not lines:
        raise user_error(NO_LINES)
    return lines


def _bill(account: Account, invoice: Record, sign: int) -> None:
    """Count an invoice's lines as billed on its order (or, taken back, as not)."""
    order = table(account, TYPES["salesOrder"])[invoice["createdFrom"]["id"]]
    by_line = {line["line"]: line for line in order["item"]["items"]}
    for line in invoice["item"]["items"]:
        source = by_line.get(line.get("orderLine"))
        if source:
            source["quantityBilled"] = dec(source["quantityBilled"]) + sign * dec(line["quantity"])
    order["status"] = {"id": order_status(order)}
    order["lastModifiedDate"] = stamp(account)
    push.tell(account, TYPES["salesOrder"], order, "edit")


def _commit(account: Account, kind: RecordType, record: Record, action: str) -> Record:
    record["lastModifiedDate"] = stamp(account)
    table(account, kind)[record["id"]] = record
    account.touch()
    push.tell(account, kind, record, action)
    return record


def _apply(
    account: Account, kind: RecordType, record: Record, body: Any, manner: Manner
) -> dict[int, set[str]]:
    """Lay the sent body over the record; returns which fields of which lines were sent. Raises: Refusal."""
    sent = _object(body)
    taking = Taking(account, kind, manner.naming, manner.valuing, manner.unknown)
    plain = {name: value for name, value in sent.items() if name not in kind.sublists}
    for name, value in taking.take(fields_of(account, kind), plain).items():
        if value is None:
            record.pop(name, None)
        elif isinstance(record.get(name), dict) and "id" not in value:
            record[name] = {**record[name], **value}
        else:
            record[name] = value
    for name in manner.replace if manner.replace_selected else ():
        if name not in sent:
            record.pop(name, None)
    sent_lines: dict[int, set[str]] = {}
    for name, sublist in kind.sublists.items():
        if name in sent:
            merged = _merge(
                account, taking, sublist, record.get(name), sent[name], replace=name in manner.replace
            )
            record[name] = {"items": [line for line, _ in merged]}
            sent_lines |= {index: fields for index, (_, fields) in enumerate(merged) if name == "item"}
    return sent_lines


def _merge(
    account: Account, taking: Taking, sublist: Sublist, current: Record | None, sent: Any, *, replace: bool
) -> list[tuple[Record, set[str]]]:
    """Lines matched by their key are changed, the others appended; with `replace`, lines not sent go."""
    lines = [(copy.deepcopy(line), set[str]()) for line in (current or {}).get("items", [])]
    if sent is None or (isinstance(sent, dict) and sent.get("items", ...) is None):
        return []
    by_key = {_key(sublist, line): place for place, (line, _) in enumerate(lines)}
    touched: list[int] = []
    for index, item in enumerate(_items(sent, sublist.name)):
        fields = _line_fields(taking, sublist)
        taken = taking.take(fields, item, f"{sublist.name}.items[{index}].")
        place = by_key.get(_sent_key(sublist, item, taken))
        if place is None:
            lines.append(({}, set()))
            place = len(lines) - 1
        _lay(lines[place][0], taken)
        lines[place][1].update(taken)
        touched.append(place)
    written = [lines[place] for place in dict.fromkeys(touched)] if replace else lines
    _give_keys(account, sublist, [line for line, _ in written])
    return written


def _line_fields(taking: Taking, sublist: Sublist) -> Mapping[str, Any]:
    """A line's own columns, and the account's custom ones for it."""
    custom = {n: f for n, f in fields_of(taking.account, taking.kind).items() if n.startswith("custcol")}
    return {**sublist.fields, **custom}


def _lay(line: Record, taken: Record) -> None:
    for name, value in taken.items():
        if value is None:
            line.pop(name, None)
        elif isinstance(line.get(name), dict) and isinstance(value, dict) and "id" not in value:
            line[name] = {name: part for name, part in {**line[name], **value}.items() if part is not None}
        else:
            line[name] = value


def _key(sublist: Sublist, line: Record) -> str | None:
    value = line.get(sublist.key)
    return value["id"] if isinstance(value, dict) else None if value is None else str(value)


def _sent_key(sublist: Sublist, item: Record, taken: Record) -> str | None:
    if sublist.key == "id":
        value = item.get("id", item.get("internalId", item.get("addressId")))
        return None if value is None else str(value)
    return _key(sublist, taken)


def _give_keys(account: Account, sublist: Sublist, lines: list[Record]) -> None:
    if sublist.key == "currency":
        return
    for line in lines:
        if line.get(sublist.key) is None:
            if sublist.key == "id":
                line["id"] = 500 + account.next_number("address")
            else:
                line[sublist.key] = 1 + max((other.get(sublist.key) or 0 for other in lines), default=0)


def _items(sent: Any, name: str) -> list[Record]:
    items = sent.get("items", []) if isinstance(sent, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid_value(name)
    return items


def _object(body: Any) -> Record:
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise Refusal(
            400, "INVALID_CONTENT", "Invalid content in the request body. A JSON object is expected."
        )
    return body
