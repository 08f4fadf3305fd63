"""The `q` filter of NetSuite's record lists: conditions on body fields, AND binding tighter than OR."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.core import Account
from sandbox.netsuite.problems import bad_query
from sandbox.netsuite.schema import Field, RecordType, fields_of
from sandbox.netsuite.store import Record

Test = Callable[[Record], bool]
TOKEN = re.compile(r'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|(\[[^\]]*\])|([^\s()]+))')
TEXT = {"CONTAIN", "IS", "START_WITH", "END_WITH"}
NUMBER = {"EQUAL", "GREATER", "GREATER_OR_EQUAL", "LESS", "LESS_OR_EQUAL", "BETWEEN", "WITHIN", "ANY_OF"}
DATE = {"AFTER", "BEFORE", "ON", "ON_OR_AFTER", "ON_OR_BEFORE"}
OPERATORS = {
    "string": TEXT,
    "duration": TEXT,
    "number": NUMBER,
    "integer": NUMBER,
    "boolean": {"IS"},
    "date": DATE,
    "date-time": DATE,
    "ref": {"ANY_OF", "WITHIN", "EQUAL", "IS"},
    "enum": {"ANY_OF", "WITHIN", "EQUAL", "IS"},
}


class Filter:
    """A parsed filter; `test` says whether a record is wanted. Raises: Refusal."""

    def __init__(self, account: Account, kind: RecordType, text: str) -> None:
        self._account = account
        self._fields = {**fields_of(account, kind), "id": Field("id", "integer")}
        self._tokens = _tokens(text)
        self._place = 0
        self.test = self._either()
        if self._place < len(self._tokens):
            raise _bad(f"Unexpected text in the query: {self._tokens[self._place][1]}")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._place += 1
        return token

    def _either(self) -> Test:
        parts = [self._both()]
        while self._peek() == ("word", "OR"):
            self._next()
            parts.append(self._both())
        return lambda record: any(part(record) for part in parts)

    def _both(self) -> Test:
        parts = [self._one()]
        while self._peek() == ("word", "AND"):
            self._next()
            parts.append(self._one())
        return lambda record: all(part(record) for part in parts)

    def _one(self) -> Test:
        kind, name = self._next()
        if kind == "open":
            inner = self._either()
            if self._next()[0] != "close":
                raise _bad("A closing bracket is missing in the query.")
            return inner
        each = self._fields.get(name)
        if kind != "word" or each is None:
            raise _bad(f"Invalid search query. Field '{name}' does not exist.")
        return self._condition(each, self._next()[1].upper())

    def _condition(self, each: Field, operator: str) -> Test:
        base, negated = operator, False
        if operator.endswith("_NOT"):
            base, negated = operator.removesuffix("_NOT"), True
        if base == "EMPTY":
            return lambda record: (record.get(each.name) in (None, "")) != negated
        if base not in OPERATORS.get(each.kind, set()):
            raise _bad(f"Operator '{operator}' cannot be used with field '{each.name}'.")
        values = self._values(base)
        test = self._compare(each, base, values)
        return lambda record: test(record.get(each.name)) != negated

    def _values(self, operator: str) -> list[str]:
        kind, text = self._next()
        if kind == "end":
            raise _bad("A value is missing in the query.")
        if kind == "list":
            return [part.strip().strip('"') for part in text[1:-1].split(",")]
        values = [text]
        if operator == "BETWEEN" and self._peek()[0] in {"word", "text"}:
            values.append(self._next()[1])
        return values

    def _compare(self, each: Field, operator: str, values: list[str]) -> Callable[[Any], bool]:
        if each.kind in {"string", "duration"}:
            return _text_test(operator, values[0].lower())
        if each.kind == "boolean":
            return lambda value: bool(value) == (values[0].lower() == "true")
        if each.kind in {"ref", "enum"}:
            return lambda value: bool(value) and value["id"] in values
        if each.kind in {"date", "date-time"}:
            return _date_test(operator, self._day(values[0]))
        try:
            return _number_test(operator, [Decimal(value) for value in values])
        except InvalidOperation as bad:
            raise _bad(f"Invalid number in the query: {values[0]}") from bad

    def _day(self, text: str) -> date:
        """A date in the account's own format."""
        form = "%Y-%m-%d" if self._account.settings.get("date_format") == "YYYY-MM-DD" else "%m/%d/%Y"
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a calendar day
        except ValueError as bad:
            raise _bad(f"Invalid date value '{text}'.") from bad


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    for match in TOKEN.finditer(text.strip()):
        opened, closed, quoted, listed, word = match.groups()
        if opened or closed:
            found.append(("open" if opened else "close", opened or closed))
        elif quoted is not None:
            found.append(("text", re.sub(r"\\(.)", r"\1", quoted)))
        else:
            found.append(("list", listed) if listed else ("word", word))
    return found


def _text_test(operator: str, wanted: str) -> Callable[[Any], bool]:
    tests: dict[str, Callable[[str], bool]] = {
        "CONTAIN": lambda text: wanted in text,
        "IS": lambda text: text == wanted,
        "START_WITH": lambda text: text.startswith(wanted),
        "END_WITH": lambda text: text.endswith(wanted),
    }
    return lambda value: tests[operator](str(value or "").lower())


def _number_test(operator: str, wanted: list[Decimal]) -> Callable[[Any], bool]:
    first = wanted[0]
    tests: dict[str, Callable[[Decimal], bool]] = {
        "EQUAL": lambda n: n == first,
        "GREATER": lambda n: n > first,
        "GREATER_OR_EQUAL": lambda n: n >= first,
        "LESS": lambda n: n < first,
        "LESS_OR_EQUAL": lambda n: n <= first,
        "BETWEEN": lambda n: first <= n <= wanted[-1],
        "WITHIN": lambda n: first <= n <= wanted[-1],
        "ANY_OF": lambda n: n in wanted,
    }
    return lambda value: value is not None and tests[operator](Decimal(str(value)))


def _date_test(operator: str, wanted: date) -> Callable[[Any], bool]:
    tests: dict[str, Callable[[date], bool]] = {
        "AFTER": lambda day: day > wanted,
        "BEFORE": lambda day: day < wanted,
        "ON": lambda day: day == wanted,
        "ON_OR_AFTER": lambda day: day >= wanted,
        "ON_OR_BEFORE": lambda day: day <= wanted,
    }
    return lambda value: bool(value) and tests[operator](date.fromisoformat(value[:10]))


def _bad(sentence: str) -> Exception:
    return bad_query("q", sentence)
