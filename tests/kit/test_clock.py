"""tests/kit: the clock."""

import datetime as dt

from kit import clock


def test_the_clock_stands_still_when_set_and_moves_when_told(stopped_clock: None) -> None:
    """A set clock shows the same instant until it is advanced by exactly what was asked."""
    clock.set(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC))
    assert clock.now() == clock.now() == dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    clock.advance(90)
    assert dt.datetime(2026, 3, 1, 12, 1, 30, tzinfo=dt.UTC) == clock.now()


def test_a_shifted_clock_runs_on_and_comes_back() -> None:
    """A clock that was only advanced keeps running, and real time returns when asked."""
    before = clock.now()
    clock.advance(3600)
    assert clock.now() - before >= dt.timedelta(hours=1)
    clock.real()
    assert clock.now() - before < dt.timedelta(minutes=1)
