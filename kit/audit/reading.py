"""kit/audit: the trail for its readers: a page of lines, one line, and what stands between two anchors."""

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import Row, Select, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.admin.audit import AuditAnchor, AuditLine, AuditLines, AuditPeriod
from contracts.problems import NotFound
from kit import privacy
from kit.audit.purging import purged
from kit.audit.tables import audit, audit_anchors
from kit.audit.writing import SEALED
from kit.database import decode_page, encode_page

_STORED = tuple(name for name in AuditLine.__struct_fields__ if name in audit.c)


async def find(
    conn: AsyncConnection,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
    **equal: str | None,
) -> AuditLines:
    """A page of lines, newest first; `equal` are columns and what they must be."""
    wanted = {name: value for name, value in equal.items() if value is not None}
    if "actor" in wanted:
        known = await privacy.of(conn).find(conn, wanted["actor"])
        wanted["actor"] = known or wanted["actor"]
    query = select(audit).where(*(audit.c[name] == value for name, value in wanted.items()))
    if since is not None:
        query = query.where(audit.c.at >= since)
    if until is not None:
        query = query.where(audit.c.at < until)
    place = tuple_(audit.c.at, audit.c.chain, audit.c.seq)
    if cursor:
        query = query.where(place < decode_page(cursor, tuple[dt.datetime, str, int]))
    newest = (audit.c.at.desc(), audit.c.chain.desc(), audit.c.seq.desc())
    rows = (await conn.execute(query.order_by(*newest).limit(limit + 1))).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return AuditLines(
        items=tuple([await _named(conn, row) for row in rows[:limit]]),
        next_cursor=encode_page(last.at, last.chain, last.seq) if last else None,
    )


async def get(conn: AsyncConnection, chain: str, seq: int) -> AuditLine:
    """A line with what is sealed in it, opened; raises NotFound."""
    query = select(audit).where(audit.c.chain == chain, audit.c.seq == seq)
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"There is no line {seq} in the chain {chain}")
    line = await _named(conn, row)
    sealed = line.detail.get(SEALED, "")
    return msgspec.structs.replace(line, personal=await privacy.of(conn).unseal(conn, row.actor, sealed))


async def period(conn: AsyncConnection, named: str) -> AuditPeriod:
    """The anchors around a period (``2026`` or ``2026-11``, in UTC) and those within it.

    Raises NotFound for one whose lines were all deleted, and for one that no calendar has; for one that
    is deleted in part, the rest is returned.
    """
    begin, end = _bounds(named)
    numbered, at = audit_anchors.c.number, audit_anchors.c.at
    after = (await conn.execute(select(func.max(numbered)).where(at < begin))).scalar() or 0
    upto = (await conn.execute(select(func.min(numbered)).where(at >= end))).scalar() or 0
    gone = await purged(conn)
    if upto and upto <= gone:
        raise NotFound(f"The lines of {named} were deleted, for they had expired")
    after = max(after, gone)
    query = select(audit_anchors).where(numbered >= after, (numbered <= upto) if upto else numbered > 0)
    rows = await conn.execute(query.order_by(numbered))
    anchors = tuple(msgspec.convert(row, AuditAnchor, from_attributes=True) for row in rows)
    return AuditPeriod(named, after, upto, anchors)


async def between(
    conn: AsyncConnection, after: int, upto: int, *, cursor: str | None = None, limit: int = 200
) -> AuditLines:
    """A page of lines after an anchor and up to another, by chain and number, as they are stored.

    Raises NotFound for an anchor that does not exist.
    """
    query = _between(await _heads(conn, after), await _heads(conn, upto) if upto else None)
    if cursor:
        place = decode_page(cursor, tuple[str, int])
        query = query.where(tuple_(audit.c.chain, audit.c.seq) > place)
    rows = (await conn.execute(query.order_by(audit.c.chain, audit.c.seq).limit(limit + 1))).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return AuditLines(
        items=tuple(_line(row) for row in rows[:limit]),
        next_cursor=encode_page(last.chain, last.seq) if last else None,
    )


def _between(after: dict[str, Any], upto: dict[str, Any] | None) -> Select[Any]:
    query = select(audit)
    if after:
        begun = or_(*((audit.c.chain == chain) & (audit.c.seq <= seq) for chain, (seq, _) in after.items()))
        query = query.where(~begun)
    if upto is not None:
        query = query.where(
            or_(*((audit.c.chain == chain) & (audit.c.seq <= seq) for chain, (seq, _) in upto.items()))
        )
    return query


async def _heads(conn: AsyncConnection, number: int) -> dict[str, Any]:
    if not number:
        return {}
    query = select(audit_anchors.c.heads).where(audit_anchors.c.number == number)
    heads = (await conn.execute(query)).scalar()
    if heads is None:
        raise NotFound(f"There is no anchor {number}")
    return heads


def _bounds(named: str) -> tuple[dt.datetime, dt.datetime]:
    year, _, month = named.partition("-")
    try:
        first = dt.datetime(int(year), int(month or 1), 1, tzinfo=dt.UTC)
        months = 1 if month else 12
        beyond = first.month - 1 + months
        return first, first.replace(year=first.year + beyond // 12, month=beyond % 12 + 1)
    except ValueError:
        raise NotFound(f"There is no period {named}") from None


async def _named(conn: AsyncConnection, row: Row[Any]) -> AuditLine:
    who = await privacy.shown(conn, row.actor)
    return msgspec.structs.replace(_line(row), person="" if who == row.actor else who)


def _line(row: Row[Any]) -> AuditLine:
    return AuditLine(**{name: row._mapping[name] for name in _STORED})  # noqa: SLF001 - its public name
