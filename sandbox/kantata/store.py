"""Kantata stand-in: one request's changes to the records: all of them or none, with the events they cause."""

from collections.abc import Callable
from typing import Any

from sandbox.core import Account
from sandbox.kantata.catalogue import COLLECTIONS
from sandbox.kantata.values import instant

Record = dict[str, Any]

# Ids of another seed look different, as those of another customer do.
SEED_STRIDE = 100_000
# Changes that are bookkeeping: they move no timestamp and are no news.
QUIET = frozenset({"updated_at"})


class Unit:
    """The changes of one request, undone together when the request is refused."""

    def __init__(self, account: Account, user_id: str, chosen_ids: dict[str, str] | None = None) -> None:
        self.account = account
        self._chosen_ids = chosen_ids or {}
        self.user_id = user_id
        self.now = instant(account.clock.now())
        self.events: list[Record] = []
        self._undo: list[Callable[[], object]] = []

    def rows(self, key: str) -> dict[str, Record]:
        return self.account.tables.setdefault(key, {})

    def find(self, key: str, record_id: str | None) -> Record | None:
        return self.rows(key).get(record_id or "")

    def where(self, key: str, **equal: Any) -> list[Record]:
        return [
            row
            for row in self.rows(key).values()
            if all(row.get(name) == want for name, want in equal.items())
        ]

    def new_id(self, key: str) -> str:
        if key in self._chosen_ids:
            return self._chosen_ids.pop(key)
        first = COLLECTIONS[key].first_id + (self.account.seed - 1) * SEED_STRIDE
        return str(first + self.account.next_number(key))

    def insert(self, key: str, fields: Record) -> Record:
        record = {**fields, "id": self.new_id(key), "created_at": self.now, "updated_at": self.now}
        rows = self.rows(key)
        rows[record["id"]] = record
        self._undo.append(lambda: rows.pop(record["id"], None))
        self.tell(key, "created", record, {}, plain(record))
        return record

    def amend(self, key: str, record: Record, fields: Record, *, verb: str = "updated") -> Record:
        changed = {
            name: value for name, value in fields.items() if name not in record or record[name] != value
        }
        if not changed:
            return record
        before = dict(record)
        self._undo.append(lambda: (record.clear(), record.update(before)))
        record.update(changed, updated_at=self.now)
        news = plain({name: value for name, value in changed.items() if name not in QUIET})
        if news:
            self.tell(key, verb, record, {name: before.get(name) for name in news}, news)
        return record

    def refresh(self, key: str, record_id: str | None) -> None:
        """Move a parent's `updated_at`, as the vendor does when a child changes."""
        record = self.find(key, record_id)
        if record:
            self.amend(key, record, {"updated_at": self.now})

    def erase(self, key: str, record: Record) -> None:
        rows = self.rows(key)
        del rows[record["id"]]
        self._undo.append(lambda: rows.__setitem__(record["id"], record))
        self.tell(key, "deleted", record, plain(record), {})

    def tell(self, key: str, verb: str, record: Record, before: Record, after: Record) -> None:
        collection = COLLECTIONS[key]
        if collection.event:
            subject = (collection.subject, record["id"])
            self.note(f"{collection.event}:{verb}", subject, before, after)

    def note(self, event_type: str, subject: tuple[str, str], before: Record, after: Record) -> None:
        names = list(dict.fromkeys([*before, *after]))
        self.events.append(
            {
                "event_type": event_type,
                "user_id": self.user_id,
                "subject_type": subject[0],
                "subject_id": int(subject[1]),
                "subject_changed_at": self.now,
                "previous_payload": before,
                "current_payload": after,
                "payload_changes": {name: [before.get(name), after.get(name)] for name in names},
            }
        )

    def commit(self) -> list[Record]:
        """Store the changes; the events to be published are the caller's."""
        if self._undo:
            self.account.touch()
        self._undo.clear()
        events, self.events = self.events, []
        return events

    def rollback(self) -> None:
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self.events.clear()


def plain(record: Record) -> Record:
    """What of a record others see: all but the stand-in's own marks."""
    return {name: value for name, value in record.items() if not name.startswith("_")}


def alive(unit_now: str, row: Record) -> bool:
    """Whether a row exists for readers yet: a template's tasks may come after the answer to the POST."""
    return row.get("_visible_at", "") <= unit_now
