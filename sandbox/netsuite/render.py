"""How the NetSuite stand-in shows a record: links, references with their text, sublists short or whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.core import Account
from sandbox.netsuite.money import derived
from sandbox.netsuite.problems import Refusal
from sandbox.netsuite.schema import SUBRECORDS, Field, RecordType, Sublist, choices, fields_of
from sandbox.netsuite.store import Record, display, look_up

ROOT = "/services/rest/record/v1"


@dataclass
class View:
    """One reading of one record; `origin` is scheme and host as the caller wrote them."""

    account: Account
    kind: RecordType
    origin: str
    expand: bool = False
    simple_enums: bool = False
    only: frozenset[str] = frozenset()

    def record(self, record: Record, href: str) -> Record:
        whole = derived(self.account, record) if self.kind.name == "customer" else record
        shown = self.fields(fields_of(self.account, self.kind), whole, href)
        for name, sublist in self.kind.sublists.items():
            if self.expand:
                shown[name] = self.sublist(sublist, whole.get(name), f"{href}/{name}")
            else:
                shown[name] = {"links": [_self(f"{href}/{name}")]}
        if self.only:
            shown = {name: value for name, value in shown.items() if name in self.only | {"id"}}
        return {"links": [_self(href)], **dict(sorted(shown.items()))}

    def fields(self, fields: Mapping[str, Field], record: Record, href: str) -> Record:
        """The fields that have a value; the others are left out, as there."""
        shown = {}
        for name, each in fields.items():
            value = record.get(name)
            if value is None or value == "" or name.startswith("custcol"):
                continue
            if each.kind in SUBRECORDS:
                shown[name] = self._subrecord(each, value, f"{href}/{name}")
            else:
                shown[name] = self._value(each, value)
        return shown

    def _subrecord(self, each: Field, value: Record, href: str) -> Record:
        links = {"links": [_self(href)]}
        return {**links, **self.fields(SUBRECORDS[each.kind], value, href)} if self.expand else links

    def _value(self, each: Field, value: Any) -> Any:
        if each.kind == "enum":
            ident = value["id"]
            if self.simple_enums:
                return ident
            return {
                "links": [],
                "id": ident,
                "refName": choices(self.account, self.kind, each).get(ident, ident),
            }
        if each.kind == "ref":
            return self._reference(each, value["id"])
        return value

    def _reference(self, each: Field, ident: str) -> Record:
        found = look_up(self.account, each.target, ident)
        if found is None:
            return {"links": [], "id": ident}
        kind, record = found
        return {
            "links": [_self(f"{self.origin}{ROOT}/{kind.name}/{ident}")],
            "id": ident,
            "refName": display(kind, record),
        }

    def sublist(self, sublist: Sublist, stored: Record | None, href: str) -> Record:
        lines = (stored or {}).get("items", [])
        items = [self.line(sublist, line, f"{href}/{line_key(sublist, line)}") for line in lines]
        return {"links": [_self(href)], "items": items, "totalResults": len(items)}

    def line(self, sublist: Sublist, line: Record, href: str) -> Record:
        custom = {n: f for n, f in fields_of(self.account, self.kind).items() if n.startswith("custcol")}
        shown = self.fields(sublist.fields, line, href)
        shown |= {n: self._value(f, line[n]) for n, f in custom.items() if line.get(n) is not None}
        if sublist.key == "id":
            shown |= {"id": line["id"], "internalId": line["id"], "addressId": str(line["id"])}
        return {"links": [_self(href)], **dict(sorted(shown.items()))}


def line_key(sublist: Sublist, line: Record) -> str:
    value = line.get(sublist.key)
    return str(value["id"] if isinstance(value, dict) else value)


def part(view: View, record: Record, path: list[str], href: str) -> Record:
    """A record's sub-resource: `item`, `item/1`, `addressBook/501/addressBookAddress`. Raises: Refusal."""
    name, *rest = path
    sublist = view.kind.sublists.get(name)
    if sublist is None:
        each = fields_of(view.account, view.kind).get(name)
        if each is None or each.kind not in SUBRECORDS or rest or not record.get(name):
            raise Refusal(404)
        return {"links": [_self(href)], **view.fields(SUBRECORDS[each.kind], record[name], href)}
    if not rest:
        return view.sublist(sublist, record.get(name), href)
    lines = (record.get(name) or {}).get("items", [])
    line = next((each for each in lines if line_key(sublist, each) == rest[0]), None)
    if line is None:
        raise Refusal(404)
    if len(rest) == 1:
        return view.line(sublist, line, href)
    if rest[1:] != [sublist.subrecord] or not line.get(sublist.subrecord):
        raise Refusal(404)
    return {"links": [_self(href)], **view.fields(SUBRECORDS["address"], line[sublist.subrecord], href)}


def _self(href: str) -> dict[str, str]:
    return {"rel": "self", "href": href, "method": "GET"}
