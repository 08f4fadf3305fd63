"""The Salesforce stand-in's SOQL date words: TODAY, LAST_MONTH, NEXT_N_DAYS:7 as days from and to."""

from datetime import date, timedelta

ONE = timedelta(days=1)


def span(word: str, today: date) -> tuple[date, date] | None:
    """First and last day of a date word, or None if it is none."""
    name, _, count = word.partition(":")
    if name in {"TODAY", "YESTERDAY", "TOMORROW"}:
        day = today + ONE * {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}[name]
        return day, day
    direction, _, unit = name.partition("_")
    if direction not in {"THIS", "LAST", "NEXT"}:
        return None
    if unit.startswith("N_"):
        return _many(direction, unit.removeprefix("N_").rstrip("S"), int(count), today) if count else None
    if unit == "90_DAYS":
        return _many(direction, "DAY", 90, today)
    start = _start(unit, today)
    if start is None:
        return None
    step = {"THIS": 0, "LAST": -1, "NEXT": 1}[direction]
    return _moved(unit, start, step), _moved(unit, start, step + 1) - ONE


def _many(direction: str, unit: str, count: int, today: date) -> tuple[date, date] | None:
    if unit == "DAY":
        # The vendor counts today among the last days, and not among the next.
        last = (today - ONE * count, today)
        return last if direction == "LAST" else (today + ONE, today + ONE * count)
    start = _start(unit, today)
    if start is None:
        return None
    if direction == "LAST":
        return _moved(unit, start, -count), start - ONE
    return _moved(unit, start, 1), _moved(unit, start, count + 1) - ONE


def _start(unit: str, today: date) -> date | None:
    starts = {
        "WEEK": today - ONE * ((today.weekday() + 1) % 7),
        "MONTH": today.replace(day=1),
        "QUARTER": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
        "YEAR": today.replace(month=1, day=1),
    }
    return starts.get(unit)


def _moved(unit: str, start: date, count: int) -> date:
    if unit == "WEEK":
        return start + ONE * 7 * count
    months = start.year * 12 + start.month - 1 + count * {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    return date(months // 12, months % 12 + 1, 1)
