"""system_apis: one change of a record, as a vendor's stream, poll or feed reports it. Pure."""

import datetime as dt
from typing import NamedTuple

from contracts.events.kinds import RecordChanged


class Change(NamedTuple):
    """One change, under an id that is the same from every source.

    `content` distinguishes two states of a record with the same instant, where `dedupe_id` does not.
    """

    dedupe_id: str
    type: str
    change: RecordChanged
    at: dt.datetime
    content: str = ""
