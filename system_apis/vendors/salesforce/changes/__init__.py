"""system_apis: a Salesforce org's changes: its event stream and a poll."""

from system_apis.vendors.salesforce.changes.poll import poll
from system_apis.vendors.salesforce.changes.stream import Stream

__all__ = ["Stream", "poll"]
