"""system_apis: how changes in a Salesforce org are noticed: its event stream, and a poll beside it."""

from system_apis.vendors.salesforce.changes.poll import poll
from system_apis.vendors.salesforce.changes.stream import Stream

__all__ = ["Stream", "poll"]
