"""kit/privacy: who stands behind a pseudonym; memory answers, the table is asked once a minute per person."""

import base64
import datetime as dt
import re
import secrets
import time
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Engine, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import clock, context
from kit.database import Database, get_cursor
from kit.database.tables import cursors
from kit.privacy.keys import KEY_BYTES, DerivedKeys, seal, unseal
from kit.privacy.tables import persons
from kit.settings import SettingsError

PATTERN = r"^per_[0-9a-hjkmnp-tv-z]{26}$"
_is_pseudonym = re.compile(PATTERN).match
# A person erased by another process is forgotten here within this time.
_REMEMBERED_SECONDS = 60.0
_MANY = 10_000
_FINGERPRINT = "master-key"
_SEEN_EVERY = dt.timedelta(days=1)
# Whether this very transaction has written the row: it may yet be rolled back, so memory may not hold it.
_OURS = literal_column("(xmin = pg_current_xact_id_if_assigned()::xid) IS TRUE").label("ours")


class KeysMissing(Exception):  # noqa: N818 - a mistake in the program, not a failure of ours
    """Neither `claim` nor `use` was called for a database: what it signs, nobody could verify."""


class Person(msgspec.Struct, frozen=True):
    """A person as far as we know one: the pseudonym, the key, and what is sealed under it, opened."""

    id: str
    key: bytes
    fields: dict[str, Any]


class _Remembered(msgspec.Struct, frozen=True):
    person: Person
    until: float


class Persons:
    """The people of one database."""

    def __init__(self, keys: DerivedKeys) -> None:
        self.keys = keys
        self._by_subject: dict[str, _Remembered] = {}
        self._by_id: dict[str, _Remembered] = {}
        # A read beside the erasure's transaction still sees the person, and may not put it into memory again.
        self._erased: set[str] = set()

    async def pseudonym(self, conn: AsyncConnection, subject: str) -> str:
        """The pseudonym of a subject, created at the first request."""
        remembered = self._by_subject.get(subject)
        if remembered is not None and remembered.until > time.monotonic():
            return remembered.person.id
        lookup = self.keys.lookup(subject)
        person = await self._read(conn, persons.c.lookup == lookup)
        if person is not None:
            await _note_seen(conn, person.id)
            return person.id
        return await self._mint(conn, subject, lookup)

    async def person(self, conn: AsyncConnection, pseudonym: str) -> Person | None:
        """The person behind a pseudonym; None when erased, or never ours."""
        remembered = self._by_id.get(pseudonym)
        if remembered is not None and remembered.until > time.monotonic():
            return remembered.person
        return await self._read(conn, persons.c.id == pseudonym)

    async def find(self, conn: AsyncConnection, wanted: str) -> str | None:
        """The pseudonym of a person named by subject or by pseudonym, erased ones included; creates none."""
        named = persons.c.id == wanted
        query = select(persons.c.id).where(named | (persons.c.lookup == self.keys.lookup(wanted)))
        return (await conn.execute(query)).scalar()

    async def seal(self, conn: AsyncConnection, pseudonym: str, fields: dict[str, Any]) -> str:
        """Personal fields as text that only the person's key opens; empty once that key is destroyed."""
        person = await self.person(conn, pseudonym)
        if person is None:
            return ""
        return base64.b64encode(seal(person.key, msgspec.json.encode(fields), person.id)).decode()

    async def unseal(self, conn: AsyncConnection, pseudonym: str, sealed: str) -> dict[str, Any]:
        """What `seal` was given; empty for an erased person. Raises SealBroken."""
        person = await self.person(conn, pseudonym)
        if person is None or not sealed:
            return {}
        plain = unseal(person.key, base64.b64decode(sealed), person.id)
        return msgspec.json.decode(plain, type=dict[str, Any])

    def forget(self, erased: str = "") -> None:
        """Clear the cache of persons; one that is being erased is not cached again."""
        if erased:
            self._erased.add(erased)
        self._by_subject.clear()
        self._by_id.clear()

    async def _read(self, conn: AsyncConnection, which: Any) -> Person | None:
        row = (await conn.execute(select(persons, _OURS).where(which))).one_or_none()
        if row is None or row.wrapped_key is None:
            return None
        key = self.keys.unwrap(row.wrapped_key, row.id)
        fields = msgspec.json.decode(unseal(key, row.sealed, row.id), type=dict[str, Any])
        person = Person(row.id, key, fields)
        if not row.ours:
            self._remember(person)
        return person

    async def _mint(self, conn: AsyncConnection, subject: str, lookup: str) -> str:
        identity, key = context.new_id("per"), secrets.token_bytes(KEY_BYTES)
        row = insert(persons).values(
            id=identity,
            lookup=lookup,
            wrapped_key=self.keys.wrap(key, identity),
            sealed=seal(key, msgspec.json.encode({"subject": subject}), identity),
            first_seen_at=clock.now(),
            seen_at=clock.now(),
        )
        made = await conn.execute(row.on_conflict_do_nothing().returning(persons.c.id))
        if made.scalar() is not None:
            return identity
        # Another transaction has inserted it and committed, because the insert waited.
        return (await conn.execute(select(persons.c.id).where(persons.c.lookup == lookup))).scalar_one()

    def _remember(self, person: Person) -> None:
        if person.id in self._erased:
            return
        if len(self._by_id) >= _MANY:
            self.forget()
        remembered = _Remembered(person, time.monotonic() + _REMEMBERED_SECONDS)
        self._by_id[person.id] = self._by_subject[person.fields["subject"]] = remembered


_of_engines: WeakKeyDictionary[Engine, Persons] = WeakKeyDictionary()


def use(database: Database, keys: DerivedKeys) -> Persons:
    """Read and seal with these keys in a database; called once, before anything is written."""
    people = _of_engines[database.engine.sync_engine] = Persons(keys)
    return people


def keys_of(database: Database) -> DerivedKeys:
    """The keys that are used in a database; raises KeysMissing."""
    return _of(database.engine.sync_engine).keys


async def claim(database: Database, keys: DerivedKeys) -> Persons:
    """Use these keys, if they are those under which the database was written; raises SettingsError if not."""
    async with database.begin() as connection:
        first = insert(cursors).values(name=_FINGERPRINT, value=keys.fingerprint)
        await connection.execute(first.on_conflict_do_nothing())
        written = await get_cursor(connection, _FINGERPRINT)
    if written != keys.fingerprint:
        fault = "this database was written under another master key: give every process that one"
        raise SettingsError([f"ENFILADE_MASTER_KEY: {fault}"])
    return use(database, keys)


def of(conn: AsyncConnection) -> Persons:
    """The people of a connection's database; raises KeysMissing."""
    return _of(conn.sync_engine)


def _of(engine: Engine) -> Persons:
    if (people := _of_engines.get(engine)) is None:
        raise KeysMissing(
            "This process has no keys for the database: call privacy.claim or privacy.use before anything "
            "is signed, sealed or put under a pseudonym"
        )
    return people


def is_pseudonym(actor: str) -> bool:
    """Whether a stored actor is a person, and not a machine."""
    return _is_pseudonym(actor) is not None


async def actor(conn: AsyncConnection) -> str:
    """The actor of the running work, as it may be stored: a machine's name or a person's pseudonym."""
    here = context.current()
    caller = here.caller
    if caller is None or caller.subject == caller.consumer:
        return here.who
    return await of(conn).pseudonym(conn, caller.subject)


async def shown(conn: AsyncConnection, stored: str) -> str:
    """A stored actor as the running request's caller may see it: the subject, unless it was erased.

    Work without a caller, such as a durable step, gets the stored name: its results are stored too.
    """
    if not is_pseudonym(stored) or context.current().caller is None:
        return stored
    person = await of(conn).person(conn, stored)
    return stored if person is None else str(person.fields["subject"])


async def _note_seen(conn: AsyncConnection, pseudonym: str) -> None:
    """Record that a person was seen, once a day at most; a locked row is skipped, not waited for."""
    old = clock.now() - _SEEN_EVERY
    free = select(persons.c.id).where(persons.c.id == pseudonym, persons.c.seen_at < old)
    await conn.execute(
        update(persons)
        .where(persons.c.id.in_(free.with_for_update(skip_locked=True)))
        .values(seen_at=clock.now())
    )
