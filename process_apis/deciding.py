"""A case that a person may have to decide: its facts, and what was decided on just these."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, Self, TypeVar

import msgspec

from kit import clock
from kit.workflows import Run
from process_apis.failures import is_stale

DECISION_TOPIC = "decision"
Difference = tuple[dict[str, str], dict[str, str]]
"""A changed fact, under its name for people: its former and its present value."""


class Facts(Protocol):
    """The facts of a decision: when they were read, and why a person must approve, if one must."""

    @property
    def looked_at(self) -> dt.datetime | None: ...

    @property
    def reasons(self) -> tuple[str, ...]: ...

    def difference(self, now: Self) -> Difference:
        """What a person decides on and is another now."""
        ...


F = TypeVar("F", bound=Facts)
D = TypeVar("D", bound=msgspec.Struct)


class Decided(msgspec.Struct, Generic[D], frozen=True):
    """A person's decision with the person's name: what the waiting workflow receives."""

    decision: D
    by: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a run shows of the question to a person, numbered by `asked`; a flow's state adds its fields."""

    asked: str = "1.1"
    reasons: tuple[str, ...] = ()
    before: dict[str, str] = {}
    after: dict[str, str] = {}


class OtherFacts(Exception, Generic[F]):  # noqa: N818 - an outcome, not an error
    """The facts have changed since the decision, or since no decision was needed."""

    def __init__(self, facts: F) -> None:
        super().__init__()
        self.facts = facts


class Case(Generic[F, D]):
    """The facts of one run, what a person of a team decided on them, and how they are read again (`look`)."""

    corrects = ()  # facts are corrected where they stand

    def __init__(self, run: Run, who: str, facts: F, look: Callable[[], Awaitable[F]]) -> None:
        self.facts = facts
        self.decided: Decided[D] | None = None
        self.turn = 1
        self._difference: Difference = ({}, {})
        self._run = run
        self._who = who
        self._look = look

    @property
    def question(self) -> Question:
        """What a person is asked, what changed since the last decision before all else."""
        before, after = self._difference
        again = (
            f"{name} was {before[name]} when {self._who} decided, and is now {after[name]}."
            for name in before
        )
        asked = f"{self._run.attempt}.{self.turn}"
        return Question(asked=asked, reasons=(*again, *self.facts.reasons), before=before, after=after)

    async def settle(
        self,
        *,
        show: Callable[[], Awaitable[None]],
        ask: Callable[[], Awaitable[Decided[D] | None]],
        make: Callable[[], Awaitable[None]],
    ) -> None:
        """Make what is to be made, of facts that a person approved, or that need no approval.

        `ask` gives None where the person refused. Who decided on facts that changed meanwhile is asked again.
        """
        while True:
            await show()
            try:
                if await self._agreed(ask):
                    await make()
            except OtherFacts as other:
                self._begin_again(other.facts)
            else:
                return

    async def ask(self, kind: type[D], *, about: str, title: str, hours: float) -> Decided[D]:
        """Wait until a person has decided, who by then is late after some hours."""
        return await self._run.wait(
            DECISION_TOPIC,
            Decided[kind],
            title=title,
            status_text=f"Waiting for {self._who}: {' '.join(self.question.reasons)} ({about})",
            due_at=clock.now() + dt.timedelta(hours=hours),
        )

    def stale(self) -> bool:
        """Whether the facts were read too long ago to act on."""
        return is_stale(self.facts.looked_at)

    async def read_again(self) -> None:
        """Go on with the same facts, read again; raises OtherFacts where they have changed."""
        now = await self._look()
        self._require_same(now)
        if self.decided is None and now.reasons:
            raise OtherFacts(now)
        self.facts = now

    async def _agreed(self, ask: Callable[[], Awaitable[Decided[D] | None]]) -> bool:
        if self._run.observing or not self.question.reasons or self.decided is not None:
            return True
        self.decided = await ask()
        if self.decided is None:
            return False
        if await self._run.patched("look-again"):
            now = await self._look()
            self._require_same(now)
            self.facts = now
        return True

    def _require_same(self, now: F) -> None:
        if self.facts.difference(now)[0]:
            raise OtherFacts(now)

    def _begin_again(self, now: F) -> None:
        self._difference = self.facts.difference(now) if self.decided is not None else ({}, {})
        self.facts, self.decided = now, None
        self.turn += 1
