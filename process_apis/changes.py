"""Changes that arrive from systems: judged by ownership before anything of ours follows them."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED, PROJECT_CHANGED, RecordChanged
from contracts.problems import NotFound
from kit import audit, crossrefs, exceptions, inbox
from kit.inbox import InboxRow
from kit.ownership import Ownership, Verdict
from process_apis.systems import Systems

TYPES = (CUSTOMER_CHANGED, CONTRACT_CHANGED, PROJECT_CHANGED)
# An object that has a cross-reference has been through a flow of ours; these are the stages that it then has.
STAGES = {"customer": "approved", "contract": "active", "project": "active"}
OWNERS = {"erp": "finance", "crm": "sales operations", "psa": "delivery"}


class Changes:
    """What becomes of a change: passed on, dropped or handed to a person; always audited when not allowed."""

    def __init__(self, ownership: Ownership, systems: Systems) -> None:
        self._ownership = ownership
        self._systems = systems

    async def take(self, connection: AsyncConnection, row: InboxRow) -> None:
        """Judge one change of an object that we know; echoes of our own writes and strangers are dropped."""
        change = msgspec.convert(row.data, RecordChanged)
        ours = await self._known(connection, change)
        if ours is None or change.by_us:
            return
        verdicts = self._judge(change)
        refused = [verdict for verdict in verdicts if verdict.action != "allow"]
        for verdict in refused:
            await self._audit(connection, row, ours, change, verdict)
        grave = [verdict for verdict in refused if verdict.action in ("reject", "exception")]
        if grave:
            await _raise(connection, row, ours, change, grave)
        if not refused:
            await inbox.publish(
                connection,
                type=row.type,
                subject=ours,
                key=ours,
                data=change,
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

    def _judge(self, change: RecordChanged) -> list[Verdict]:
        system = self._systems.capability_of(change.instance)
        checked = self._ownership.check(change.object, STAGES[change.object], system, change.fields)
        return list(checked.values())

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
    connection: AsyncConnection, row: InboxRow, ours: str, change: RecordChanged, grave: list[Verdict]
) -> None:
    names = ", ".join(verdict.field for verdict in grave)
    owner = grave[0].owner
    await exceptions.raise_exception(
        connection,
        kind="ownership_violation",
        flow="ownership",
        subject=ours,
        stopped=f"A change of {names} in {change.instance} was not taken over.",
        why=f"{grave[0].why} (owner: {owner}).",
        what_next=f"Change it in the {owner.upper()}, or put the old value back in {change.instance}.",
        owner=OWNERS.get(owner, "operations"),
        correlation_id=row.correlation_id,
        after=change.values,
        id=f"exc_{row.source}_{row.id}",
    )
