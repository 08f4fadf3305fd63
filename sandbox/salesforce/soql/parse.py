"""The Salesforce stand-in's SOQL parser: words into a query's parts."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.salesforce.soql.words import Word, cut, malformed, not_imitated, unquote

AGGREGATES = {"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"}
SHOWING = {"TOLABEL", "CONVERTCURRENCY"}
"""Functions that show one record's value otherwise."""
KINDS_OF_FIELDS = {"ALL", "CUSTOM", "STANDARD"}
FUNCTIONS_NOT_IMITATED = {
    "FORMAT", "CONVERTTIMEZONE", "DISTANCE", "GEOLOCATION", "GROUPING", "ROLLUP", "CUBE", "CALENDAR_MONTH",
    "CALENDAR_QUARTER", "CALENDAR_YEAR", "DAY_IN_MONTH", "DAY_IN_WEEK", "DAY_IN_YEAR", "DAY_ONLY",
    "FISCAL_MONTH", "FISCAL_QUARTER", "FISCAL_YEAR", "HOUR_IN_DAY", "WEEK_IN_MONTH", "WEEK_IN_YEAR",
}  # fmt: skip
CLAUSES_NOT_IMITATED = {"TYPEOF", "WITH", "HAVING", "FOR", "UPDATE", "ALL"}
COMPARISONS = {"=", "!=", "<>", "<", ">", "<=", ">="}
ENDS = {
    "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "ALL", "WITH", "USING", "UPDATE",
    "AND", "OR", "NOT", "ASC", "DESC", "NULLS",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A field, perhaps of a parent, perhaps within a function."""

    path: tuple[str, ...]
    at: int
    function: str = ""
    alias: str = ""


@dataclass(frozen=True)
class DateWord:
    """TODAY, LAST_N_DAYS:7 and their like."""

    name: str


@dataclass(frozen=True)
class Compare:
    column: Column
    sign: str
    value: Any


@dataclass(frozen=True)
class Joined:
    """Conditions under one word: AND, OR, NOT."""

    word: str
    parts: tuple[Any, ...]


@dataclass
class Query:
    text: str
    source: str = ""
    source_at: int = 0
    columns: list[Any] = field(default_factory=list)
    where: Any = None
    group: list[Column] = field(default_factory=list)
    order: list[tuple[Column, bool, bool]] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0


def parse(text: str) -> Query:
    """Raises: Refused."""
    reader = _Reader(text)
    query = reader.query()
    reader.expect_end()
    return query


def parse_condition(text: str) -> Any:
    """A condition by itself, as the firm's validation rules have it. Raises: Refused."""
    reader = _Reader(text)
    condition = reader.condition()
    reader.expect_end()
    return condition


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.words = cut(text)
        self.next = 0

    @property
    def word(self) -> Word:
        return self.words[self.next]

    def take(self) -> Word:
        self.next += 1
        return self.words[self.next - 1]

    def took(self, *words: str) -> bool:
        if self.word.is_(*words):
            self.next += 1
            return True
        return False

    def need(self, *words: str) -> None:
        if not self.took(*words):
            raise self.unexpected()

    def unexpected(self) -> Exception:
        if self.word.kind == "end":
            return malformed(self.text, self.word.at, "unexpected end of query")
        return malformed(self.text, self.word.at, f"unexpected token: '{self.word.text}'")

    def expect_end(self) -> None:
        if self.word.kind != "end":
            raise self.unexpected()

    def name(self) -> Word:
        if self.word.kind != "name":
            raise self.unexpected()
        return self.take()

    def number(self) -> int:
        if self.word.kind != "number" or not self.word.text.isdigit():
            raise self.unexpected()
        return int(self.take().text)

    def query(self) -> Query:
        self.need("SELECT")
        query = Query(self.text)
        query.columns.append(self.item())
        while self.took(","):
            query.columns.append(self.item())
        self.need("FROM")
        source = self.name()
        query.source, query.source_at = source.text, source.at
        alias = self._source_alias()
        self._clauses(query)
        return _without_alias(query, alias) if alias else query

    def _source_alias(self) -> str:
        self.took("AS")
        if self.word.kind == "name" and self.word.text.upper() not in ENDS:
            return self.take().text
        return ""

    def _clauses(self, query: Query) -> None:
        if self.took("USING"):
            self.need("SCOPE")
            if not self.took("EVERYTHING"):
                raise not_imitated(self.text, self.word.at, f"USING SCOPE {self.word.text}")
        if self.took("WHERE"):
            query.where = self.condition()
        self._refuse_clause()
        self._grouping(query)
        self._refuse_clause()
        if self.took("ORDER"):
            self.need("BY")
            query.order = self._orders()
        if self.took("LIMIT"):
            query.limit = self.number()
        if self.took("OFFSET"):
            query.offset = self.number()
        self._refuse_clause()

    def _refuse_clause(self) -> None:
        if self.word.is_(*CLAUSES_NOT_IMITATED):
            raise not_imitated(self.text, self.word.at, self.word.text)

    def _grouping(self, query: Query) -> None:
        if self.took("GROUP"):
            self.need("BY")
            query.group = self._columns()

    def item(self) -> Any:
        if self.took("("):
            query = self.query()
            self.need(")")
            return query
        if self.word.is_("TYPEOF"):
            self._refuse_clause()
        column = self.column()
        if self.word.kind == "name" and self.word.text.upper() not in ENDS:
            return Column(column.path, column.at, column.function, self.take().text)
        return column

    def column(self) -> Column:
        word = self.name()
        function = word.text.upper()
        if not self.word.is_("("):
            return Column(tuple(word.text.split(".")), word.at)
        if function in FUNCTIONS_NOT_IMITATED:
            raise not_imitated(self.text, word.at, f"{word.text}()")
        if function not in AGGREGATES | SHOWING | {"FIELDS"}:
            raise self.unexpected()
        self.need("(")
        return Column(self._argument(function), word.at, function)

    def _argument(self, function: str) -> tuple[str, ...]:
        """The one field that a function is of; COUNT() alone may have none."""
        if function == "COUNT" and self.took(")"):
            return ()
        inner = self.name()
        if self.word.is_("("):
            raise not_imitated(self.text, self.word.at, f"A function within {function}()")
        if function == "FIELDS" and inner.text.upper() not in KINDS_OF_FIELDS:
            raise malformed(self.text, inner.at, f"unexpected token: '{inner.text}'")
        self.need(")")
        return tuple(inner.text.split("."))

    def _columns(self) -> list[Column]:
        columns = [self.column()]
        while self.took(","):
            columns.append(self.column())
        return columns

    def _orders(self) -> list[tuple[Column, bool, bool]]:
        orders = [self._order()]
        while self.took(","):
            orders.append(self._order())
        return orders

    def _order(self) -> tuple[Column, bool, bool]:
        column = self.column()
        falling = self.took("DESC") or (self.took("ASC") and False)
        nulls_last = False
        if self.took("NULLS"):
            nulls_last = self.took("LAST")
            if not nulls_last:
                self.need("FIRST")
        return column, falling, nulls_last

    def condition(self) -> Any:
        parts, word = [self._term()], ""
        while self.word.is_("AND", "OR"):
            joining = self.take().text.upper()
            if word and joining != word:
                # The vendor wants parentheses where AND and OR meet.
                raise malformed(self.text, self.words[self.next - 1].at, f"unexpected token: '{joining}'")
            word = joining
            parts.append(self._term())
        return Joined(word, tuple(parts)) if word else parts[0]

    def _term(self) -> Any:
        if self.took("NOT"):
            return Joined("NOT", (self._term(),))
        if self.took("("):
            condition = self.condition()
            self.need(")")
            return condition
        return self._comparison()

    def _comparison(self) -> Compare:
        column = self.column()
        if self.took("NOT"):
            self.need("IN")
            return Compare(column, "NOT IN", self._list())
        if self.took("IN"):
            return Compare(column, "IN", self._list())
        if self.took("INCLUDES"):
            return Compare(column, "INCLUDES", self._list())
        if self.took("EXCLUDES"):
            return Compare(column, "EXCLUDES", self._list())
        if self.took("LIKE"):
            return Compare(column, "LIKE", self.literal())
        if not self.word.is_(*COMPARISONS):
            raise self.unexpected()
        sign = self.take().text
        return Compare(column, "!=" if sign == "<>" else sign, self.literal())

    def _list(self) -> Any:
        self.need("(")
        if self.word.is_("SELECT"):
            query = self.query()
            self.need(")")
            return query
        values = [self.literal()]
        while self.took(","):
            values.append(self.literal())
        self.need(")")
        return values

    def literal(self) -> Any:
        """A string is a `str`; a date or a time stays a Word, for only its text is known here."""
        word = self.take()
        if word.kind == "string":
            return unquote(word.text)
        if word.kind == "number":
            return Decimal(word.text)
        if word.kind in {"date", "datetime"}:
            return word
        if word.is_("NULL"):
            return None
        if word.is_("TRUE", "FALSE"):
            return word.text.upper() == "TRUE"
        if word.kind == "name":
            return DateWord(word.text.upper())
        self.next -= 1
        raise self.unexpected()


def _without_alias(query: Query, alias: str) -> Query:
    """`SELECT a.Name FROM Account a` says the same without the letter."""

    def plain(part: Any) -> Any:
        if isinstance(part, Column) and len(part.path) > 1 and part.path[0].lower() == alias.lower():
            return Column(part.path[1:], part.at, part.function, part.alias)
        if isinstance(part, Compare):
            return Compare(plain(part.column), part.sign, part.value)
        if isinstance(part, Joined):
            return Joined(part.word, tuple(plain(p) for p in part.parts))
        return part

    query.columns = [plain(c) for c in query.columns]
    query.where = plain(query.where)
    query.group = [plain(c) for c in query.group]
    query.order = [(plain(c), falling, last) for c, falling, last in query.order]
    return query
