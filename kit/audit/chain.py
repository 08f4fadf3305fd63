"""kit/audit: what exactly is hashed: a line, an anchor, and what is signed of a chain's head."""

import datetime as dt
import hashlib
from typing import Any

import msgspec

GENESIS = "0" * 64
# A reader of a line in JSON may have its numbers as decimals.
_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode
_LINE = (
    "action",
    "actor",
    "chain",
    "consumer",
    "correlation_id",
    "detail",
    "outcome",
    "previous",
    "seq",
    "subject",
)


def canonical(row: dict[str, Any]) -> bytes:
    """A line as it is hashed: JSON with sorted keys, `at` in seconds since 1970, everything but the hash."""
    line = {name: row[name] for name in _LINE}
    line["at"] = row["at"].timestamp()
    return _encode(line)


def hash_of(row: dict[str, Any]) -> str:
    """A line's hash (SHA-256), in hexadecimal."""
    return hashlib.sha256(canonical(row)).hexdigest()


def canonical_anchor(
    number: int, at: dt.datetime, previous: str, heads: dict[str, tuple[int, str]] | dict[str, list[Any]]
) -> bytes:
    """An anchor as it is hashed, like a line; `heads` is each chain's last number and hash."""
    anchor = {"number": number, "at": at.timestamp(), "previous": previous, "heads": heads}
    return _encode(anchor)


def head_text(chain: str, seq: int, last: str) -> str:
    """The signed text of a chain's head: write access to the database alone cannot move the head back."""
    return f"head:{chain}:{seq}:{last}"
