"""kit/audit: hashes the heads of all chains into an anchor every hour, and publishes it."""

import asyncio
import datetime as dt
import hashlib
from pathlib import Path

import httpx
import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import clock
from kit.audit.chain import GENESIS, canonical_anchor, head_text
from kit.audit.tables import audit_anchors, audit_heads
from kit.database import Database
from kit.database.locks import number_of
from kit.privacy.persons import Persons, of
from kit.telemetry import log

EVERY = dt.timedelta(hours=1)
_PUBLISH_SECONDS = 10.0
_log = log(__name__)


class Anchor(msgspec.Struct, frozen=True):
    """The state of the trail at an instant: each chain's last number and hash, and the anchor before."""

    number: int
    at: dt.datetime
    previous: str
    heads: dict[str, tuple[int, str]]
    hash: str = ""

    def content_hash(self) -> str:
        """The hash that it must have."""
        content = canonical_anchor(self.number, self.at, self.previous, self.heads)
        return hashlib.sha256(content).hexdigest()


async def anchor(database: Database, publish_to: str = "") -> Anchor | None:
    """Write an anchor when one is due, and publish it; None when none was due or no line was added since.

    It is always logged. `publish_to` is a file to append it to, or an address to POST it to: the
    anchors there show even a rewriting of the whole database. One that could not be published is covered by
    the next, which hashes it.
    """
    async with database.begin() as connection:
        lock = select(func.pg_try_advisory_xact_lock(number_of("audit:anchor")))
        if not (await connection.execute(lock)).scalar() or not await is_anchor_due(connection):
            return None
        made = await _write(connection)
    if made is not None:
        _log.info("audit anchored", number=made.number, hash=made.hash, at=made.at.isoformat())
        await _publish(made, publish_to)
    return made


async def is_anchor_due(conn: AsyncConnection) -> bool:
    """Whether an hour has passed since the last anchor, by the deployment's clock."""
    last = (await conn.execute(select(func.max(audit_anchors.c.at)))).scalar()
    return last is None or last + EVERY <= clock.now()


async def anchors_between(conn: AsyncConnection, after: int, upto: int, limit: int) -> list[Anchor]:
    """The anchors numbered after one and up to another, in order."""
    numbered = audit_anchors.c.number
    query = select(audit_anchors).where(numbered > after, numbered <= upto).order_by(numbered).limit(limit)
    return [read_anchor(row) for row in await conn.execute(query)]


async def _write(conn: AsyncConnection) -> Anchor | None:
    last = (
        await conn.execute(select(audit_anchors).order_by(audit_anchors.c.number.desc()).limit(1))
    ).one_or_none()
    people = of(conn)
    if last is None:
        await _sign_old_heads(conn, people)
    rows = await conn.execute(select(audit_heads).order_by(audit_heads.c.chain))
    heads = {row.chain: (row.seq, row.hash) for row in rows if row.seq}
    if not heads or (last is not None and read_anchor(last).heads == heads):
        return None
    number, previous = (last.number + 1, last.hash) if last is not None else (1, GENESIS)
    bare = Anchor(number, clock.now(), previous, heads)
    made = msgspec.structs.replace(bare, hash=bare.content_hash())
    seal = people.keys.sign(f"anchor:{made.hash}")
    await conn.execute(insert(audit_anchors).values(**msgspec.structs.asdict(made), seal=seal))
    return made


async def _sign_old_heads(conn: AsyncConnection, people: Persons) -> None:
    """Sign the heads of chains that an earlier release wrote, which signed none: once, before any anchor."""
    for row in (
        await conn.execute(select(audit_heads).where(audit_heads.c.seal == "").with_for_update())
    ).all():
        seal = people.keys.sign(head_text(row.chain, row.seq, row.hash))
        await conn.execute(update(audit_heads).where(audit_heads.c.chain == row.chain).values(seal=seal))


def read_anchor(row: object) -> Anchor:
    """The anchor of a row of its table."""
    return msgspec.convert(row, Anchor, from_attributes=True)


async def _publish(made: Anchor, publish_to: str) -> None:
    if not publish_to:
        return
    content = msgspec.json.encode(made)
    try:
        if publish_to.startswith(("http://", "https://")):
            async with httpx.AsyncClient(timeout=_PUBLISH_SECONDS) as http:
                headers = {"Content-Type": "application/json"}
                (await http.post(publish_to, content=content, headers=headers)).raise_for_status()
        else:
            await asyncio.to_thread(_append, Path(publish_to), content + b"\n")
    except (httpx.HTTPError, OSError) as error:
        _log.error("anchor not published", number=made.number, reason=type(error).__name__)


def _append(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line)
