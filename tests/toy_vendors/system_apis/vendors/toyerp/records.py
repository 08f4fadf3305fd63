"""system_apis: Toy ERP's documents: it keeps customers and contracts by our own names."""

import datetime as dt
from typing import Generic, Literal, TypeVar

import msgspec

from contracts.canonical.contract import ContractDraft
from contracts.canonical.customer import CustomerDraft

D = TypeVar("D")


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What every document has."""

    id: str
    version: int
    changed_at: dt.datetime
    key: str = ""


class Customer(Document, frozen=True, kw_only=True):
    master: CustomerDraft
    blocked: bool = False


class Contract(Document, frozen=True, kw_only=True):
    terms: ContractDraft
    status: Literal["active", "closed"] = "active"


class Rows(msgspec.Struct, Generic[D], frozen=True):
    """A page of documents."""

    items: tuple[D, ...]
    more: bool
