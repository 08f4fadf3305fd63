"""kit/postings: many records to one target, sent in micro-batches, with a result for each.

A flow gathers records in its own transaction; `kit.postings.collector` claims them, `kit.postings.flow` sends
them. Rows and their states are here.
"""

from kit.postings.rows import Posting, gather, release

__all__ = ["Posting", "gather", "release"]
