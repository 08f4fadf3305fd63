"""Runs a SuiteQL query: joins, filters, groups, orders, and gives rows of strings without nulls."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cmp_to_key
from typing import Any

from sandbox.core import Account
from sandbox.netsuite.store import wall_time
from sandbox.netsuite.suiteql.functions import FUNCTIONS, add, check_count, plain, read_moment
from sandbox.netsuite.suiteql.parse import Column, Node, Query, Source, parse
from sandbox.netsuite.suiteql.tables import TEXT, Row, Table, load, shown
from sandbox.netsuite.suiteql.words import wrong

# A context is the rows of a group, each by alias; outside of aggregates the first speaks for all.
Context = list[dict[str, Row]]
Value = Callable[[Context], Any]
AGGREGATES = {"count", "sum", "min", "max", "avg"}
# Where a row's ROWNUM stands: no table has an alias without letters.
NUMBERED = ""


def run(account: Account, text: str, params: list[Any], hidden: set[str]) -> list[dict[str, str]]:
    """All rows of the query's answer; `hidden` tables are those the role may not see. Raises: Refusal."""
    query = parse(text)
    return _Run(account, query, params, hidden).rows()


class _Run:
    def __init__(self, account: Account, query: Query, params: list[Any], hidden: set[str]) -> None:
        self.account, self.query, self.params = account, query, params
        self.tables: dict[str, Table] = {}
        for source in query.sources:
            found = None if source.table in hidden else load(account, source.table)
            if found is None:
                raise wrong(f"Search error occurred: Record '{source.table}' was not found.")
            self.tables[source.alias] = found

    def rows(self) -> list[dict[str, str]]:
        groups = self._groups(self._filtered())
        columns = self._columns()
        if self.query.having:
            having = self.value(self.query.having)
            groups = [group for group in groups if having(group)]
        groups = self._ordered(groups, columns)
        shown_rows = [self._output(columns, group) for group in groups]
        if self.query.distinct:
            shown_rows = list({tuple(row.items()): row for row in shown_rows}.values())
        end = None if self.query.fetch is None else self.query.skip + self.query.fetch
        return shown_rows[self.query.skip : end]

    def _filtered(self) -> list[dict[str, Row]]:
        first, *others = self.query.sources
        rows = [{first.alias: row} for row in self.tables[first.alias].rows]
        for source in others:
            rows = self._joined(rows, source)
        where = None if self.query.where is None else self.value(self.query.where)
        found: list[dict[str, Row]] = []
        for row in rows:
            # As Oracle numbers rows: the next number is the candidate's, and spent only if it is taken;
            # so ROWNUM > 1 takes none, and ORDER BY sorts what was numbered before.
            numbered = {**row, NUMBERED: {"rownum": Decimal(len(found) + 1)}}
            if where is None or where([numbered]):
                found.append(numbered)
        return found

    def _joined(self, rows: list[dict[str, Row]], source: Source) -> list[dict[str, Row]]:
        candidates = self._candidates(source)
        test = self.value(source.on) if source.on else None
        joined = []
        for row in rows:
            pairs = ({**row, source.alias: other} for other in candidates(row))
            matches = [pair for pair in pairs if test is None or test([pair])]
            joined += matches or ([{**row, source.alias: {}}] if source.join == "left" else [])
        return joined

    def _candidates(self, source: Source) -> Callable[[dict[str, Row]], list[Row]]:
        """The right-hand rows worth testing: by index where the condition is an equality of columns."""
        rows, on = self.tables[source.alias].rows, source.on
        if on and on.kind == "compare" and on.value == "=" and all(p.kind == "column" for p in on.parts):
            for mine, theirs in (on.parts, on.parts[::-1]):
                if self.place(mine)[0] == source.alias and self.place(theirs)[0] != source.alias:
                    name, key = self.place(mine)[1], self.value(theirs)
                    index: dict[str, list[Row]] = {}
                    for row in rows:
                        index.setdefault(str(row.get(name)), []).append(row)
                    return lambda row: index.get(str(key([row])), [])
        return lambda _: rows

    def _groups(self, rows: list[dict[str, Row]]) -> list[Context]:
        nodes = [column.node for column in self.query.columns]
        if self.query.group or any(_aggregates(node) for node in nodes):
            self._check_grouped(nodes)
        if self.query.group:
            keys = [self.value(node) for node in self.query.group]
            groups: dict[tuple[Any, ...], Context] = {}
            for row in rows:
                groups.setdefault(tuple(key([row]) for key in keys), []).append(row)
            return list(groups.values())
        return [rows] if any(_aggregates(node) for node in nodes) else [[row] for row in rows]

    def _check_grouped(self, nodes: list[Node]) -> None:
        """Raises: Refusal, for what has many values in a group: neither grouped by nor aggregated."""
        having = [self.query.having] if self.query.having else []
        grouped = {self._placed(node) for node in self.query.group}
        for node in (*nodes, *having):
            if not self._settled(node, grouped):
                raise wrong("Search error occurred: not a GROUP BY expression.")

    def _settled(self, node: Node, grouped: set[Node]) -> bool:
        if self._placed(node) in grouped or (node.kind == "call" and node.value in AGGREGATES):
            return True
        if node.kind in {"column", "star", "rownum"}:
            return False
        return all(self._settled(part, grouped) for part in node.parts)

    def _placed(self, node: Node) -> Node:
        """The same expression with every column under its table's alias."""
        if node.kind == "column":
            return Node("column", self.place(node))
        return Node(node.kind, node.value, tuple(self._placed(part) for part in node.parts))

    def _columns(self) -> list[tuple[str, Value]]:
        named: list[tuple[str, Value]] = []
        for place, column in enumerate(self.query.columns, 1):
            if column.node.kind == "star":
                named += self._star(column)
            else:
                own = column.node.value[1] if column.node.kind == "column" else f"expr{place}"
                named.append((column.name or own, self.value(column.node)))
        return named

    def _star(self, column: Column) -> list[tuple[str, Value]]:
        aliases = [column.node.value] if column.node.value else list(self.tables)
        return [
            (name, self.value(Node("column", (alias, name))))
            for alias in aliases
            for name in self.tables[alias].columns
        ]

    def _ordered(self, groups: list[Context], columns: list[tuple[str, Value]]) -> list[Context]:
        for node, down, nulls in reversed(self.query.order):
            key = self._order_key(node, columns)
            empty_first = nulls == "first" or (down and nulls != "last")
            filled = [group for group in groups if key(group) is not None]
            empty = [group for group in groups if key(group) is None]
            filled.sort(key=cmp_to_key(lambda a, b, key=key: _order(key(a), key(b))), reverse=down)
            groups = empty + filled if empty_first else filled + empty
        return groups

    def _order_key(self, node: Node, columns: list[tuple[str, Value]]) -> Value:
        if node.kind == "value" and isinstance(node.value, Decimal):
            if node.value not in range(1, len(columns) + 1):
                raise wrong("Invalid or unsupported search: ORDER BY names a column that is not selected.")
            return columns[int(node.value) - 1][1]
        by_name = dict(columns)
        if node.kind == "column" and not node.value[0] and node.value[1] in by_name:
            return by_name[node.value[1]]
        return self.value(node)

    def _output(self, columns: list[tuple[str, Value]], group: Context) -> dict[str, str]:
        values = {name: self._text(value(group)) for name, value in columns}
        return {name: text for name, text in sorted(values.items()) if text is not None}

    def _text(self, value: Any) -> str | None:
        """Everything is a string on this wire; a date comes in the user's format unless it was wrapped."""
        if value is None or isinstance(value, str):
            return value or None
        if isinstance(value, date):
            if self.account.settings.get("date_format") == "YYYY-MM-DD":
                return value.strftime("%Y-%m-%d")
            return f"{value.month}/{value.day}/{value.year}"
        return {True: "T", False: "F"}[value] if isinstance(value, bool) else plain(value)

    # -- nodes into functions of a context
    def value(self, node: Node) -> Value:
        """Raises: Refusal, for what is unknown."""
        return getattr(self, f"_of_{node.kind}")(node)

    def place(self, node: Node) -> tuple[str, str]:
        """The alias and name of a column. Raises: Refusal."""
        alias, name = node.value
        if alias and alias not in self.tables:
            raise wrong(f"Search error occurred: Unknown identifier '{alias}'.")
        for each in [alias] if alias else self.tables:
            if name in self.tables[each].columns:
                return each, name
        record = self.tables[alias].name if alias else next(iter(self.tables.values())).name
        detail = f"Search error occurred: Field '{name}' for record '{record}' was not found."
        raise wrong(
            detail
            if alias or len(self.tables) == 1
            else f"Search error occurred: Unknown identifier '{name}'."
        )

    def _of_column(self, node: Node) -> Value:
        alias, name = self.place(node)
        return lambda context: context[0][alias].get(name) if context else None

    def _of_rownum(self, _: Node) -> Value:
        def number(context: Context) -> Any:
            if context and NUMBERED not in context[0]:
                raise wrong("Invalid or unsupported search: ROWNUM in a join's condition.")
            return context[0][NUMBERED]["rownum"] if context else None

        return number

    def _of_star(self, _: Node) -> Value:
        raise wrong("Invalid or unsupported search: unexpected '*'.")

    def _of_distinct(self, _: Node) -> Value:
        raise wrong("Invalid or unsupported search: DISTINCT outside of an aggregate.")

    def _of_value(self, node: Node) -> Value:
        return lambda _: node.value

    def _of_param(self, node: Node) -> Value:
        if node.value >= len(self.params):
            raise wrong("Search error occurred: a parameter is missing.")
        given = self.params[node.value]
        value = Decimal(str(given)) if isinstance(given, int | Decimal) else given
        return lambda _: value

    def _of_call(self, node: Node) -> Value:
        if node.value in AGGREGATES:
            return self._aggregate(node)
        if node.value == "builtin.df":
            return self._display(node)
        if node.value in {"sysdate", "systimestamp"}:
            now = wall_time(self.account, self.account.clock.now())
            return lambda _: now
        function = FUNCTIONS.get(node.value)
        if function is None:
            raise wrong(f"Search error occurred: Unknown function '{node.value.upper()}'.")
        check_count(node.value, function, len(node.parts))
        arguments = [self.value(part) for part in node.parts]
        return lambda context: function(*(argument(context) for argument in arguments))

    def _display(self, node: Node) -> Value:
        _check_one(node)
        inner = self.value(node.parts[0])
        if node.parts[0].kind != "column":
            return inner
        alias, name = self.place(node.parts[0])
        source = self.tables[alias].columns[name]

        def display(context: Context) -> Any:
            own = context[0][alias].get(f"{name}{TEXT}") if context else None
            return own or shown(self.account, source, inner(context))

        return display

    def _aggregate(self, node: Node) -> Value:
        _check_one(node)
        part = node.parts[0]
        distinct = part.kind == "distinct"
        if part.kind == "star" and node.value != "count":
            raise wrong(f"Invalid or unsupported search: '*' in {node.value.upper()}.")
        inner = (lambda _: 1) if part.kind == "star" else self.value(part.parts[0] if distinct else part)

        def total(context: Context) -> Any:
            values = [v for v in (inner([row]) for row in context) if v is not None]
            return _summed(node.value, list(dict.fromkeys(values)) if distinct else values)

        return total

    def _of_compare(self, node: Node) -> Value:
        left, right = (self.value(part) for part in node.parts)
        return lambda context: _compare(node.value, left(context), right(context))

    def _of_logic(self, node: Node) -> Value:
        parts = [self.value(part) for part in node.parts]
        decisive = node.value == "or"

        def decide(context: Context) -> bool | None:
            results = [part(context) for part in parts]
            if decisive in [bool(r) if r is not None else None for r in results]:
                return decisive
            return None if None in results else not decisive

        return decide

    def _of_not(self, node: Node) -> Value:
        inner = self.value(node.parts[0])
        return lambda context: None if (result := inner(context)) is None else not result

    def _of_null(self, node: Node) -> Value:
        inner = self.value(node.parts[0])
        return lambda context: (inner(context) is None) != node.value

    def _of_in(self, node: Node) -> Value:
        left, *values = (self.value(part) for part in node.parts)
        return lambda context: any(_compare("=", left(context), value(context)) for value in values)

    def _of_between(self, node: Node) -> Value:
        value, low, high = (self.value(part) for part in node.parts)
        return lambda c: bool(_compare(">=", value(c), low(c)) and _compare("<=", value(c), high(c)))

    def _of_like(self, node: Node) -> Value:
        value, pattern = (self.value(part) for part in node.parts)

        def like(context: Context) -> bool | None:
            text, shape = value(context), pattern(context)
            if text is None or shape is None:
                return None
            wanted = re.escape(str(shape)).replace("%", ".*").replace("_", ".")
            return re.fullmatch(wanted, plain(text), re.DOTALL) is not None

        return like

    def _of_math(self, node: Node) -> Value:
        left, right = (self.value(part) for part in node.parts)
        return lambda context: add(left(context), node.value, right(context))

    def _of_negative(self, node: Node) -> Value:
        inner = self.value(node.parts[0])
        return lambda context: add(Decimal(0), "-", inner(context))

    def _of_case(self, node: Node) -> Value:
        *pairs, other = (self.value(part) for part in node.parts)
        cases = list(zip(pairs[::2], pairs[1::2], strict=True))

        def choose(context: Context) -> Any:
            return next((then for when, then in cases if when(context)), other)(context)

        return choose


def _aggregates(node: Node) -> bool:
    return (node.kind == "call" and node.value in AGGREGATES) or any(_aggregates(part) for part in node.parts)


def _check_one(node: Node) -> None:
    if len(node.parts) != 1:
        raise wrong(f"Search error occurred: {node.value.upper()} takes one argument.")


def _summed(name: str, values: list[Any]) -> Any:
    if name == "count":
        return Decimal(len(values))
    if not values:
        return None
    if name in {"min", "max"}:
        return {"min": min, "max": max}[name](values)
    total = sum(values, Decimal(0))
    return total if name == "sum" else total / len(values)


def _compare(sign: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    order = _order(left, right)
    return {
        "=": order == 0,
        "<>": order != 0,
        "!=": order != 0,
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
    }[sign]


def _order(left: Any, right: Any) -> int:
    """-1, 0 or 1; a number beside a text is compared as a number where the text is one."""
    if isinstance(left, date) or isinstance(right, date):
        left, right = _moment(left), _moment(right)
    elif isinstance(left, Decimal) != isinstance(right, Decimal):
        try:
            left, right = Decimal(str(left)), Decimal(str(right))
        except InvalidOperation:
            left, right = plain(left), plain(right)
    return (left > right) - (left < right)


def _moment(value: Any) -> datetime:
    """Raises: Refusal."""
    if isinstance(value, str):
        american = re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", value)
        value = read_moment(value, "MM/DD/YYYY" if american else None)
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise wrong("Search error occurred: a date is compared with a number.")
