"""A batch: many records in one request to a system, and what became of each, by its key."""

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.canonical.values import Key, Money, Ref
from contracts.problems import Fault


class Posted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record that stands in the system; `amount` is what the system says of it, not what it was sent."""

    key: Key
    refs: tuple[Ref, ...] = ()
    amount: Money | None = None


class RefusedRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record of which surely nothing was made; `code` is the same for all refused for one reason."""

    key: Key
    code: Annotated[str, Meta(min_length=1, max_length=60)]
    detail: str
    errors: tuple[Fault, ...] = ()


class BatchResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of each record. One that is named nowhere is doubtful too: it may have been made."""

    done: tuple[Posted, ...] = ()
    refused: tuple[RefusedRecord, ...] = ()
    doubtful: tuple[Key, ...] = ()


class RecordKeys(msgspec.Struct, frozen=True):
    """The keys of the records that are looked for."""

    keys: tuple[Key, ...]


class PostedRecords(msgspec.Struct, frozen=True):
    """Those of the records that stand in the system."""

    items: tuple[Posted, ...]
