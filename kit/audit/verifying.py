"""kit/audit: reads the whole trail and reports every break of its chains."""

from typing import Any

import msgspec
from sqlalchemy import BigInteger, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.audit.anchoring import Anchor
from kit.audit.chain import GENESIS, hash_of, head_text
from kit.audit.tables import audit, audit_anchors, audit_heads
from kit.audit.writing import ROW, SET_ASIDE
from kit.database import Database
from kit.privacy.persons import Persons, of

PURGED = "audit.purged"
"""The action of the line which says that the lines under an anchor were deleted, because they had expired."""


class Verification(msgspec.Struct, frozen=True):
    """What was read, and every break in a sentence each; `anchor` is the last one's number and hash.

    `set_aside` are lines that could not be written unchanged, and were written with escapes.
    """

    lines: int
    anchors: int
    anchor: tuple[int, str]
    faults: tuple[str, ...]
    set_aside: int = 0


async def check(database: Database, copy: tuple[int, str] | None = None) -> Verification:
    """The verification of the whole trail; `copy` is the number and hash of an anchor stored elsewhere."""
    async with database.connect() as connection:
        # One snapshot, because lines are added meanwhile.
        await connection.execution_options(isolation_level="REPEATABLE READ")
        return await _Check(of(connection)).run(connection, copy)


class _Check:
    """One reading of the trail."""

    def __init__(self, people: Persons) -> None:
        self._keys = people.keys
        self._faults: list[str] = []
        self._anchors: dict[int, Anchor] = {}
        self._anchored: dict[tuple[str, int], tuple[str, int]] = {}
        self._first: dict[str, tuple[int, str]] = {}
        self._last: dict[str, tuple[int, str]] = {}
        self._purged = 0
        self._lines = 0
        self._set_aside = 0

    async def run(self, conn: AsyncConnection, copy: tuple[int, str] | None) -> Verification:
        await self._read_anchors(conn)
        rows = await conn.stream(select(audit).order_by(audit.c.chain, audit.c.seq))
        async for row in rows:
            self._take(row)
        self._check_beginnings()
        await self._check_ends(conn)
        self._check_anchored()
        await self._check_numbers(conn)
        if copy is not None:
            self._check_copy(*copy)
        number = max(self._anchors, default=0)
        last = (number, self._anchors[number].hash) if number else (0, GENESIS)
        return Verification(self._lines, len(self._anchors), last, tuple(self._faults), self._set_aside)

    async def _read_anchors(self, conn: AsyncConnection) -> None:
        number, previous = 0, GENESIS
        for row in await conn.execute(select(audit_anchors).order_by(audit_anchors.c.number)):
            anchor = msgspec.convert(row, Anchor, from_attributes=True)
            if (anchor.number, anchor.previous) != (number + 1, previous):
                self._faults.append(f"anchor {anchor.number}: one before it was removed or replaced")
            if anchor.hash != anchor.content_hash() or row.seal != self._keys.sign(f"anchor:{anchor.hash}"):
                self._faults.append(f"anchor {anchor.number} was altered")
            self._anchors[anchor.number] = anchor
            self._anchored |= {
                (chain, seq): (last, anchor.number) for chain, (seq, last) in anchor.heads.items()
            }
            number, previous = anchor.number, anchor.hash

    def _take(self, row: Any) -> None:
        self._lines += 1
        self._set_aside += SET_ASIDE in row.detail
        before = self._last.get(row.chain)
        if before is None:
            self._first[row.chain] = (row.seq, row.previous)
        elif (row.seq, row.previous) != (before[0] + 1, before[1]):
            self._faults.append(f"chain {row.chain}: a line before number {row.seq} was removed or replaced")
        if hash_of(row._asdict()) != row.hash:
            self._faults.append(f"chain {row.chain}: line {row.seq} was altered")
        anchored = self._anchored.pop((row.chain, row.seq), None)
        if anchored is not None and anchored[0] != row.hash:
            self._faults.append(
                f"chain {row.chain}: line {row.seq} is not the one that anchor {anchored[1]} saw"
            )
        if row.action == PURGED:
            self._purged = max(self._purged, int(row.detail.get("anchor", 0)))
        self._last[row.chain] = (row.seq, row.hash)

    def _purged_heads(self) -> dict[str, tuple[int, str]]:
        """How far each chain was rightly purged: the heads of the anchor that a line of the trail names."""
        anchor = self._anchors.get(self._purged)
        return anchor.heads if anchor is not None else {}

    def _check_beginnings(self) -> None:
        gone = self._purged_heads()
        for chain, (seq, previous) in self._first.items():
            last, last_hash = gone.get(chain, (0, GENESIS))
            if seq > last + 1 or (seq == last + 1 and previous != last_hash):
                self._faults.append(f"chain {chain}: lines before number {seq} were removed")

    async def _check_ends(self, conn: AsyncConnection) -> None:
        gone = self._purged_heads()
        heads = {row.chain: row for row in await conn.execute(select(audit_heads))}
        for chain in sorted(heads.keys() | self._last.keys()):
            last = self._last.get(chain) or gone.get(chain) or (0, GENESIS)
            head = heads.get(chain)
            if head is None or (head.seq, head.hash) != last:
                self._faults.append(f"chain {chain}: lines at its end were removed or added")
            elif not self._is_signed(head):
                self._faults.append(f"chain {chain}: its end was not written by this deployment")

    def _is_signed(self, head: Any) -> bool:
        # Before the first anchor the heads of an earlier release are not signed.
        unsigned = not head.seal and not self._anchors
        return unsigned or head.seal == self._keys.sign(head_text(head.chain, head.seq, head.hash))

    def _check_anchored(self) -> None:
        gone = self._purged_heads()
        for (chain, seq), (_, number) in sorted(self._anchored.items()):
            if seq > gone.get(chain, (0, ""))[0]:
                self._faults.append(f"chain {chain}: line {seq}, which anchor {number} saw, is not there")

    async def _check_numbers(self, conn: AsyncConnection) -> None:
        """A writer of batches numbers its rows: a missing number is a row that was lost."""
        for gap in await conn.execute(_gaps()):
            if gap.after or not self._purged:
                rows = f"rows {gap.after + 1} to {gap.number - 1}"
                self._faults.append(f"writer {gap.writer}: {rows} were never written")

    def _check_copy(self, number: int, copied_hash: str) -> None:
        anchor = self._anchors.get(number)
        if anchor is None or anchor.hash != copied_hash:
            self._faults.append(f"anchor {number} is not the one that was stored elsewhere")


def _gaps() -> Select[Any]:
    """Each writer's rows before which others are missing: the writer, the last row before, the row."""
    row = audit.c.detail[ROW]
    writer, number = row["writer"].astext, row["number"].astext.cast(BigInteger)
    before = func.coalesce(func.lag(number).over(partition_by=writer, order_by=number), 0)
    rows = select(writer.label("writer"), before.label("after"), number.label("number")).where(
        row.is_not(None)
    )
    numbered = rows.subquery()
    gap = numbered.c.number > numbered.c.after + 1
    return select(numbered).where(gap).order_by(numbered.c.writer, numbered.c.number)
