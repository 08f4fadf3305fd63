"""What the steps of every flow share."""

import datetime as dt

from kit import clock

# What was read longer ago is read again before an effect rests on it: somebody may have thought meanwhile.
FRESH_SECONDS = 10.0

# What every draft may carry beside fields that somebody owns: what they are made of, and the firm's own.
UNOWNED = frozenset({"lines", "custom", "currency", "pricing_model", "service_line", "region"})


def is_stale(read_at: dt.datetime | None) -> bool:
    """Whether facts were read longer ago than a straight way takes; those of earlier releases do not say."""
    return read_at is None or clock.now() - read_at > dt.timedelta(seconds=FRESH_SECONDS)
