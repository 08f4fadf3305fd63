"""Kantata stand-in: counting in working days."""

from datetime import date, timedelta

WORKDAY_MINUTES = 480
SATURDAY = 5


def workdays(start: date, count: int, *, weekends: bool) -> date:
    """The day `count` working days after `start`."""
    day = start
    while count > 0:
        day += timedelta(days=1)
        count -= weekends or day.weekday() < SATURDAY
    return day


def days_between(start: str, end: str) -> list[date]:
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def working_minutes(start: str, end: str) -> int:
    return WORKDAY_MINUTES * sum(1 for day in days_between(start, end) if day.weekday() < SATURDAY)
