"""The envelope of every event: CloudEvents 1.0 with our ordering key, sequence and correlation id."""

from typing import Any

import msgspec

from contracts.canonical.values import Instant


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """A CloudEvent. `source` and `id` together are unique; `sequence` counts within `partitionkey`."""

    id: str
    source: str
    type: str
    time: Instant
    subject: str
    partitionkey: str
    sequence: int
    correlationid: str
    data: dict[str, Any]
    specversion: str = "1.0"
    datacontenttype: str = "application/json"
    dataschema: str = ""


class Events(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[Event, ...]
    next_cursor: str
