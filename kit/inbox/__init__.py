"""kit/inbox: receives events of other systems once and in order, and publishes ours in the same way.

The worker is in `kit.inbox.worker`: it raises exceptions, which are published through this outbox.
"""

from kit.inbox.deliveries import release
from kit.inbox.outbox import latest, publish, read, replay
from kit.inbox.receiving import InboxRow, receive

__all__ = ["InboxRow", "latest", "publish", "read", "receive", "release", "replay"]
