"""kit: cross-references: which of our ids stands for which record in which system."""

# ruff: noqa: A002 - an id, a type and an object are called what they are

import datetime as dt

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.values import Ref
from contracts.problems import Conflict
from kit import clock
from kit.context import new_id
from kit.database.tables import crossrefs


async def link(
    conn: AsyncConnection, *, kind: str, id: str, instance: str, object: str, vendor_id: str, url: str = ""
) -> None:
    """Say that a vendor's record is our object; raises Conflict when it already is another of ours."""
    row = insert(crossrefs).values(
        kind=kind,
        id=id,
        instance=instance,
        object=object,
        vendor_id=vendor_id,
        url=url,
        updated_at=clock.now(),
    )
    changed = {"updated_at": row.excluded.updated_at} | ({"url": url} if url else {})
    kept = await conn.execute(
        row.on_conflict_do_update(
            index_elements=["instance", "object", "vendor_id"],
            set_=changed,
            where=(crossrefs.c.id == id) & (crossrefs.c.kind == kind),
        ).returning(crossrefs.c.id)
    )
    if kept.scalar() is None:
        other = await resolve(conn, instance, object, vendor_id)
        raise Conflict(f"{object} {vendor_id} of {instance} already stands for {other}, not for {id}")


async def resolve(conn: AsyncConnection, instance: str, object: str, vendor_id: str) -> str | None:
    """Our id of a vendor's record, None when it was never seen."""
    query = select(crossrefs.c.id).where(
        crossrefs.c.instance == instance, crossrefs.c.object == object, crossrefs.c.vendor_id == vendor_id
    )
    return (await conn.execute(query)).scalar()


async def linked_at(conn: AsyncConnection, instance: str, object: str, vendor_id: str) -> dt.datetime | None:
    """Since when a vendor's record has been ours."""
    query = select(crossrefs.c.created_at).where(
        crossrefs.c.instance == instance, crossrefs.c.object == object, crossrefs.c.vendor_id == vendor_id
    )
    return (await conn.execute(query)).scalar()


async def follow(
    conn: AsyncConnection, *, instance: str, object: str, vendor_id: str, into: str, url: str = ""
) -> str | None:
    """Have the record into which another was merged stand for what that one stood for.

    Returns our id of what the remaining record stands for. Where that is another object of ours, nothing is
    changed: a record stands for one object only.
    """
    merged = (
        (crossrefs.c.instance == instance)
        & (crossrefs.c.object == object)
        & (crossrefs.c.vendor_id == vendor_id)
    )
    row = (await conn.execute(select(crossrefs.c.kind, crossrefs.c.id).where(merged))).one_or_none()
    if row is None:
        return await resolve(conn, instance, object, into)
    try:
        await link(conn, kind=row.kind, id=row.id, instance=instance, object=object, vendor_id=into, url=url)
    except Conflict:
        return await resolve(conn, instance, object, into)
    await conn.execute(delete(crossrefs).where(merged))
    return row.id


async def refs(conn: AsyncConnection, id: str) -> tuple[Ref, ...]:
    """The same object in all systems, oldest link first."""
    query = (
        select(crossrefs).where(crossrefs.c.id == id).order_by(crossrefs.c.created_at, crossrefs.c.instance)
    )
    return tuple(
        Ref(instance=row.instance, object=row.object, id=row.vendor_id, url=row.url)
        for row in await conn.execute(query)
    )


async def mint(
    conn: AsyncConnection, kind: str, *, instance: str, object: str, vendor_id: str, prefix: str
) -> str:
    """Our id of a vendor's record, found or made; two that ask at once get the same one."""
    row = insert(crossrefs).values(
        kind=kind, id=new_id(prefix), instance=instance, object=object, vendor_id=vendor_id
    )
    made = await conn.execute(row.on_conflict_do_nothing().returning(crossrefs.c.id))
    return made.scalar() or str(await resolve(conn, instance, object, vendor_id))
