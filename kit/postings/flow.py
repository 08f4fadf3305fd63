"""kit/postings: the durable run of one batch: send, look up what is doubtful, settle, balance."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.batch import BatchResult, Posted, PostedRecords, RecordKeys, RefusedRecord
from contracts.canonical.values import Money
from contracts.canonical.workflow import PlannedRequest
from contracts.problems import Problem, Refused, VendorDoubtful, VendorRejected, VendorUnavailable
from kit.context import new_id
from kit.database import Database
from kit.effects import Effects, Owned
from kit.operations import bound_of
from kit.postings.batch import BatchRows, Record
from kit.postings.states import settle
from kit.postings.totals import Totals
from kit.texts import counted
from kit.workflows import ExceptionDraft, NoState, Run

R = TypeVar("R", bound=msgspec.Struct)
OnDone = Callable[[AsyncConnection, Sequence[tuple[R, Posted]]], Awaitable[None]]
_ASK_AGAIN_SECONDS = 5.0


class BatchInput(msgspec.Struct, frozen=True):
    """Of what a batch's run is: how many records, to which instance."""

    instance: str
    records: int


async def nothing_more(_: AsyncConnection, __: Sequence[tuple[Any, Posted]]) -> None:
    """Nothing is to be done after the posting."""


def explain_refusal(record: msgspec.Struct | dict[str, Any], refusal: RefusedRecord) -> ExceptionDraft:
    """The default text of a record's exception."""
    plain = msgspec.to_builtins(record, str_keys=True)
    return ExceptionDraft(
        kind="vendor_rejected",
        stopped=f"The record {refusal.key} was refused",
        why=refusal.detail,
        what_next="Correct it and replay, alone or with all that were refused for the same reason",
        owner="operations",
        errors=refusal.errors,
        after={name: str(value) for name, value in plain.items() if not isinstance(value, dict | list)},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingFlow(Generic[R]):
    """How records of one kind are posted, as data; each batch is a run of the flow `name`.

    `operation` takes `body(records)` and answers with a BatchResult; `find` takes RecordKeys and answers with
    those that stand there. `most` records make a batch, or those gathered when the oldest has waited for
    `wait` seconds; `at_once` batches are under way. An empty answer to `find` counts `wait_out` seconds after
    the last sending: zero where keys are unique in the system. `amount` is what a record adds to the
    checkpoint. `explain` words the exception of a record that is refused; `owner` is the team that decides on
    a batch that does not balance. `on_done` is called for the records that stand there, once for each, in the
    transaction that says so: to publish events, and write cross-references.
    """

    name: str
    title: str
    noun: str
    record: type[R]
    effects: Effects
    database: Database
    operation: Callable[..., Awaitable[BatchResult]]
    find: Callable[..., Awaitable[PostedRecords]]
    body: Callable[[tuple[R, ...]], msgspec.Struct]
    amount: Callable[[R], Money | None] = lambda _: None
    owned: Owned | None = None
    explain: Callable[[R, RefusedRecord], ExceptionDraft] = explain_refusal
    owner: str = "operations"
    on_done: OnDone[R] = nothing_more
    most: int = 200
    wait: float = 5.0
    at_once: int = 2
    wait_out: float = 0.0

    input = BatchInput
    state = NoState
    on_failure: Literal["park", "undo"] = "park"

    @property
    def correctable(self) -> type[R]:
        """What a person may correct: the fields of a record."""
        return self.record

    def explain_unreadable(self, body: dict[str, Any], refusal: RefusedRecord) -> ExceptionDraft:
        """The text of the exception of a record that does not fit its type after a correction."""
        return explain_refusal(body, refusal)

    async def run(self, run: Run) -> None:
        """Post a batch that was claimed."""
        rows = BatchRows(self, run)
        if run.observing:
            await self._observe(run, rows)
            return
        totals = await run.step(
            "post",
            self.title,
            lambda: self._post(run, rows),
            returns=Totals,
            undo=lambda _: rows.give_up(),
            undo_title="Make each record that is not settled a case of its own",
            find=rows.unsettled,
            detail=lambda totals: f"{totals.sent} posted, {totals.refused.count} refused",
        )
        await run.step("balance", "Compare both sides", lambda: rows.close(totals), returns=type(None))

    async def _observe(self, run: Run, rows: BatchRows) -> None:
        """Record the batch as it would be sent."""

        async def work_out() -> PlannedRequest:
            records = await rows.readable()
            body = msgspec.json.encode(self._body(records)).decode()
            operation = bound_of(self.operation).operation_id
            return PlannedRequest("post", run.input.instance, operation, run.id, body)

        planned = await run.step("post", self.title, work_out, returns=PlannedRequest)
        await run.would_send(planned)
        await run.step("observed", "Let the records be", rows.observed, returns=type(None))
        await run.observed("The batch")

    def _body(self, records: Sequence[Record]) -> msgspec.Struct:
        """The batch's body; raises OwnershipViolation where we may not write it."""
        body = self.body(tuple(record.value for record in records))
        for record in records[:1]:  # all are of one type, which is what the rules are about
            self.effects.demand(self.owned, record.value)
        return body

    async def _post(self, run: Run, rows: BatchRows) -> Totals:
        """What is settled when all is; raises VendorDoubtful while something is in doubt."""
        async with self.database.locks.hold(f"posting:{run.id}") as held:
            await rows.doubt()
            if doubts := await rows.doubts():
                await self._look_up(run, rows, doubts)
            if records := await rows.readable():
                body = self._body(records)
                await held.confirm()
                await self._send(run, rows, records, body)
            left = await rows.doubts()
        if left:
            raise _in_doubt(left, self.wait_out)
        return await rows.totals()

    async def _look_up(self, run: Run, rows: BatchRows, doubts: Mapping[str, float]) -> None:
        """Look up the doubtful records; one that is absent may be sent again after `wait_out`."""
        keys = RecordKeys(tuple(doubts))
        answer: PostedRecords = await self.effects.read(run.input.instance, self.find, keys)
        matches = tuple(posted for posted in answer.items if posted.key in doubts)
        there = {posted.key for posted in matches}
        absent = [key for key, age in doubts.items() if key not in there and age >= self.wait_out]
        await rows.settle_looked_up(settle(doubts, BatchResult(done=matches)).done, absent)

    async def _send(self, run: Run, rows: BatchRows, records: Sequence[Record], body: msgspec.Struct) -> None:
        keys = [record.key for record in records]
        await rows.sent(keys)
        try:
            # A new key each time: records that are sent again were looked up before, and make another body.
            answer: BatchResult = await self.effects.send(
                run.input.instance, self.operation, new_id("snd"), body
            )
        except Problem as problem:
            # A refusal did nothing, nor what was never sent; any other failure may have done it.
            nothing = isinstance(problem, Refused | VendorRejected | VendorUnavailable)
            if nothing and not isinstance(problem, VendorDoubtful):
                await rows.unsent(keys)
            raise
        await rows.settle(settle(keys, answer))


def _in_doubt(left: Mapping[str, float], wait_out: float) -> VendorDoubtful:
    waits = max(wait_out - min(left.values()), 0.0)
    return VendorDoubtful(
        f"{counted(len(left), 'record')} may have been made: looked for again before more is sent",
        retry_after=min(waits, _ASK_AGAIN_SECONDS) if waits else None,
        extra={"wait_out": waits} if waits else None,
    )
