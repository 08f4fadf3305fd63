"""kit/postings: the rows of one batch, as its run reads and settles them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.batch import Posted, RefusedRecord
from contracts.canonical.values import Money
from kit import exceptions
from kit.postings.rows import move, move_each
from kit.postings.states import Settled, State
from kit.postings.tables import batches, postings
from kit.postings.totals import Side, Totals
from kit.workflows import Run

if TYPE_CHECKING:
    from kit.postings.flow import PostingFlow

IN_DOUBT = "in_doubt"
GIVEN_UP = "given_up"


class Record(msgspec.Struct, frozen=True):
    """One record as it is sent."""

    key: str
    value: Any


class BatchRows:
    """Reads and writes the records of one batch."""

    def __init__(self, flow: "PostingFlow[Any]", run: Run) -> None:
        self._flow = flow
        self._run = run
        self._database = flow.database
        self._mine = postings.c.batch_id == run.id
        self._batch = batches.c.id == run.id

    async def doubt(self) -> None:
        """Doubt what an earlier try, or an earlier batch, sent and never heard of."""
        unheard = (postings.c.state == "sent") | (postings.c.reason == IN_DOUBT)
        async with self._database.begin() as connection:
            await move(connection, self._mine & unheard, "doubtful", reason="")

    async def doubts(self) -> dict[str, float]:
        """The keys of what may have been made, and how many seconds ago each was sent."""
        return {row.key: float(row.seconds_since or 0) for row in await self._rows("doubtful")}

    async def readable(self) -> list[Record]:
        """What is to be sent; a record that cannot be read, as it was corrected, is refused here."""
        records: list[Record] = []
        refused: list[RefusedRecord] = []
        for row in await self._rows("claimed"):
            try:
                records.append(Record(row.key, self._value(row)))
            except msgspec.ValidationError as error:
                refused.append(RefusedRecord(row.key, "invalid", f"It cannot be read: {error}"))
        await self.settle(Settled(refused=tuple(refused)))
        return records

    async def sent(self, keys: Sequence[str]) -> None:
        """Write that these are sent now, before they are."""
        these = self._mine & postings.c.key.in_(keys)
        again = {"sent_at": func.clock_timestamp(), "attempts": postings.c.attempts + 1}
        async with self._database.begin() as connection:
            await move(connection, these, "sent", **again)

    async def unsent(self, keys: Sequence[str]) -> None:
        """Take back that these were sent: surely nothing was made of them."""
        async with self._database.begin() as connection:
            await move(connection, self._mine & postings.c.key.in_(keys), "claimed")

    async def found(self, posted: Sequence[Posted], absent: Sequence[str]) -> None:
        """Settle what was looked up: those stand there; these do not, and may be sent again."""
        async with self._database.begin() as connection:
            await move(connection, self._mine & postings.c.key.in_(absent), "claimed")
        await self.settle(Settled(done=tuple(posted)))

    async def settle(self, settled: Settled) -> None:
        """Write what became of records, raise the exceptions of those refused, and add to the totals.

        One that was settled before, by a process that has taken this one's place, is passed over.
        """
        if settled == Settled():
            return
        async with self._database.begin() as connection:
            rows = await self._unsettled(connection, settled)
            done = [each for each in settled.done if each.key in rows]
            refused = [each for each in settled.refused if each.key in rows]
            results = [{"key": each.key, "result": msgspec.to_builtins(each)} for each in done]
            await move_each(connection, self._run.id, "done", results)
            await self._flow.on_done(connection, [(self._value(rows[each.key]), each) for each in done])
            cases = [await self._refuse(connection, rows[each.key], each) for each in refused]
            await move_each(connection, self._run.id, "refused", cases)
            totals = Totals(
                sent=Side.of([self._amount(rows[each.key]) for each in done]),
                acknowledged=Side.of([each.amount for each in done]),
                refused=Side.of([self._amount(rows[each.key]) for each in refused]),
                unexpected=dict.fromkeys(settled.unexpected, 1),
            )
            await move(connection, self._mine & postings.c.key.in_(settled.doubtful), "doubtful")
            before = await self._totals(connection)
            await connection.execute(
                update(batches).where(self._batch).values(totals=msgspec.to_builtins(before + totals))
            )

    async def totals(self) -> Totals:
        """What has been settled so far."""
        async with self._database.connect() as connection:
            return await self._totals(connection)

    async def unsettled(self) -> Totals | None:
        """The totals while there is a record that is not settled; None when there is none."""
        rows = [*await self._rows("claimed"), *await self._rows("sent"), *await self._rows("doubtful")]
        return await self.totals() if rows else None

    async def give_up(self) -> None:
        """Make each record that is not settled a case of its own, and close the batch."""
        await self.doubt()
        why = "Its batch was given up before it was sent"
        doubt = "Its batch was given up while it may have been made: a replay looks for it before it is sent"
        claimed = [RefusedRecord(row.key, GIVEN_UP, why) for row in await self._rows("claimed")]
        doubtful = [RefusedRecord(key, IN_DOUBT, doubt) for key in await self.doubts()]
        await self.settle(Settled(refused=(*claimed, *doubtful)))
        await self.close(await self.totals())

    async def observed(self) -> None:
        """Let the records be, for their flow only observes."""
        async with self._database.begin() as connection:
            await move(connection, self._mine, "observed")
            await connection.execute(
                update(batches).where(self._batch).values(closed_at=func.clock_timestamp())
            )

    async def close(self, totals: Totals) -> None:
        """Close the batch; where both sides differ, that is an exception."""
        query = select(batches).where(self._batch, batches.c.closed_at.is_(None)).with_for_update()
        async with self._database.begin() as connection:
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return
            faults = totals.faults(row.records)
            values: dict[str, Any] = {"closed_at": func.clock_timestamp()}
            if faults:
                values["exception_id"] = await self._unbalanced(connection, row.target, faults)
            await connection.execute(update(batches).where(self._batch).values(**values))

    async def _unsettled(self, connection: AsyncConnection, settled: Settled) -> dict[str, Row[Any]]:
        """Those of the records that are not settled yet, by key, locked until the commit."""
        keys = [each.key for each in (*settled.done, *settled.refused)]
        open_ = postings.c.state.in_(("claimed", "sent", "doubtful"))
        query = select(postings).where(self._mine, postings.c.key.in_(keys), open_)
        rows = await connection.execute(query.order_by(postings.c.number).with_for_update())
        return {row.key: row for row in rows}

    async def _refuse(
        self, connection: AsyncConnection, row: Row[Any], refusal: RefusedRecord
    ) -> dict[str, Any]:
        """Raise the exception of a refused record; what its row says of it."""
        try:
            draft = self._flow.explain(self._value(row), refusal)
        except msgspec.ValidationError:
            draft = self._flow.explain_unreadable(row.body, refusal)
        exception_id = await exceptions.raise_exception(
            connection,
            id=f"exc_{self._run.id}_{row.number}",
            kind=draft.kind,
            flow=self._flow.name,
            subject=row.source,
            stopped=draft.stopped,
            why=draft.why,
            what_next=draft.what_next,
            owner=draft.owner,
            errors=draft.errors,
            before=draft.before,
            after=draft.after,
            within=draft.within,
            correlation_id=row.correlation_id,
            workflow_id=self._run.id,
            step=row.target,
            reason=refusal.code,
            caused_by=row.actor,
            resume=exceptions.Resume(
                kind="record", source=row.source, revision=row.revision, target=row.target
            ),
        )
        return {
            "key": row.key,
            "reason": refusal.code,
            "detail": refusal.detail,
            "exception_id": exception_id,
        }

    async def _unbalanced(self, connection: AsyncConnection, target: str, faults: tuple[str, ...]) -> str:
        return await exceptions.raise_exception(
            connection,
            id=f"exc_{self._run.id}_balance",
            kind="amount_mismatch",
            flow=self._flow.name,
            subject=self._run.id,
            stopped=f"The batch does not balance with {target}",
            why=" ".join(faults),
            what_next="Compare the records of the batch with those of the target, and correct the difference",
            owner=self._flow.owner,
            correlation_id=self._run.correlation_id,
            workflow_id=self._run.id,
            step="balance",
            caused_by=self._run.actor,
        )

    async def _totals(self, connection: AsyncConnection) -> Totals:
        query = select(batches.c.totals).where(self._batch).with_for_update()
        return msgspec.convert((await connection.execute(query)).scalar_one(), Totals, strict=False)

    async def _rows(self, state: State) -> list[Row[Any]]:
        seconds = func.extract("epoch", func.clock_timestamp() - postings.c.sent_at).label("seconds_since")
        query = select(postings, seconds).where(self._mine, postings.c.state == state)
        query = query.order_by(postings.c.number)
        async with self._database.connect() as connection:
            return list((await connection.execute(query)).all())

    def _value(self, row: Row[Any]) -> Any:
        """The record with its corrections; raises ValidationError."""
        plain = dict(row.body)
        for name, text in row.corrections.items():
            first, _, rest = name.partition(".")
            plain[first] = {**plain.get(first, {}), rest: text} if rest else text
        return msgspec.convert(plain, self._flow.record, strict=False)

    def _amount(self, row: Row[Any]) -> Money | None:
        try:
            return self._flow.amount(self._value(row))
        except msgspec.ValidationError:
            return None
