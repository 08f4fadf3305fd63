"""What the APIs of flows share whose runs a person decides on: who may, once, and on what was asked."""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.workflow import WorkflowView
from contracts.problems import AlreadyDecided, Conflict
from kit import audit, context, privacy
from kit.workflows import RunRow
from process_apis.deciding import DECISION_TOPIC, Decided, Question
from process_apis.workflow_service import WorkflowService

V = TypeVar("V", bound=WorkflowView)


class DecisionDuties(msgspec.Struct, frozen=True):
    """The duty of who decides, of who asked for the run, and of whose own run waits for it."""

    deciding: str
    asking: str
    waiting: str


class DecisionService(WorkflowService[V]):
    """The base of their services; the state of their runs is a `Question`."""

    duty: DecisionDuties

    async def _decide(self, row: RunRow, decision: msgspec.Struct, *, action: str, comment: str = "") -> None:
        """Give a person's decision to the run that asks for it.

        Raises SegregationOfDuties, AlreadyDecided, and Conflict where it asks something else, or nothing.
        """
        asked = _asked(row)
        async with self._database.begin() as connection:
            by = await privacy.actor(connection)
            await self._require_different_person(connection, row, (by, context.current().who))
            taken = await self._runtime.decide(connection, row.id, asked, by)
            if taken is None:
                raise AlreadyDecided(f"This {self.noun} was decided before.")
            if _asked(taken) != asked:
                raise Conflict(f"What is to be decided has changed meanwhile: read the {self.noun} again.")
            if taken.status != "waiting":
                raise Conflict(f"The {self.noun} does not wait for a decision: it is {taken.status}.")
            decided, key = Decided(decision, by), f"{row.id}:{asked}"
            await self._runtime.signal(connection, row.id, DECISION_TOPIC, decided, key=key)
            await audit.write(
                connection,
                actor=by,
                consumer=audit.consumer(),
                action=f"{self.flow}.{action}",
                subject=row.id,
                outcome="accepted",
                personal={"comment": comment},
                correlation_id=row.correlation_id,
            )

    async def _require_different_person(
        self, connection: AsyncConnection, row: RunRow, person: Iterable[str]
    ) -> None:
        """Require that the decider, under any name, neither requested the run nor has one that waits."""
        waiting = await self._runtime.requesters(connection, row.id)
        done = {self.duty.asking: (row.actor, *row.requesters), self.duty.waiting: waiting}
        self._current_policy.duties.require_different_person(self.duty.deciding, person, done)

    async def _persons(self, connection: AsyncConnection, row: RunRow) -> dict[str, Any]:
        """Who asked and who decided, as the caller may know them."""
        return {
            "requested_by": await privacy.shown(connection, row.actor),
            "decided_by": await privacy.shown(connection, row.decisions.get(_asked(row), "")),
        }


def _asked(row: RunRow) -> str:
    return msgspec.convert(row.data, Question).asked
