"""Changes that arrive from systems: judged by ownership before anything of ours follows them.

A change whose vendor does not say which fields changed is found out: the record is read and compared.
"""

from typing import NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED, PROJECT_CHANGED, RecordChanged
from contracts.problems import NotFound, Problem
from kit import audit, crossrefs, exceptions, inbox
from kit.inbox import InboxRow
from kit.ownership import Ownership, Verdict
from process_apis import known_records
from process_apis.systems import Systems

TYPES = (CUSTOMER_CHANGED, CONTRACT_CHANGED, PROJECT_CHANGED)
# An object that has a cross-reference has been through a flow of ours; these are the stages that it then has.
STAGES = {"customer": "approved", "contract": "active", "project": "active"}
OWNERS = {"erp": "finance", "crm": "sales operations", "psa": "delivery"}
_DELETED = "deleted"


class Judged(NamedTuple):
    """Which fields a change may have touched; `certain` when it surely touched each of them."""

    fields: tuple[str, ...]
    certain: bool = True


class Changes:
    """What becomes of a change: passed on, dropped or handed to a person; always audited when not allowed."""

    def __init__(self, ownership: Ownership, systems: Systems) -> None:
        self._ownership = ownership
        self._systems = systems

    async def take(self, connection: AsyncConnection, row: InboxRow) -> None:
        """Judge one change of an object that we know; echoes of our own writes and strangers are dropped.

        Raises what the vendor answers where the record must be read: the change is then judged later.
        """
        change = msgspec.convert(row.data, RecordChanged)
        ours = await self._known(connection, change)
        if ours is None or change.by_us:
            return
        judged = await self._touched(connection, change)
        if not judged.fields:
            return  # nothing changed of what we read
        refused = [verdict for verdict in self._judge(change, judged.fields) if verdict.action != "allow"]
        grave = [verdict for verdict in refused if verdict.action in ("reject", "exception")]
        if judged.certain:
            for verdict in refused:
                await self._audit(connection, row, ours, change, verdict)
        if grave:
            await _raise(connection, row, ours, change, grave, certain=judged.certain)
        elif not refused or not judged.certain:
            known = judged.fields if judged.certain and judged.fields != (_DELETED,) else ()
            await inbox.publish(
                connection,
                type=row.type,
                subject=ours,
                key=ours,
                data=msgspec.structs.replace(change, fields=known),
                correlation_id=row.correlation_id,
                id=f"evt_{row.source}_{row.id}",
            )

    async def _known(self, connection: AsyncConnection, change: RecordChanged) -> str | None:
        """Our id of the record; None of one that we never saw, or that is none of its system's."""
        try:
            vendor_id = self._systems.canonical_id(change.instance, change.object, change.id)
        except NotFound:
            return None
        return await crossrefs.resolve(connection, change.instance, change.object, vendor_id)

    async def _touched(self, connection: AsyncConnection, change: RecordChanged) -> Judged:
        """By the vendor's word, or by comparing the record with what we know; either way it is known anew."""
        if _DELETED in change.values:
            return Judged((_DELETED,))
        vendor_id = self._systems.canonical_id(change.instance, change.object, change.id)
        place = (change.instance, change.object, vendor_id)
        try:
            now = known_records.fingerprints(await self._systems.read(*place))
        except NotFound:
            return Judged(change.fields or (_DELETED,))
        except Problem:
            if not change.fields:
                raise
            return Judged(change.fields)  # it needs no reading to be judged
        before = await known_records.known(connection, *place)
        await known_records.remember(connection, *place, now)
        if change.fields:
            return Judged(change.fields)
        ruled = self._ownership.names(change.object)
        if before is not None:
            return Judged(tuple(each for each in known_records.differences(before, now) if each in ruled))
        linked = await crossrefs.linked_at(connection, *place)
        from_before = linked and change.changed_at and change.changed_at <= linked
        return Judged(() if from_before else tuple(sorted(now.keys() & ruled)), certain=False)

    def _judge(self, change: RecordChanged, fields: tuple[str, ...]) -> list[Verdict]:
        system, stage = self._systems.capability_of(change.instance), STAGES[change.object]
        if fields == (_DELETED,):
            may = self._ownership.may_create(change.object, stage, system)
            why = f"The {change.object} was deleted in a system that does not make it"
            return [Verdict(_DELETED, "allow" if may else "exception", "", why="" if may else why)]
        return list(self._ownership.check(change.object, stage, system, fields).values())

    async def _audit(
        self, connection: AsyncConnection, row: InboxRow, ours: str, change: RecordChanged, verdict: Verdict
    ) -> None:
        await audit.write(
            connection,
            actor=f"system:{change.instance}",
            action="ownership.violation",
            subject=ours,
            outcome=verdict.action,
            detail={"field": verdict.field, "owner": verdict.owner},
            correlation_id=row.correlation_id,
        )


async def _raise(
    connection: AsyncConnection,
    row: InboxRow,
    ours: str,
    change: RecordChanged,
    grave: list[Verdict],
    *,
    certain: bool,
) -> None:
    names, owner = ", ".join(verdict.field for verdict in grave), grave[0].owner
    stopped = f"A change of {names} in {change.instance} was not taken over."
    if not certain:
        stopped = f"{change.instance} changed the {change.object} without saying what; it may be {names}."
    await exceptions.raise_exception(
        connection,
        kind="ownership_violation",
        flow="ownership",
        subject=ours,
        stopped=stopped,
        why=f"{grave[0].why} (owner: {owner})." if owner else f"{grave[0].why}.",
        what_next=f"Change it in the {owner.upper()}, or put the old value back in {change.instance}."
        if owner
        else f"Restore it in {change.instance}, or end the business with it.",
        owner=OWNERS.get(owner, "operations"),
        correlation_id=row.correlation_id,
        after=change.values,
        id=f"exc_{row.source}_{row.id}",
    )
