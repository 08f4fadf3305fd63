"""tests/kit/postings: a toy system with a batch operation, its adapter, and the flow that posts to it."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import msgspec

from contracts.canonical.batch import BatchResult, Posted, PostedRecords, RecordKeys, RefusedRecord
from contracts.canonical.values import Money, Ref
from contracts.operation import api, operation
from kit.clients import local
from kit.database import Database
from kit.effects import Effects, guarded
from kit.http import Outbound
from kit.ownership import Ownership
from kit.postings import Posting
from kit.postings.flow import PostingFlow
from tests.kit.http.stand import Asked, Reply

OWNERSHIP = Ownership.load(Path(__file__).parents[3] / "contracts/ownership")
FLOW, NOUN, INSTANCE = "post-entries", "entry", "toy-main"
CLOSED = "closed"
WAIT_OUT_SECONDS = 1.0


class Entry(msgspec.Struct, frozen=True):
    """Something done, to be charged to an account."""

    key: str
    account: str
    amount: Money
    note: str = ""


class EntryBatch(msgspec.Struct, frozen=True):
    items: tuple[Entry, ...]


@api("system", "entries", version=1, summary="Entries")
class Entries(Protocol):
    """A small system that takes many records at once."""

    @operation("POST", "/entries/batch", summary="Post entries", lane="batch", deadline=30)
    async def post_entries(self, body: EntryBatch) -> BatchResult: ...

    @operation("POST", "/entries/find", summary="Find entries", access="read", idempotency="safe")
    async def find_entries(self, body: RecordKeys) -> PostedRecords: ...


class Adapter:
    """The system over HTTP."""

    def __init__(self, http: Outbound) -> None:
        self._http = http

    async def post_entries(self, body: EntryBatch) -> BatchResult:
        return (await self._http.send("POST", "/batch", body=body)).json(BatchResult)

    async def find_entries(self, body: RecordKeys) -> PostedRecords:
        return (await self._http.send("POST", "/find", body=body, effect=False)).json(PostedRecords)


def posting_flow(adapter: Any, database: Database, **more: Any) -> PostingFlow[Entry]:
    client = guarded(Entries, local(Entries, adapter))
    given: dict[str, Any] = {
        "name": FLOW,
        "title": "Post entries",
        "noun": NOUN,
        "record": Entry,
        "effects": Effects(lambda *_: client, OWNERSHIP, database),
        "database": database,
        "operation": Entries.post_entries,
        "find": Entries.find_entries,
        "body": EntryBatch,
        "amount": lambda entry: entry.amount,
        "wait": 0.2,
        **more,
    }
    return PostingFlow(**given)


def posting(number: int, revision: int = 1, account: str = "4000", **more: Any) -> Posting:
    """The record of a number: every 50th is of an account that is closed."""
    key = f"entry-{number}-{revision}"
    amount = Money(Decimal(number % 97 + 1) / 4, ("EUR", "USD")[number % 2])
    given: dict[str, Any] = {
        "source": f"entry-{number}",
        "revision": revision,
        "instance": INSTANCE,
        "key": key,
        "body": Entry(key, account, amount, "worked"),
        "actor": "bob",
        "correlation_id": f"cor_{number}",
        **more,
    }
    return Posting(**given)


class ToyVendor:
    """The system itself: keys are not unique there, it commits late, and forgets to say what it did.

    `before_commit` and `before_answer` are called with the number of the request.
    """

    def __init__(self) -> None:
        self.made: defaultdict[str, list[Money]] = defaultdict(list)
        self.requests = 0
        self.found = 0
        self.before_commit: Callable[[int], Awaitable[None]] = _nothing
        self.before_answer: Callable[[int], Awaitable[None]] = _nothing
        self.drops_after: frozenset[int] = frozenset()
        self._asked_once: set[str] = set()

    async def answer(self, asked: Asked) -> Reply:
        if asked.path == "/find":
            self.found += 1
            keys = msgspec.json.decode(asked.body, type=RecordKeys).keys
            posted = PostedRecords(tuple(self._posted(key) for key in keys if key in self.made))
            return Reply(body=msgspec.json.encode(posted))
        self.requests += 1
        number = self.requests
        await self.before_commit(number)
        result = self._post(msgspec.json.decode(asked.body, type=EntryBatch).items)
        await self.before_answer(number)
        return Reply(body=msgspec.json.encode(result), drop=number in self.drops_after)

    def _post(self, entries: tuple[Entry, ...]) -> BatchResult:
        done: list[Posted] = []
        refused: list[RefusedRecord] = []
        doubtful: list[str] = []
        for entry in entries:
            if entry.account == CLOSED:
                refused.append(RefusedRecord(entry.key, "account_closed", "The account is closed"))
                continue
            whim = hashlib.sha256(entry.key.encode()).digest()[0] % 64
            if whim == 1 and entry.key not in self._asked_once:  # it did not, and cannot say
                self._asked_once.add(entry.key)
                doubtful.append(entry.key)
                continue
            self.made[entry.key].append(entry.amount)
            if whim == 2:  # it did, and cannot say
                doubtful.append(entry.key)
            elif whim != 3:  # it did, and does not mention it
                done.append(self._posted(entry.key))
        return BatchResult(tuple(done), tuple(refused), tuple(doubtful))

    def _posted(self, key: str) -> Posted:
        return Posted(key, (Ref(INSTANCE, NOUN, f"id-{key}"),), self.made[key][0])


async def _nothing(_: int) -> None:
    await asyncio.sleep(0)
