"""The Salesforce stand-in's SOQL runner: from a parsed query to the rows of the answer."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from sandbox.salesforce.errors import bad_request
from sandbox.salesforce.records.org import Org, Record
from sandbox.salesforce.schema.fields import Field, SObject
from sandbox.salesforce.soql.conditions import resolve, test_of, value_at
from sandbox.salesforce.soql.parse import AGGREGATES, SHOWING, Column, Query, parse
from sandbox.salesforce.soql.rows import compound, shown_value
from sandbox.salesforce.soql.words import malformed, unknown_object, unknown_relation

MAX_OFFSET = 2000
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Found:
    """A query's whole result: how many, and the rows to page through (or a count alone)."""

    total: int
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Shown:
    """A column of plain rows: where its value stands, how it is shown, under which name."""

    walked: list[Field]
    end: Field
    function: str
    alias: str


def run(org: Org, text: str, base: str, user: Record | None = None, *, deleted: bool = False) -> Found:
    """The answer, for the user who asks. Raises: Refused."""
    return _Runner(org, base, user or {}, deleted=deleted).run(parse(text))


def column_values(org: Org, query: Query) -> list[Any]:
    """The only column of a query within a condition. Raises: Refused."""
    column = query.columns[0]
    if len(query.columns) > 1 or not isinstance(column, Column) or column.function:
        raise malformed(query.text, query.source_at, "Only one field is allowed in a semi join sub-select")
    made, records = _Runner(org, "", {}, deleted=False).records(query)
    walked, end = resolve(org, made, column, query.text)
    if end.type not in {"id", "reference"}:
        message = f"Semi join sub-selects can only query id fields, cannot use: '{end.name}'"
        raise malformed(query.text, column.at, message)
    return [value_at(org, record, walked, end) for record in records]


def is_grouped(query: Query) -> bool:
    return bool(query.group) or any(isinstance(c, Column) and c.function in AGGREGATES for c in query.columns)


class _Runner:
    def __init__(self, org: Org, base: str, user: Record, *, deleted: bool) -> None:
        self.org, self.base, self.user, self.deleted = org, base, user, deleted

    def run(self, query: Query) -> Found:
        first = query.columns[0]
        if isinstance(first, Column) and first.function == "COUNT" and not first.path and not query.group:
            if len(query.columns) > 1:
                raise malformed(query.text, first.at, "COUNT() must be the only element in a SELECT list")
            return Found(len(self.records(query)[1]), [])
        rows = self._grouped(query) if is_grouped(query) else self._plain(query)
        return Found(len(rows), rows)

    def records(self, query: Query, among: list[Record] | None = None) -> tuple[SObject, list[Record]]:
        """The records that a query's conditions, order and limits leave."""
        made = self.org.object(query.source)
        if made is None:
            raise unknown_object(query.text, query.source_at, query.source)
        if query.offset > MAX_OFFSET:
            raise bad_request("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        test = test_of(self.org, made, query.where, query.text)
        every = self.org.table(made.name).values() if among is None else among
        chosen = [r for r in every if (self.deleted or not r["IsDeleted"]) and test(r)]
        if not query.group:
            chosen = self._ordered(made, query, chosen)
            chosen = _cut(query, chosen)
        return made, chosen

    def _ordered(self, made: SObject, query: Query, records: list[Record]) -> list[Record]:
        for column, falling, nulls_last in reversed(query.order):
            walked, end = resolve(self.org, made, column, query.text)
            records = sorted(
                records,
                key=cmp_to_key(
                    lambda a, b, w=walked, e=end, f=falling, n=nulls_last: _order(
                        _ordering(e, value_at(self.org, a, w, e)),
                        _ordering(e, value_at(self.org, b, w, e)),
                        falling=f,
                        nulls_last=n,
                    )
                ),
            )
        return records

    def _plain(self, query: Query) -> list[dict[str, Any]]:
        made, records = self.records(query)
        plan = self._plan(made, query)
        return [self._row(made, record, plan) for record in records]

    def _plan(self, made: SObject, query: Query) -> list[Any]:
        """How a row is made, checked as a whole. Raises: Refused."""
        plan = [self._planned(made, query, column) for column in self._expanded(made, query)]
        names = Counter(_key(step) for step in plan)
        twice = next((name for name, count in names.items() if count > 1), None)
        if twice:
            raise malformed(query.text, query.source_at, f"duplicate field selected: {twice}")
        return plan

    def _expanded(self, made: SObject, query: Query) -> list[Any]:
        columns: list[Any] = []
        for column in query.columns:
            if isinstance(column, Column) and column.function == "FIELDS":
                kind = column.path[0].upper() if column.path else ""
                if kind != "STANDARD" and (query.limit is None or query.limit > 200):
                    raise malformed(
                        query.text,
                        column.at,
                        "The SOQL FIELDS function must have a LIMIT of at most 200",
                    )
                wanted = {"ALL": (True, False), "CUSTOM": (True,), "STANDARD": (False,)}.get(kind, ())
                columns += [Column((f.name,), column.at) for f in made.visible if f.custom in wanted]
            else:
                columns.append(column)
        return columns

    def _planned(self, made: SObject, query: Query, column: Any) -> Any:
        if isinstance(column, Query):
            return self._child(made, column)
        walked, end = resolve(self.org, made, column, query.text, SHOWING)
        if column.alias and not column.function:
            raise malformed(query.text, column.at, "only aggregate expressions use field aliasing")
        if column.function == "CONVERTCURRENCY" and end.type != "currency":
            raise malformed(query.text, column.at, f"convertCurrency() is of currency fields, not {end.name}")
        return Shown(walked, end, column.function, column.alias)

    def _child(self, made: SObject, query: Query) -> tuple[str, SObject, Field, Query]:
        wanted = query.source.lower()
        for child in self.org.objects.values():
            for reference in child.fields.values():
                if reference.target == made.name and (reference.children or "").lower() == wanted:
                    query.source = child.name
                    if is_grouped(query):
                        message = "only root queries support aggregate expressions"
                        raise malformed(query.text, query.source_at, message)
                    self.records(query, [])
                    return str(reference.children), child, reference, query
        raise unknown_relation(query.text, query.source_at, query.source)

    def _row(self, made: SObject, record: Record, plan: list[Any]) -> dict[str, Any]:
        row: dict[str, Any] = {"attributes": self._attributes(made, record)}
        for step in plan:
            if not isinstance(step, Shown):
                row[step[0]] = self._children(record, *step)
            elif step.alias:
                at = self._at_end(record, step.walked)
                row[step.alias] = self._value(at, step) if at else None
            else:
                self._put(row, record, step)
        return row

    def _at_end(self, record: Record | None, walked: list[Field]) -> Record | None:
        for reference in walked:
            target_id = record.get(reference.name) if record else None
            record = self.org.get(str(reference.target), target_id, deleted=True) if target_id else None
        return record

    def _value(self, record: Record, shown: Shown) -> Any:
        """Labels are the values themselves in this org; money is converted by the org's rates."""
        if shown.end.parts:
            return compound(record, shown.end)
        value = record.get(shown.end.name)
        if shown.function == "CONVERTCURRENCY" and value is not None:
            value = self._converted(value, str(record.get("CurrencyIsoCode")))
        return shown_value(value)

    def _converted(self, value: Decimal, currency: str) -> Decimal:
        rates = {row["IsoCode"]: Decimal(row["ConversionRate"]) for row in self.org.live("CurrencyType")}
        own = str(self.user.get("DefaultCurrencyIsoCode"))
        return value if own == currency else (Decimal(value) / rates[currency] * rates[own]).quantize(CENT)

    def _put(self, row: dict[str, Any], record: Record, shown: Shown) -> None:
        """One value into the row, within the nested objects of the parents on its way."""
        here, at = row, record
        for reference in shown.walked:
            target_id = at.get(reference.name)
            parent = self.org.get(str(reference.target), target_id, deleted=True) if target_id else None
            key = str(reference.relationship)
            if parent is None:
                here[key] = None
                return
            target = self.org.objects[str(reference.target)]
            here = here.setdefault(key, {"attributes": self._attributes(target, parent)})
            at = parent
        here[shown.end.name] = self._value(at, shown)

    def _children(
        self, record: Record, _name: str, child: SObject, reference: Field, query: Query
    ) -> dict[str, Any] | None:
        among = [r for r in self.org.table(child.name).values() if r.get(reference.name) == record["Id"]]
        _, records = self.records(query, among)
        if not records:
            return None
        plan = self._plan(child, query)
        rows = [self._row(child, r, plan) for r in records]
        return {"totalSize": len(rows), "done": True, "records": rows}

    def _attributes(self, made: SObject, record: Record) -> dict[str, str]:
        return {"type": made.name, "url": f"{self.base}/sobjects/{made.name}/{record['Id']}"}

    def _grouped(self, query: Query) -> list[dict[str, Any]]:
        made, records = self.records(query)
        keys = [resolve(self.org, made, column, query.text) for column in query.group]
        groups: dict[tuple[Any, ...], list[Record]] = {} if keys else {(): records}
        for record in records if keys else []:
            key = tuple(value_at(self.org, record, *k) for k in keys)
            groups.setdefault(key, []).append(record)
        rows = [self._group_row(made, query, members) for members in groups.values()]
        return _cut(query, self._ordered_groups(query, rows)) if query.group else rows

    def _ordered_groups(self, query: Query, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Groups in the order of columns that the query selects."""
        names = dict(zip(_names(query), query.columns, strict=True))
        for column, falling, nulls_last in reversed(query.order):
            wanted = (column.function, column.path)
            name = next(
                (n for n, c in names.items() if (c.function, c.path) == wanted or (n,) == column.path), None
            )
            if name is None:
                raise malformed(query.text, column.at, "Ordered field must be grouped or aggregated")
            rows = sorted(
                rows,
                key=cmp_to_key(
                    lambda a, b, n=name, f=falling, last=nulls_last: _order(
                        a[n], b[n], falling=f, nulls_last=last
                    )
                ),
            )
        return rows

    def _group_row(self, made: SObject, query: Query, members: list[Record]) -> dict[str, Any]:
        row: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
        for name, column in zip(_names(query), query.columns, strict=True):
            if column.function == "COUNT" and not column.path:
                row[name] = len(members)
                continue
            walked, end = resolve(self.org, made, column, query.text, AGGREGATES)
            if not column.function and _lower(column) not in {_lower(key) for key in query.group}:
                message = f"Field must be grouped or aggregated: {column.path[-1]}"
                raise malformed(query.text, column.at, message)
            values = [value_at(self.org, member, walked, end) for member in members]
            row[name] = _aggregate(column.function, [v for v in values if v is not None])
        return row


def _lower(column: Column) -> tuple[str, ...]:
    return tuple(step.lower() for step in column.path)


def _key(step: Any) -> str:
    """What a column of a plain row is called, its parents included."""
    if not isinstance(step, Shown):
        return step[0]
    return step.alias or ".".join([*(str(field.relationship) for field in step.walked), step.end.name])


def _names(query: Query) -> list[str]:
    """The columns' names in a grouped answer: alias, field, or expr0, expr1…"""
    names, unnamed = [], 0
    for column in query.columns:
        if not isinstance(column, Column):
            raise malformed(
                query.text, query.source_at, "Nested queries are not supported in grouped queries"
            )
        names.append(column.alias or (f"expr{unnamed}" if column.function else column.path[-1]))
        unnamed += bool(column.function and not column.alias)
    return names


def _aggregate(function: str, values: list[Any]) -> Any:
    if function == "COUNT":
        return len(values)
    if function == "COUNT_DISTINCT":
        return len(set(values))
    if not values:
        return None
    if function == "SUM":
        return shown_value(sum(values, Decimal(0)))
    if function == "AVG":
        return shown_value((sum(values, Decimal(0)) / len(values)).quantize(Decimal("0.000001")))
    return shown_value({"MIN": min, "MAX": max}[function](values) if function else values[0])


def _cut(query: Query, rows: list[Any]) -> list[Any]:
    return rows[query.offset :][: query.limit]


def _ordering(end: Field, value: Any) -> Any:
    """Texts sort without case, ids with it: as their comparison in a condition does."""
    return value.lower() if isinstance(value, str) and end.type not in {"id", "reference"} else value


def _order(a: Any, b: Any, *, falling: bool, nulls_last: bool) -> int:
    if a is None or b is None:
        if a is b:
            return 0
        return (1 if nulls_last else -1) if a is None else (-1 if nulls_last else 1)
    order = (a > b) - (a < b)
    return -order if falling else order
