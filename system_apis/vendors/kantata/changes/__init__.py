"""system_apis: how changes in a Kantata OX account are noticed: its event feed, and a poll beside it."""

from system_apis.vendors.kantata.changes.feed import feed
from system_apis.vendors.kantata.changes.poll import poll

__all__ = ["feed", "poll"]
