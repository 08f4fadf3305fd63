"""kit/privacy: what a person may ask of us: all that is held, and that it be forgotten."""

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, LargeBinary, Table, Text, cast, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.problems import Conflict, NotFound
from kit import audit, clock
from kit.audit.tables import audit as trail
from kit.database.declaring import declared
from kit.database.tables import idempotency_keys
from kit.privacy.persons import Persons, actor, of
from kit.privacy.tables import holds, persons


class Erasure(msgspec.Struct, frozen=True):
    """A person's erasure: the pseudonym that remains in the records, and when the person was erased."""

    person: str
    erased_at: dt.datetime


class Held(msgspec.Struct, frozen=True):
    """All that is held about a person: what is sealed, opened, and the rows that name the pseudonym."""

    person: str
    fields: dict[str, Any]
    rows: dict[str, list[dict[str, Any]]]
    first_seen_at: dt.datetime
    seen_at: dt.datetime
    erased_at: dt.datetime | None


async def export(conn: AsyncConnection, wanted: str) -> Held:
    """All that is held about a person, named by subject or pseudonym; raises NotFound.

    In the caller's transaction, which also writes the export to the audit.
    """
    people = of(conn)
    pseudonym = await _find(conn, people, wanted)
    person = await people.person(conn, pseudonym)
    row = (await conn.execute(select(persons).where(persons.c.id == pseudonym))).one()
    rows = {"audit": await _audit(conn, people, pseudonym)}
    for table in declared():
        if table not in (trail, persons) and (named := _named(table, pseudonym)):
            shown = [column for column in table.c if column.name != "hash"]  # an API key's, which is a secret
            matches = await conn.execute(select(*shown).where(or_(*named)))
            rows[table.name] = [dict(each._mapping) for each in matches]  # noqa: SLF001 - SQLAlchemy's public name
    await _audit_request(conn, "privacy.exported", pseudonym, "")
    fields = person.fields if person else {}
    return Held(pseudonym, fields, rows, row.first_seen_at, row.seen_at, row.erased_at)


async def erase(conn: AsyncConnection, wanted: str, reason: str) -> Erasure:
    """Destroy a person's key, in the caller's transaction: what was sealed under it is noise from then on.

    Raises NotFound, and Conflict where the person is under a legal hold or was erased before.
    """
    people = of(conn)
    pseudonym = await _find(conn, people, wanted)
    row = (await conn.execute(select(persons).where(persons.c.id == pseudonym).with_for_update())).one()
    if row.erased_at is not None:
        raise Conflict(f"{pseudonym} was erased before")
    if (await conn.execute(select(holds.c.subject).where(holds.c.subject == pseudonym))).scalar():
        raise Conflict(f"{pseudonym} is under a legal hold")
    person = await people.person(conn, pseudonym)
    if person is not None:
        await _drop_answers(conn, str(person.fields["subject"]))
    now = clock.now()
    await shred(conn, persons.c.id == pseudonym, now)
    people.forget(pseudonym)
    await _audit_request(conn, "privacy.erased", pseudonym, reason)
    return Erasure(pseudonym, now)


async def shred(conn: AsyncConnection, which: ColumnElement[bool], now: dt.datetime) -> int:
    """Destroy the keys of these people; how many those were."""
    gone = {"lookup": None, "wrapped_key": None, "sealed": None, "erased_at": now}
    return (await conn.execute(update(persons).where(which).values(gone))).rowcount


async def _find(conn: AsyncConnection, people: Persons, wanted: str) -> str:
    person = await people.find(conn, wanted)
    if person is None:
        raise NotFound("No person has this subject or pseudonym")
    return person


async def _audit(conn: AsyncConnection, people: Persons, pseudonym: str) -> list[dict[str, Any]]:
    """The lines that the person made or that are about the person, with what is sealed opened."""
    named = or_(trail.c.actor == pseudonym, trail.c.subject == pseudonym)
    rows = (await conn.execute(select(trail).where(named).order_by(trail.c.at))).all()
    return [
        {**row._asdict(), "personal": await people.unseal(conn, pseudonym, row.detail.get(audit.SEALED, ""))}
        if row.actor == pseudonym
        else row._asdict()
        for row in rows
    ]


async def _drop_answers(conn: AsyncConnection, subject: str) -> None:
    """Delete the stored answers that name the person; a repeated request then goes to the tier again."""
    named = func.position(literal(subject.encode()).op("IN")(idempotency_keys.c.body)) > 0
    await conn.execute(idempotency_keys.delete().where(named))


async def _audit_request(conn: AsyncConnection, action: str, pseudonym: str, reason: str) -> None:
    by = await actor(conn)
    await audit.write(
        conn,
        action=action,
        outcome="done",
        actor=by,
        consumer=audit.consumer(),
        subject=pseudonym,
        personal={"reason": reason} if reason else None,
    )


def _named(table: Table, pseudonym: str) -> list[ColumnElement[bool]]:
    """Where a table's personal columns have the pseudonym: as their value, or in a document."""
    columns = [table.c[name] for name in table.info["personal"]]
    return [
        cast(column, Text).contains(pseudonym) if isinstance(column.type, JSONB) else column == pseudonym
        for column in columns
        if not isinstance(column.type, LargeBinary)
    ]
