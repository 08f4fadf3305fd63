"""tests/gateway: an API whose reads may be kept, and its floor, which says whom it answers."""

import asyncio
from typing import Protocol

import msgspec

from contracts.canonical.values import Id
from contracts.events.kinds import CUSTOMER_CHANGED
from contracts.operation import api, operation
from contracts.problems import NotFound
from gateway.inventory import Mounted
from gateway.policies.hop import in_process
from kit import context
from kit.operations import document

SECONDS = 10
SHELF = "/experience/shelf/v1"


class Book(msgspec.Struct, frozen=True):
    """What the tier said: to whom, and for the how-manieth time."""

    id: str
    told: str
    edition: int
    count: int


class Title(msgspec.Struct, frozen=True):
    title: str


@api("experience", "shelf", version=1, summary="Books", audiences=("internal", "outside"))
class Shelf(Protocol):
    """Books that may be kept for a while."""

    @operation("GET", "/books/{book_id}", summary="Read a book", cache_seconds=SECONDS, problems=(NotFound,))
    async def get_book(self, book_id: Id) -> Book:
        """The book."""
        ...

    @operation(
        "GET",
        "/books",
        summary="List books",
        cache_seconds=SECONDS,
        outdated_by=(CUSTOMER_CHANGED,),
    )
    async def list_books(self, limit: int = 5) -> Book:
        """The books."""
        ...

    @operation("PUT", "/books/{book_id}", summary="Write a book", problems=(NotFound,))
    async def put_book(self, book_id: Id, body: Title) -> Book:
        """The book."""
        ...


class ShelfTier:
    """Counts how often it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.count = 0
        self.edition = 0
        self.fail: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()

    async def _book(self, book_id: str) -> Book:
        self.count += 1
        count, edition = self.count, self.edition
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail
        caller = context.current().caller
        return Book(book_id, f"{caller.consumer}/{caller.subject}" if caller else "", edition, count)

    async def get_book(self, book_id: str) -> Book:
        return await self._book(book_id)

    async def list_books(self, limit: int = 5) -> Book:
        return await self._book(f"first-{limit}")

    async def put_book(self, book_id: str, body: Title) -> Book:  # noqa: ARG002
        if book_id == "none":
            raise NotFound
        self.edition += 1
        return Book(book_id, "", self.edition, 0)


def mounted(tier: ShelfTier) -> Mounted:
    """The API where it stands."""
    return Mounted(Shelf, document(Shelf), in_process(Shelf, tier))
