"""What the steps of every flow share."""

import datetime as dt

from kit import clock

# Older facts are read again before an effect depends on them: a person may have decided meanwhile.
FRESH_SECONDS = 10.0

# The team of a deal's owner: what it must correct in the CRM goes on when it presses Activate, or wins again.
SALES = "sales"

# Fields without an owner that every draft may have: what it is made of, and the firm's own.
UNOWNED = frozenset({"lines", "custom", "currency", "pricing_model", "service_line", "region"})


def is_stale(read_at: dt.datetime | None) -> bool:
    """Whether facts are older than an uninterrupted run takes; those of earlier releases have no time."""
    return read_at is None or clock.now() - read_at > dt.timedelta(seconds=FRESH_SECONDS)
