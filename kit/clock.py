"""kit: the one clock of the deployment, which tests may set and the command line may shift."""

import datetime as dt
import os

_OFFSET_VARIABLE = "ENFILADE_CLOCK_OFFSET"


class _Hands:
    """Where the clock stands: frozen at an instant, or real time plus an offset in seconds."""

    def __init__(self) -> None:
        self.frozen: dt.datetime | None = None
        self.offset = dt.timedelta(seconds=float(os.environ.get(_OFFSET_VARIABLE) or 0))


_hands = _Hands()


def now() -> dt.datetime:
    """The present instant, in UTC."""
    return _hands.frozen or dt.datetime.now(dt.UTC) + _hands.offset


def is_moved() -> bool:
    """Whether the clock shows another time than the world's."""
    return _hands.frozen is not None or bool(_hands.offset)


def set(at: dt.datetime) -> None:  # noqa: A001 - reads as clock.set(...)
    """Stop the clock at an instant."""
    _hands.frozen = at.astimezone(dt.UTC)


def advance(seconds: float) -> None:
    """Move the clock on; a stopped one stays stopped."""
    if _hands.frozen is None:
        _hands.offset += dt.timedelta(seconds=seconds)
    else:
        _hands.frozen += dt.timedelta(seconds=seconds)


def real() -> None:
    """Let the clock run with the world again."""
    _hands.frozen = None
    _hands.offset = dt.timedelta(0)
