"""The small values that every noun is made of: money, ids, references, addresses, periods."""

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:\-]*$")]
LONGEST_KEY = 120
Key = Annotated[str, Meta(min_length=1, max_length=LONGEST_KEY, pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]*$")]
Code = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.&\- ]*$")]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
Sentence = Annotated[str, Meta(min_length=1, max_length=2000)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
Amount = Annotated[
    Decimal,
    Meta(
        description="A decimal number as a string",
        extra_json_schema={
            "type": "string",
            "pattern": r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$",
            "format": "decimal",
        },
    ),
]
Quantity = Annotated[
    Decimal,
    Meta(
        description="A decimal number as a string: hours, pieces, shares",
        extra_json_schema={
            "type": "string",
            "pattern": r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,27})?$",
            "format": "decimal",
        },
    ),
]
Instant = Annotated[dt.datetime, Meta(tz=True)]
Instance = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9\-]{1,39}$", description="A configured vendor instance")
]
Cursor = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[A-Za-z0-9_\-=]+$")]
PageSize = Annotated[int, Meta(ge=1, le=200)]


_PLAIN = re.compile(
    r"^[A-Za-z0-9_.:\-]{1,96}$"
)  # shorter than an id may be, for ids that are made of this one


def id_of(prefix: str, *parts: str) -> str:
    """The id made of these parts; a hash of them where they are too long or hold what no id may."""
    plain = ".".join(parts)
    return f"{prefix}_{plain if _PLAIN.match(plain) else hashlib.sha256(plain.encode()).hexdigest()[:32]}"


def key_of(noun: str, *parts: str) -> str:
    """The key under which a vendor makes an object of these parts, the same however often it is tried."""
    return "-".join(("enf", noun, *parts))


def short_key(key: str, most: int) -> str:
    """A key as a system stores it whose references have at most so many characters: itself, or its digest.

    In capitals and digits, because some compare references without regard to case. In the 20 characters of
    SAP's reference there are 85 bits: two of a billion keys are the same with a chance of 1 in 10 million.
    """
    if len(key) <= most:
        return key
    digest = base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()
    return f"ENF{digest}"[:most]


class Money(msgspec.Struct, frozen=True):
    """An amount in one currency; never a float, never infinite."""

    amount: Amount
    currency: Currency

    def __post_init__(self) -> None:
        # The local carrier has no JSON and so no schema: the promise is checked here too.
        if not self.amount.is_finite():
            raise ValueError("an amount of money is finite")


class LeftOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record that a list leaves out, because the vendor's is off its schema; `why` quotes no value."""

    id: Id
    why: str


class Ref(msgspec.Struct, frozen=True, omit_defaults=True):
    """The same object in another system."""

    instance: str
    object: str
    id: str
    url: str = ""


def ref_to(instance: str, object: str, id: str, known: Iterable[Ref] = ()) -> Ref:  # noqa: A002 - Ref's words
    """A record as the same object in an instance, with its page's address where its references know that."""
    return Ref(instance, object, id, next((ref.url for ref in known if ref.id == id), ""))


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


class TaxRegistration(msgspec.Struct, frozen=True):
    """A tax number as its country knows it (VAT id, EIN, USt-IdNr.)."""

    country: str
    number: str


class Period(msgspec.Struct, frozen=True):
    """From a business date to another, both included."""

    start: dt.date
    end: dt.date


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """How to go on reading a list: absent on the last page."""

    next_cursor: str | None = None
