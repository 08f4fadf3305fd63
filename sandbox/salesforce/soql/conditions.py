"""The Salesforce stand-in's SOQL conditions, by the vendor's idea of null and of case."""

import re
from collections.abc import Callable, Collection
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.salesforce.errors import bad_request
from sandbox.salesforce.ids import full_id
from sandbox.salesforce.records.org import Org, Record
from sandbox.salesforce.records.values import read_datetime
from sandbox.salesforce.schema.fields import NUMERIC, TEXTUAL, Field, SObject
from sandbox.salesforce.soql.dates import span
from sandbox.salesforce.soql.parse import Column, Compare, DateWord, Joined, Query, parse_condition
from sandbox.salesforce.soql.words import Word, malformed, unknown_column, unknown_relation

Test = Callable[[Record], bool]


def holds(org: Org, made: SObject, record: Record, condition: str) -> bool:
    return test_of(org, made, parse_condition(condition), condition)(record)


def resolve(
    org: Org, made: SObject, column: Column, text: str, functions: Collection[str] = ()
) -> tuple[list[Field], Field]:
    """The references to walk and the field at their end, within a function of these. Raises: Refused."""
    if column.function and column.function not in functions:
        raise malformed(text, column.at, f"unexpected token: '{column.function}'")
    here, walked = made, []
    for step in column.path[:-1]:
        reference = here.parent(step)
        if reference is None or reference.target is None or reference.target not in org.objects:
            raise unknown_relation(text, column.at, step)
        walked.append(reference)
        here = org.objects[reference.target]
    found = here.find(column.path[-1]) if column.path else None
    if found is None:
        raise unknown_column(text, column.at, column.path[-1] if column.path else "", here.name)
    if column.function == "TOLABEL" and found.type not in {"picklist", "multipicklist"}:
        raise malformed(text, column.at, f"toLabel() is of picklists, not of the field {found.name}")
    return walked, found


def value_at(org: Org, record: Record | None, walked: list[Field], end: Field) -> Any:
    for reference in walked:
        target_id = record.get(reference.name) if record else None
        record = org.get(str(reference.target), target_id, deleted=True) if target_id else None
    return record.get(end.name) if record else None


def test_of(org: Org, made: SObject, condition: Any, text: str) -> Test:
    """The condition as a function of a record; names and types are checked now. Raises: Refused."""
    if condition is None:
        return lambda _record: True
    if isinstance(condition, Joined):
        tests = [test_of(org, made, part, text) for part in condition.parts]
        if condition.word == "NOT":
            return lambda record: not tests[0](record)
        joined = all if condition.word == "AND" else any
        return lambda record: joined(test(record) for test in tests)
    return _comparison(org, made, condition, text)


def _comparison(org: Org, made: SObject, compare: Compare, text: str) -> Test:
    walked, end = resolve(org, made, compare.column, text, {"TOLABEL"})
    _operator_fits(end, compare.sign)
    if (end.type == "textarea" and end.length > 255) or end.type == "address":
        raise bad_request("INVALID_FIELD", f"field '{end.name}' can not be filtered in a query call")
    check = value_test(org, end, compare.sign, compare.value)
    return lambda record: check(value_at(org, record, walked, end))


def _operator_fits(end: Field, sign: str) -> None:
    """Raises: Refused."""
    if sign in {"INCLUDES", "EXCLUDES"} and end.type != "multipicklist":
        message = f"INCLUDES or EXCLUDES operator only valid on multipicklist field, not {end.name}"
        raise bad_request("INVALID_QUERY_FILTER_OPERATOR", message)
    if sign == "LIKE" and end.type not in TEXTUAL - {"id", "reference"}:
        raise bad_request("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {end.type} field {end.name}")


def value_test(org: Org, end: Field, sign: str, wanted: Any) -> Callable[[Any], bool]:
    if isinstance(wanted, Query):
        from sandbox.salesforce.soql.run import column_values  # noqa: PLC0415 - queries hold conditions

        wanted = column_values(org, wanted)
    if sign in {"IN", "NOT IN"}:
        known = {_comparable(org, end, value) for value in wanted}
        return lambda value: (_comparable(org, end, value) in known) == (sign == "IN")
    if sign in {"INCLUDES", "EXCLUDES"}:
        return lambda value: _includes(value, wanted) == (sign == "INCLUDES")
    if sign == "LIKE":
        pattern = _like(str(wanted))
        return lambda value: value is not None and pattern.fullmatch(str(value)) is not None
    if isinstance(wanted, DateWord):
        return _in_span(org, end, sign, wanted)
    other = _comparable(org, end, wanted)
    return lambda value: _compared(_comparable(org, end, value), sign, other)


def _compared(value: Any, sign: str, other: Any) -> bool:
    if sign == "=":
        return value == other
    if sign == "!=":
        return value != other
    if value is None or other is None:
        return False
    return {"<": value < other, ">": value > other, "<=": value <= other, ">=": value >= other}[sign]


def _comparable(org: Org, end: Field, value: Any) -> Any:
    """A value, stored or literal, in a form that compares. Raises: Refused."""
    if value is None:
        return None
    if isinstance(value, DateWord):
        days = span(value.name, org.today())
        if days is None:
            raise bad_request("MALFORMED_QUERY", f"Bind variables only allowed in Apex code: {value.name}")
        value = days[0].isoformat()
    raw = value.text if isinstance(value, Word) else value
    try:
        return _typed(end, raw, literal=isinstance(value, Word))
    except (ValueError, TypeError, ArithmeticError) as problem:
        shown = {"currency": "double", "percent": "double"}.get(end.type, end.type)
        message = (
            f"value of filter criterion for field '{end.name}' must be of type {shown} and should not be "
            "enclosed in quotes"
        )
        raise bad_request("INVALID_FIELD", message) from problem


def _typed(end: Field, raw: Any, *, literal: bool) -> Any:
    if end.type in NUMERIC:
        return _as_number(raw, literal=literal)
    if end.type == "boolean":
        return _as_boolean(raw)
    if end.type == "date":
        return date.fromisoformat(raw)
    if end.type == "datetime":
        return read_datetime(raw)
    if end.type in {"id", "reference"}:
        return _as_id(end, raw, literal=literal)
    if literal or not isinstance(raw, str):
        raise TypeError(raw)
    return raw.lower()


def _as_number(raw: Any, *, literal: bool) -> Decimal:
    if literal or isinstance(raw, bool | str):
        raise TypeError(raw)
    return Decimal(raw)


def _as_id(end: Field, raw: Any, *, literal: bool) -> str:
    if literal or not isinstance(raw, str):
        raise TypeError(raw)
    known = full_id(raw)
    if known is None:
        raise bad_request("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {raw}", [end.name])
    return known


def _as_boolean(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise TypeError(raw)
    return raw


def _in_span(org: Org, end: Field, sign: str, wanted: DateWord) -> Callable[[Any], bool]:
    days = span(wanted.name, org.today())
    if days is None:
        raise bad_request("MALFORMED_QUERY", f"Bind variables only allowed in Apex code: {wanted.name}")
    first, last = days

    def within(value: Any) -> bool:
        if value is None:
            return sign == "!="
        day = (
            read_datetime(value).astimezone(org.zone).date()
            if end.type == "datetime"
            else date.fromisoformat(value)
        )
        inside = first <= day <= last
        return {
            "=": inside, "!=": not inside, "<": day < first, "<=": day <= last, ">": day > last,
            ">=": day >= first,
        }[sign]  # fmt: skip

    return within


def _like(pattern: str) -> re.Pattern[str]:
    parts = ("." if c == "_" else ".*" if c == "%" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _includes(value: Any, wanted: list[str]) -> bool:
    chosen = set(str(value or "").split(";"))
    return any(chosen.issuperset(w.split(";")) for w in wanted)
