"""kit/audit: adds lines to the trail, in the transaction of the work that they record."""

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import clock, context
from kit.audit.chain import GENESIS, hash_of, head_text
from kit.audit.tables import audit, audit_heads
from kit.privacy.persons import Persons, is_pseudonym, of
from kit.texts import storable

_MAX_ASIDE = 2000
SEALED = "sealed"
"""Under this name a line's detail carries what is personal in it, sealed under the actor's key."""


ROW = "row"
"""Under this name a line's detail says which of its writer's rows it is: no line of several is missed."""

SET_ASIDE = "set_aside"
"""Under this name a line's detail says why the line could not be written as it was."""


class AuditEntry(msgspec.Struct, frozen=True):
    """One line of the trail.

    An `actor` beside a `consumer` that it is not is a person, and stands in the line under a pseudonym.
    `personal` is what only the person's key shall open; of a machine it stands in the detail as it is.
    """

    action: str
    outcome: str
    actor: str = ""
    consumer: str = ""
    subject: str = ""
    detail: dict[str, Any] = {}
    correlation_id: str = ""
    personal: dict[str, Any] = {}


async def write(
    conn: AsyncConnection,
    *,
    action: str,
    outcome: str,
    actor: str = "",
    consumer: str = "",
    subject: str = "",
    detail: dict[str, Any] | None = None,
    correlation_id: str = "",
    personal: dict[str, Any] | None = None,
) -> None:
    """Add a line in the transaction of the work that it records; see `AuditEntry`."""
    entry = AuditEntry(
        action, outcome, actor, consumer, subject, detail or {}, correlation_id, personal or {}
    )
    await write_all(conn, [entry])


async def write_all(conn: AsyncConnection, batch: Sequence[AuditEntry]) -> None:
    """Add several lines at once, for instance the denials that a gateway has gathered."""
    if not batch:
        return
    lines = await _settle(conn, batch)
    people = of(conn)
    chain, seq, previous = await _take_chain(conn, people)
    rows: list[dict[str, Any]] = []
    for line in lines:
        seq += 1
        row = {"chain": chain, "seq": seq, "at": clock.now(), "previous": previous, **line}
        row["hash"] = previous = hash_of(row)
        rows.append(row)
    await conn.execute(insert(audit), rows)
    seal = people.keys.sign(head_text(chain, seq, previous))
    head = update(audit_heads).where(audit_heads.c.chain == chain)
    await conn.execute(head.values(seq=seq, hash=previous, seal=seal))


def numbered(writer: str, number: int) -> dict[str, Any]:
    """What a writer of batches puts into a line's detail: its name, and the number of the row."""
    return {ROW: {"writer": writer, "number": number}}


def set_aside(entry: AuditEntry, error: Exception) -> AuditEntry:
    """The entry in a form that can always be written: escapes for what cannot be stored, detail as text."""
    names = ("action", "outcome", "actor", "consumer", "subject", "correlation_id")
    texts = {name: storable(str(getattr(entry, name)))[:_MAX_ASIDE] for name in names}
    rest = {name: value for name, value in entry.detail.items() if name != ROW}
    reduced = {SET_ASIDE: type(error).__name__, "detail": storable(repr(rest))[:_MAX_ASIDE]}
    if ROW in entry.detail:
        reduced[ROW] = entry.detail[ROW]
    personal = {storable(name): storable(str(value)) for name, value in entry.personal.items()}
    return AuditEntry(**texts, detail=reduced, personal=personal)


def consumer() -> str:
    """The consumer through which the running request came; empty for work of our own."""
    caller = context.current().caller
    return caller.consumer if caller else ""


async def _settle(conn: AsyncConnection, batch: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    """The lines with people under their pseudonyms and what is personal sealed."""
    people = of(conn)
    # In one order, so that two batches that meet new people never wait for each other in a circle.
    subjects = sorted({entry.actor for entry in batch if _is_subject(entry)})
    known = {subject: await people.pseudonym(conn, subject) for subject in subjects}
    lines: list[dict[str, Any]] = []
    for entry in batch:
        line = msgspec.structs.asdict(entry)
        line["actor"] = actor = known[entry.actor] if _is_subject(entry) else entry.actor
        personal = line.pop("personal")
        if personal:
            line["detail"] = {**entry.detail, **await _sealed(conn, people, actor, personal)}
        # JSON has fewer kinds of values than Python: hash what will be read back.
        line["detail"] = msgspec.json.decode(msgspec.json.encode(line["detail"]))
        lines.append(line)
    return lines


def _is_subject(entry: AuditEntry) -> bool:
    named = bool(entry.actor and entry.consumer and entry.actor != entry.consumer)
    return named and not is_pseudonym(entry.actor)


async def _sealed(
    conn: AsyncConnection, people: Persons, actor: str, personal: dict[str, Any]
) -> dict[str, Any]:
    if not is_pseudonym(actor):
        return personal
    return {SEALED: await people.seal(conn, actor, personal)}


async def _take_chain(conn: AsyncConnection, people: Persons) -> tuple[str, int, str]:
    """A chain without a writer: no transaction waits for one, so the trail cannot be part of a deadlock."""
    free = select(audit_heads).limit(1).with_for_update(skip_locked=True)
    head = (await conn.execute(free)).one_or_none()
    if head is not None:
        return head.chain, head.seq, head.hash
    chain = secrets.token_hex(8)
    seal = people.keys.sign(head_text(chain, 0, GENESIS))
    await conn.execute(insert(audit_heads).values(chain=chain, seq=0, hash=GENESIS, seal=seal))
    return chain, 0, GENESIS
