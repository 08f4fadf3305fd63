"""SuiteQL's grammar: words into a tree; what it lacks (LIMIT, WITH, subqueries) is refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from sandbox.netsuite.suiteql.words import END, Word, words, wrong

T = TypeVar("T")
COMPARISONS = {"=", "<>", "!=", "<", "<=", ">", ">="}
RESERVED = {
    "select",
    "from",
    "where",
    "group",
    "by",
    "having",
    "order",
    "join",
    "left",
    "right",
    "inner",
    "outer",
    "full",
    "cross",
    "on",
    "and",
    "or",
    "not",
    "fetch",
    "offset",
    "union",
    "limit",
    "as",
    "asc",
    "desc",
    "nulls",
    "between",
    "like",
    "in",
    "is",
    "case",
    "when",
    "then",
    "else",
    "end",
}


@dataclass(frozen=True)
class Node:
    """`kind` is the rule that made it (value, column, call, compare…); run.py has a method for each."""

    kind: str
    value: Any = None
    parts: tuple["Node", ...] = ()


PSEUDO_COLUMNS = {
    "null": Node("value", None),
    "rownum": Node("rownum"),
    "sysdate": Node("call", "sysdate"),
    "systimestamp": Node("call", "systimestamp"),
}


@dataclass
class Source:
    table: str
    alias: str
    join: str = ""
    on: Node | None = None


@dataclass
class Column:
    node: Node
    name: str = ""


@dataclass
class Query:
    columns: list[Column]
    sources: list[Source]
    where: Node | None = None
    group: list[Node] = field(default_factory=list)
    having: Node | None = None
    order: list[tuple[Node, bool, str]] = field(default_factory=list)
    distinct: bool = False
    skip: int = 0
    fetch: int | None = None


def parse(text: str) -> Query:
    """Raises: Refusal."""
    return _Parser(words(text)).query()


class _Parser:
    def __init__(self, found: list[Word]) -> None:
        self._words = found
        self._place = 0
        self._params = 0

    # -- moving through the words
    def _peek(self, ahead: int = 0) -> Word:
        place = self._place + ahead
        return self._words[place] if place < len(self._words) else END

    def _next(self) -> Word:
        word = self._peek()
        self._place += 1
        return word

    def _at(self, *texts: str) -> bool:
        return all(self._peek(i).text == t and self._peek(i).kind != "string" for i, t in enumerate(texts))

    def _accept(self, *texts: str) -> bool:
        if not self._at(*texts):
            return False
        self._place += len(texts)
        return True

    def _expect(self, *texts: str) -> None:
        if not self._accept(*texts):
            found = self._peek().text or "end of query"
            raise wrong(
                f"Invalid or unsupported search: '{' '.join(texts).upper()}' expected, '{found}' found."
            )

    # -- the query
    def query(self) -> Query:
        self._expect("select")
        distinct = self._accept("distinct")
        columns = self._comma(self._column)
        self._expect("from")
        query = Query(columns, self._sources(), distinct=distinct)
        if self._accept("where"):
            query.where = self._either()
        if self._accept("group", "by"):
            query.group = self._comma(self._either)
        if self._accept("having"):
            query.having = self._either()
        if self._accept("order", "by"):
            query.order = self._comma(self._ordering)
        self._rows(query)
        if self._peek() is not END:
            raise wrong(f"Invalid or unsupported search: unexpected '{self._peek().text}'.")
        return query

    def _rows(self, query: Query) -> None:
        if self._accept("offset"):
            query.skip = self._whole_number()
            _ = self._accept("rows") or self._accept("row")
        if self._accept("fetch"):
            _ = self._accept("first") or self._accept("next")
            query.fetch = self._whole_number() if self._peek().kind == "number" else 1
            _ = self._accept("rows") or self._accept("row")
            self._expect("only")

    def _whole_number(self) -> int:
        word = self._next()
        if word.kind != "number" or not word.text.isdecimal():
            raise wrong(f"Invalid or unsupported search: a whole number expected, '{word.text}' found.")
        return int(word.text)

    def _comma(self, one: Callable[[], T]) -> list[T]:
        found = [one()]
        while self._accept(","):
            found.append(one())
        return found

    def _column(self) -> Column:
        if self._accept("*"):
            return Column(Node("star"))
        if self._peek().kind == "name" and self._peek(1).text == "." and self._peek(2).text == "*":
            alias = self._next().text
            self._place += 2
            return Column(Node("star", alias))
        return Column(self._either(), self._alias())

    def _alias(self) -> str:
        if self._accept("as") or (self._peek().kind == "name" and self._peek().text not in RESERVED):
            return self._next().text
        return ""

    def _sources(self) -> list[Source]:
        sources = [self._source("")]
        while True:
            join = self._join()
            if not join:
                return sources
            source = self._source(join)
            if join in {"inner", "left"}:
                self._expect("on")
                source.on = self._either()
            sources.append(source)

    def _join(self) -> str:
        if self._accept(",") or self._accept("cross", "join"):
            return "cross"
        if self._accept("left", "join") or self._accept("left", "outer", "join"):
            return "left"
        return "inner" if self._accept("inner", "join") or self._accept("join") else ""

    def _source(self, join: str) -> Source:
        word = self._next()
        if word.kind != "name":
            raise wrong("Invalid or unsupported search: a record type is expected after FROM.")
        return Source(word.text, self._alias() or word.text, join)

    def _ordering(self) -> tuple[Node, bool, str]:
        node = self._either()
        down = self._accept("desc")
        if not down:
            self._accept("asc")
        if not self._accept("nulls"):
            return node, down, ""
        if not self._at("first") and not self._at("last"):
            raise wrong("Invalid or unsupported search: 'FIRST' or 'LAST' expected after 'NULLS'.")
        return node, down, self._next().text

    # -- conditions
    def _either(self) -> Node:
        parts = [self._both()]
        while self._accept("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Node("logic", "or", tuple(parts))

    def _both(self) -> Node:
        parts = [self._negated()]
        while self._accept("and"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else Node("logic", "and", tuple(parts))

    def _negated(self) -> Node:
        return Node("not", None, (self._negated(),)) if self._accept("not") else self._condition()

    def _condition(self) -> Node:
        left = self._sum()
        if self._peek().kind == "sign" and self._peek().text in COMPARISONS:
            return Node("compare", self._next().text, (left, self._sum()))
        if self._accept("is"):
            negated = self._accept("not")
            self._expect("null")
            return Node("null", negated, (left,))
        negated = self._accept("not")
        node = self._set_condition(left)
        if node is None:
            if negated:
                raise wrong("Invalid or unsupported search: 'NOT' is misplaced.")
            return left
        return Node("not", None, (node,)) if negated else node

    def _set_condition(self, left: Node) -> Node | None:
        if self._accept("in"):
            self._expect("(")
            values = self._comma(self._sum)
            self._expect(")")
            if len(values) > 1000:
                raise wrong("Invalid or unsupported search: more than 1000 values in a list.")
            return Node("in", None, (left, *values))
        if self._accept("like"):
            return Node("like", None, (left, self._sum()))
        if self._accept("between"):
            low = self._sum()
            self._expect("and")
            return Node("between", None, (left, low, self._sum()))
        return None

    # -- values
    def _sum(self) -> Node:
        node = self._product()
        while self._peek().kind == "sign" and self._peek().text in {"+", "-", "||"}:
            node = Node("math", self._next().text, (node, self._product()))
        return node

    def _product(self) -> Node:
        node = self._single()
        while self._peek().kind == "sign" and self._peek().text in {"*", "/"}:
            node = Node("math", self._next().text, (node, self._single()))
        return node

    def _single(self) -> Node:
        if self._accept("-"):
            return Node("negative", None, (self._single(),))
        if self._accept("("):
            inner = self._either()
            self._expect(")")
            return inner
        if self._accept("?"):
            self._params += 1
            return Node("param", self._params - 1)
        word = self._next()
        if word.kind == "string":
            return Node("value", word.text or None)
        if word.kind == "number":
            return Node("value", Decimal(word.text))
        if word.kind != "name" or word.text in RESERVED - {"case"}:
            raise wrong(f"Invalid or unsupported search: unexpected '{word.text or 'end of query'}'.")
        return self._named(word.text)

    def _named(self, name: str) -> Node:
        if name == "case":
            return self._case()
        if name in {"date", "timestamp"} and self._peek().kind == "string":
            return Node("call", f"to_{name}", (Node("value", self._next().text),))
        if self._accept("."):
            second = self._next().text
            if not self._at("("):
                return Node("column", (name, second))
            name = f"{name}.{second}"
        if self._accept("("):
            return Node("call", name, tuple(self._arguments()))
        return PSEUDO_COLUMNS.get(name, Node("column", ("", name)))

    def _arguments(self) -> list[Node]:
        if self._accept(")"):
            return []
        if self._accept("*"):
            self._expect(")")
            return [Node("star")]
        if self._accept("distinct"):
            arguments = [Node("distinct", None, (self._either(),))]
        else:
            arguments = self._comma(self._either)
        self._expect(")")
        return arguments

    def _case(self) -> Node:
        parts = []
        while self._accept("when"):
            parts.append(self._either())
            self._expect("then")
            parts.append(self._sum())
        parts.append(self._sum() if self._accept("else") else Node("value", None))
        self._expect("end")
        return Node("case", None, tuple(parts))
