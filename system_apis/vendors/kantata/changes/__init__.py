"""system_apis: a Kantata OX account's changes: its event feed and a poll."""

from system_apis.vendors.kantata.changes.feed import feed
from system_apis.vendors.kantata.changes.poll import poll

__all__ = ["feed", "poll"]
