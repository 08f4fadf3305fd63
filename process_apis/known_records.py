"""What we know of vendors' records: a fingerprint of each field as it was last seen, never its value."""

# ruff: noqa: A002 - an object is called what it is

import hashlib

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import clock
from kit.database import metadata
from kit.database.declaring import declare
from kit.database.tables import ledger

known_records = sa.Table(
    "known_records",
    metadata,
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("object", sa.Text, primary_key=True),
    sa.Column("vendor_id", sa.Text, primary_key=True),
    sa.Column("fields", JSONB, nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
)
declare(known_records, rows=None, retention="as long as the record is known")

Fingerprints = dict[str, str]
# What every save changes, and what is ours.
_UNTOLD = frozenset({"id", "version", "updated_at", "refs"})


def fingerprints(noun: object) -> Fingerprints:
    """By field; a field that is empty has none. Takes a canonical noun, or one as plain data."""
    plain = msgspec.to_builtins(noun, str_keys=True)
    return {
        name: hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:32]
        for name, value in plain.items()
        if name not in _UNTOLD and value not in (None, "", [], {})
    }


async def known(
    connection: AsyncConnection, instance: str, object: str, vendor_id: str
) -> Fingerprints | None:
    """As the record was seen last: when it was judged, or when we wrote it; None where it never was."""
    seen = known_records.c
    this = (seen.instance == instance) & (seen.object == object) & (seen.vendor_id == vendor_id)
    row = (await connection.execute(sa.select(seen.fields, seen.seen_at).where(this))).one_or_none()
    written = (
        await connection.execute(
            sa.select(ledger.c.result, ledger.c.updated_at)
            .where(
                ledger.c.state == "done",
                ledger.c.target.startswith(f"{instance}:{object}", autoescape=True),
                ledger.c.result["id"].astext == vendor_id,
            )
            .order_by(ledger.c.updated_at.desc())
            .limit(1)
        )
    ).one_or_none()
    if written is not None and (row is None or row.seen_at < written.updated_at):
        return fingerprints(written.result)
    return row.fields if row is not None else None


async def remember(
    connection: AsyncConnection, instance: str, object: str, vendor_id: str, fields: Fingerprints
) -> None:
    """The record as it is now is what the next change is compared with."""
    values = {"fields": fields, "seen_at": clock.now()}
    row = insert(known_records).values(instance=instance, object=object, vendor_id=vendor_id, **values)
    await connection.execute(
        row.on_conflict_do_update(index_elements=["instance", "object", "vendor_id"], set_=values)
    )


async def follow(connection: AsyncConnection, instance: str, object: str, vendor_id: str, into: str) -> None:
    """What we know of a merged record is what the next state of the remaining one is compared with."""
    fields = await known(connection, instance, object, vendor_id)
    if fields is not None:
        await remember(connection, instance, object, into, fields)
    seen = known_records.c
    gone = (seen.instance == instance) & (seen.object == object) & (seen.vendor_id == vendor_id)
    await connection.execute(sa.delete(known_records).where(gone))


def differences(before: Fingerprints, now: Fingerprints) -> tuple[str, ...]:
    """The names of fields that are not as they were."""
    return tuple(sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name)))
