"""Changes that arrive from systems: judged by ownership before anything of ours follows them.

A change whose vendor does not say which fields changed is determined here: the record is read and compared.
"""

from typing import NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import RecordChanged
from contracts.problems import ContractViolation, NotFound, Problem
from kit import audit, crossrefs, exceptions, inbox
from kit.inbox import InboxRow
from kit.operations import api_of
from kit.ownership import Ownership, Verdict
from process_apis import known_records
from process_apis.systems import Systems

UNREADABLE = "unreadable-records"


class Touched(NamedTuple):
    """Which fields a change may have touched, `certain` when it surely did; or a deleted record."""

    fields: tuple[str, ...] = ()
    certain: bool = True
    gone: bool = False


class Changes:
    """What becomes of a change: passed on, dropped or handed to a person; always audited when not allowed."""

    def __init__(self, ownership: Ownership, systems: Systems) -> None:
        self._ownership = ownership
        self._systems = systems

    @property
    def types(self) -> tuple[str, ...]:
        """The types of the changes that are judged: of every object that has a stage once it is ours."""
        return tuple(each.changed for each in self._systems.objects().values() if each.stage)

    async def take(self, connection: AsyncConnection, row: InboxRow) -> None:
        """Judge one change of an object that we know; echoes of our own writes and strangers are dropped.

        Raises what the vendor answers where the record must be read: the change is then judged later.
        """
        change = self._spelled(msgspec.convert(row.data, RecordChanged))
        if change is not None and await self._is_unreadable(connection, change):
            return  # judged once it reads well
        ours = (
            await crossrefs.resolve(connection, change.instance, change.object, change.id) if change else None
        )
        if change is None or ours is None or change.by_us:
            return
        if change.kind == "merged" and not await self._follow(connection, row, ours, change):
            return
        try:
            touched = await self._touched(connection, change)
        except ContractViolation as problem:
            await self._raise_unreadable(connection, row, change, problem.detail)
            return
        if change.kind == "changed" and not (touched.fields or touched.gone):
            return  # nothing changed of what we read
        refused = [verdict for verdict in self._judge(change, touched) if verdict.action != "allow"]
        grave = [verdict for verdict in refused if verdict.action in ("reject", "exception")]
        if touched.certain:
            for verdict in refused:
                await _audit_violation(connection, row, ours, change, verdict)
        if grave:
            await self._raise(connection, row, ours, change, touched, grave)
        elif not refused or not touched.certain:
            await _publish(connection, row, ours, change, touched)

    async def take_unreadable(self, connection: AsyncConnection, row: InboxRow) -> None:
        """Raise the case of a record that is off its vendor's schema, where it has none; whosever it is."""
        change = msgspec.convert(row.data, RecordChanged)
        if self._systems.keepers(change.instance, change.object):
            await self._raise_unreadable(connection, row, change, change.values.get("why", ""))

    async def _raise_unreadable(
        self, connection: AsyncConnection, row: InboxRow, change: RecordChanged, why: str
    ) -> None:
        subject = _record(change)
        if await exceptions.open_about(connection, UNREADABLE, subject):
            return
        keeper = api_of(self._systems.keepers(change.instance, change.object)[0])
        await exceptions.raise_exception(
            connection,
            kind="contract_violation",
            flow=UNREADABLE,
            subject=subject,
            stopped=f"The {change.object} {change.id} of {change.instance} cannot be read, and is left out.",
            why=why or "It is not in the form that the vendor documents.",
            what_next=f"Correct the named field in {change.instance}; this case then ends by itself.",
            owner=keeper.team,
            correlation_id=row.correlation_id,
            id=f"exc_{row.source}_{row.id}",
        )

    async def _is_unreadable(self, connection: AsyncConnection, change: RecordChanged) -> bool:
        """Whether a record that could not be read still cannot; if it can, or is gone, its case ends."""
        case = await exceptions.open_about(connection, UNREADABLE, _record(change))
        if not case:
            return False
        try:
            await self._systems.read(change.instance, change.object, change.id)
        except NotFound:
            reason = "It is gone"
        except ContractViolation:
            return True
        else:
            reason = "It reads well again"
        await exceptions.settle(connection, case, reason)
        return False

    def _spelled(self, change: RecordChanged) -> RecordChanged | None:
        """The change with its ids in their one spelling; None of a record that is none of its system's."""
        instance, kind = change.instance, change.object
        if not self._systems.keepers(instance, kind):
            return None  # its instance is not configured any more
        try:
            spelled = [
                self._systems.canonical_id(instance, kind, each) if each else ""
                for each in (change.id, change.merged_into)
            ]
        except NotFound:
            return None
        return msgspec.structs.replace(change, id=spelled[0], merged_into=spelled[1])

    async def _follow(
        self, connection: AsyncConnection, row: InboxRow, ours: str, change: RecordChanged
    ) -> bool:
        """Link the surviving record of a merger to our object, with the known fields of the merged one.

        False where it is linked to another of ours: a person decides which of the two remains.
        """
        instance, kind = change.instance, change.object
        url = await self._address(instance, kind, change.merged_into)
        stands_for = await crossrefs.follow(
            connection, instance=instance, object=kind, vendor_id=change.id, into=change.merged_into, url=url
        )
        followed = stands_for == ours
        await audit.write(
            connection,
            actor=f"system:{instance}",
            action="record.merged",
            subject=ours,
            outcome="followed" if followed else "exception",
            detail={"record": change.id, "into": change.merged_into, "stands_for": stands_for or ""},
            correlation_id=row.correlation_id,
        )
        if followed:
            await known_records.follow(connection, instance, kind, change.id, change.merged_into)
        else:
            await self._raise_double(connection, row, ours, change, stands_for or "")
        return followed

    async def _address(self, instance: str, kind: str, ident: str) -> str:
        """The record's address for people; empty for a deleted one, which is then judged as such."""
        try:
            record = await self._systems.read(instance, kind, ident)
        except NotFound:
            return ""
        return next((ref.url for ref in getattr(record, "refs", ()) if ref.id == ident), "")

    async def _touched(self, connection: AsyncConnection, change: RecordChanged) -> Touched:
        """By the vendor's report, or by comparing the record with the known one, which is then updated."""
        if change.kind == "deleted":
            return Touched(gone=True)
        place = (change.instance, change.object, change.merged_into or change.id)
        try:
            now = known_records.fingerprints(await self._systems.read(*place))
        except NotFound:
            return Touched(change.fields, gone=not change.fields)
        except Problem:
            if not change.fields:
                raise
            return Touched(change.fields)  # it needs no reading to be judged
        before = await known_records.known(connection, *place)
        await known_records.remember(connection, *place, now)
        if change.fields:
            return Touched(change.fields)
        ruled = self._ownership.names(change.object)
        if before is not None:
            return Touched(tuple(each for each in known_records.differences(before, now) if each in ruled))
        linked = await crossrefs.linked_at(connection, *place)
        from_before = linked and change.changed_at and change.changed_at <= linked
        return Touched(() if from_before else tuple(sorted(now.keys() & ruled)), certain=False)

    def _judge(self, change: RecordChanged, touched: Touched) -> list[Verdict]:
        """By the capabilities of the instance that serve the object: what any of them may do, is allowed."""
        stage = self._systems.objects()[change.object].stage
        capabilities = [api_of(each).name for each in self._systems.keepers(change.instance, change.object)]
        if touched.gone:
            may = any(self._ownership.may_create(change.object, stage, each) for each in capabilities)
            why = f"Only the system that makes a {change.object} may delete it"
            return [Verdict("", "allow" if may else "exception", "", why="" if may else why)]
        judged = [self._ownership.check(change.object, stage, each, touched.fields) for each in capabilities]
        return [
            min((verdicts[name] for verdicts in judged), key=lambda verdict: verdict.action != "allow")
            for name in touched.fields
        ]

    async def _raise(
        self,
        connection: AsyncConnection,
        row: InboxRow,
        ours: str,
        change: RecordChanged,
        touched: Touched,
        grave: list[Verdict],
    ) -> None:
        owner = grave[0].owner
        await exceptions.raise_exception(
            connection,
            kind="ownership_violation",
            flow="ownership",
            subject=ours,
            stopped=_stopped(change, touched, grave),
            why=f"{grave[0].why} (owner: {owner})." if owner else f"{grave[0].why}.",
            what_next=f"Change it in the {owner.upper()}, or put the old value back in {change.instance}."
            if owner
            else f"Restore it in {change.instance}, or end the business with it.",
            owner=self._systems.team(owner),
            correlation_id=row.correlation_id,
            after=change.values,
            id=f"exc_{row.source}_{row.id}",
        )

    async def _raise_double(
        self, connection: AsyncConnection, row: InboxRow, ours: str, change: RecordChanged, other: str
    ) -> None:
        keeper = api_of(self._systems.keepers(change.instance, change.object)[0])
        await exceptions.raise_exception(
            connection,
            kind="duplicate_candidate",
            flow="ownership",
            subject=ours,
            stopped=(
                f"The {change.object} {ours} has no record in {change.instance} any more: {change.id} was "
                f"merged into {change.merged_into}, which stands for {other}."
            ),
            why=f"A record stands for one {change.object}, and the other systems still have two.",
            what_next=(
                f"Merge the two in the other systems and end the business with {ours}, or separate the "
                f"records in {change.instance} again."
            ),
            owner=keeper.team,
            correlation_id=row.correlation_id,
            before={"record": change.id},
            after={"record": change.merged_into, "stands_for": other},
            id=f"exc_{row.source}_{row.id}",
        )


def _record(change: RecordChanged) -> str:
    """A vendor's record as the subject of a case."""
    return f"{change.instance}:{change.object}:{change.id}"


def _stopped(change: RecordChanged, touched: Touched, grave: list[Verdict]) -> str:
    names = ", ".join(verdict.field.replace("_", " ") for verdict in grave)
    which = f"the {change.object} {change.id}"
    if touched.gone:
        return f"T{which[1:]} was deleted in {change.instance}."
    if touched.certain:
        return f"A change of {names} of {which} in {change.instance} was not taken over."
    return f"{change.instance} changed {which} without saying what; it may be {names}."


async def _publish(
    connection: AsyncConnection, row: InboxRow, ours: str, change: RecordChanged, touched: Touched
) -> None:
    """The change under our id, for subscribers."""
    kind = "deleted" if touched.gone else change.kind
    fields = touched.fields if touched.certain else ()
    await inbox.publish(
        connection,
        type=row.type,
        subject=ours,
        key=ours,
        data=msgspec.structs.replace(change, fields=fields, kind=kind),
        correlation_id=row.correlation_id,
        id=f"evt_{row.source}_{row.id}",
    )


async def _audit_violation(
    connection: AsyncConnection, row: InboxRow, ours: str, change: RecordChanged, verdict: Verdict
) -> None:
    await audit.write(
        connection,
        actor=f"system:{change.instance}",
        action="ownership.violation",
        subject=ours,
        outcome=verdict.action,
        detail={"field": verdict.field or "deleted", "owner": verdict.owner},
        correlation_id=row.correlation_id,
    )
