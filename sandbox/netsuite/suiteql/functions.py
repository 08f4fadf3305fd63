"""SuiteQL's functions and Oracle's date formats."""

import inspect
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.netsuite.suiteql.words import wrong

FORMATS = {
    "YYYY": "%Y",
    "YY": "%y",
    "MONTH": "%B",
    "MON": "%b",
    "MM": "%m",
    "DD": "%d",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%I",
    "MI": "%M",
    "SS": "%S",
    "FF": "%f",
    "AM": "%p",
    "PM": "%p",
    "DAY": "%A",
    "DY": "%a",
}
SHAPE = re.compile("|".join(['"[^"]*"', "FF\\d", *sorted(FORMATS, key=len, reverse=True)]), re.IGNORECASE)


STARTS: dict[str, dict[str, Any]] = {
    "DD": {},
    "MM": {"day": 1},
    "MONTH": {"day": 1},
    "YYYY": {"day": 1, "month": 1},
    "YEAR": {"day": 1, "month": 1},
}


def to_pattern(oracle: str) -> str:
    """The format as Python has it. Raises: Refusal, for a part that is not imitated."""

    def one(match: re.Match[str]) -> str:
        word = match.group()
        if word.startswith('"'):
            return word.strip('"').replace("%", "%%")
        return FORMATS["FF" if word.upper().startswith("FF") else word.upper()]

    unknown = re.search(r"[A-Za-z]+", SHAPE.sub("", oracle))
    if unknown:
        raise wrong(f"Search error occurred: date format '{unknown.group()}' is not supported.")
    return SHAPE.sub(one, oracle)


def read_moment(text: Any, oracle: Any = None) -> datetime | None:
    """TO_DATE and TO_TIMESTAMP. Raises: Refusal."""
    if text is None:
        return None
    if isinstance(text, datetime):
        return text
    if isinstance(text, date):
        return datetime.combine(text, time(), UTC)
    try:
        if oracle is None:
            moment = datetime.fromisoformat(str(text))
        else:
            moment = datetime.strptime(str(text), to_pattern(str(oracle)))  # noqa: DTZ007 - zone follows
    except (ValueError, KeyError) as bad:
        raise wrong(f"Search error occurred: invalid date '{text}' for format '{oracle}'.") from bad
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def to_char(value: Any, oracle: Any = None) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal) and oracle is not None:
        raise wrong("Search error occurred: TO_CHAR with a number's format is not supported.")
    if isinstance(value, datetime | date) and oracle is not None:
        moment = value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)
        return moment.strftime(to_pattern(str(oracle)))
    return plain(value)


def plain(value: Any) -> str:
    """A number without an exponent or idle zeros."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def to_number(value: Any) -> Decimal | None:
    if value is None or isinstance(value, Decimal):
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation as bad:
        raise wrong(f"Search error occurred: invalid number '{value}'.") from bad


def trunc(value: Any, to: Any = None) -> Any:
    """A day's beginning, a month's or a year's; a number without decimals. Raises: Refusal."""
    if isinstance(value, date):
        day = value.date() if isinstance(value, datetime) else value
        if to is not None and str(to).upper() not in STARTS:
            raise wrong(f"Search error occurred: TRUNC to '{to}' is not supported.")
        start = day.replace(**STARTS["DD" if to is None else str(to).upper()])
        return datetime.combine(start, time(), UTC) if isinstance(value, datetime) else start
    if to is not None:
        raise wrong("Search error occurred: TRUNC to decimals is not supported.")
    return value.to_integral_value(rounding="ROUND_DOWN") if isinstance(value, Decimal) else value


def rounded(value: Any, places: Any = Decimal(0)) -> Any:
    number = to_number(value)
    return None if number is None else number.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)


def substring(text: Any, start: Any, length: Any = None) -> str | None:
    if text is None:
        return None
    begin = int(start) - 1 if int(start) > 0 else int(start)
    piece = str(text)[begin:]
    return (piece if length is None else piece[: int(length)]) or None


def first_known(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _text(change: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else change(plain(value))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "upper": _text(str.upper),
    "lower": _text(str.lower),
    "trim": _text(str.strip),
    "length": _text(lambda text: Decimal(len(text))),
    "substr": substring,
    "to_char": to_char,
    "to_date": read_moment,
    "to_timestamp": read_moment,
    "to_number": to_number,
    "nvl": first_known,
    "coalesce": first_known,
    "nvl2": lambda value, then, other: other if value is None else then,
    "trunc": trunc,
    "round": rounded,
    "abs": lambda value: None if value is None else abs(value),
    "concat": lambda a, b: f"{plain(a) if a is not None else ''}{plain(b) if b is not None else ''}" or None,
    "replace": lambda text, old, new="": (
        None if text is None else str(text).replace(str(old), str(new or ""))
    ),
}


def check_count(name: str, function: Callable[..., Any], count: int) -> None:
    """Raises: Refusal, for a number of arguments that the function does not take."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError as bad:
        raise wrong(f"Search error occurred: {name.upper()} does not take {count} arguments.") from bad


def add(left: Any, sign: str, right: Any) -> Any:
    """Arithmetic; dates take days. Raises: Refusal."""
    if sign == "||":
        return FUNCTIONS["concat"](left, right)
    if left is None or right is None:
        return None
    if isinstance(left, date):
        if isinstance(right, date):
            days = read_moment(left) - read_moment(right)  # type: ignore[operator]
            return Decimal(days.total_seconds()) / 86400
        step = timedelta(days=float(right))
        return left + step if sign == "+" else left - step
    a, b = to_number(left) or Decimal(0), to_number(right) or Decimal(0)
    return {"+": a + b, "-": a - b, "*": a * b}[sign] if sign != "/" else (a / b if b else None)
