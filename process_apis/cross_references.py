"""Writes our id of an object together with its cross-references in all systems."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.values import Ref
from kit import crossrefs


async def record_refs(
    connection: AsyncConnection, kind: str, prefix: str, instance: str, vendor_id: str, refs: Iterable[Ref]
) -> str:
    """Our id of the object that is `vendor_id` in its owner's instance, existing or new, with its refs."""
    ours = await crossrefs.mint(
        connection, kind, instance=instance, object=kind, vendor_id=vendor_id, prefix=prefix
    )
    for ref in refs:
        await crossrefs.link(
            connection,
            kind=kind,
            id=ours,
            instance=ref.instance,
            object=ref.object,
            vendor_id=ref.id,
            url=ref.url,
        )
    return ours
