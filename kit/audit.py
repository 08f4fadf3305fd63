"""kit: the audit trail: who did what with which outcome, in the work's own transaction, chained by hashes."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import clock
from kit.database.tables import audit, audit_heads

GENESIS = "0" * 64


class Entry(msgspec.Struct, frozen=True):
    """One line of the trail."""

    action: str
    outcome: str
    actor: str = ""
    consumer: str = ""
    subject: str = ""
    detail: dict[str, Any] = {}
    correlation_id: str = ""


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
) -> None:
    """Add a line in the transaction of what it tells of."""
    await denials(conn, [Entry(action, outcome, actor, consumer, subject, detail or {}, correlation_id)])


async def denials(conn: AsyncConnection, batch: Sequence[Entry]) -> None:
    """Add several lines at once, for instance the refusals that a door has gathered."""
    if not batch:
        return
    chain, seq, previous = await _take_chain(conn)
    rows: list[dict[str, Any]] = []
    for entry in batch:
        seq += 1
        row = {"chain": chain, "seq": seq, "at": clock.now(), "previous": previous}
        row |= msgspec.structs.asdict(entry)
        # JSON has fewer kinds of values than Python: hash what will be read back.
        row["detail"] = msgspec.json.decode(msgspec.json.encode(entry.detail))
        row["hash"] = previous = _hash(row)
        rows.append(row)
    await conn.execute(insert(audit), rows)
    head = update(audit_heads).where(audit_heads.c.chain == chain)
    await conn.execute(head.values(seq=seq, hash=previous))


async def verify(conn: AsyncConnection) -> list[str]:
    """Every break of the trail, in a sentence each; an empty list when nobody altered it."""
    heads = {row.chain: row for row in await conn.execute(select(audit_heads))}
    last: dict[str, tuple[int, str]] = {}
    faults: list[str] = []
    rows = await conn.stream(select(audit).order_by(audit.c.chain, audit.c.seq))
    async for row in rows:
        seq, previous = last.get(row.chain, (0, GENESIS))
        if (row.seq, row.previous) != (seq + 1, previous):
            faults.append(f"chain {row.chain}: a line before number {row.seq} was removed or replaced")
        if _hash(row._asdict()) != row.hash:
            faults.append(f"chain {row.chain}: line {row.seq} was altered")
        last[row.chain] = (row.seq, row.hash)
    for chain in heads.keys() | last.keys():
        known = (heads[chain].seq, heads[chain].hash) if chain in heads else None
        if known != last.get(chain, (0, GENESIS)):
            faults.append(f"chain {chain}: lines at its end were removed or added")
    return faults


async def _take_chain(conn: AsyncConnection) -> tuple[str, int, str]:
    """A chain that nobody is writing to: nobody waits, so the trail can never be part of a deadlock."""
    free = select(audit_heads).limit(1).with_for_update(skip_locked=True)
    head = (await conn.execute(free)).one_or_none()
    if head is not None:
        return head.chain, head.seq, head.hash
    chain = secrets.token_hex(8)
    await conn.execute(insert(audit_heads).values(chain=chain, seq=0, hash=GENESIS))
    return chain, 0, GENESIS


def _hash(row: dict[str, Any]) -> str:
    told = {name: value for name, value in row.items() if name not in ("hash", "at")}
    told["at"] = row["at"].timestamp()
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()
