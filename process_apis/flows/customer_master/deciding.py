"""A proposal under way: the account as it was last looked at, and what finance decided on just that."""

import datetime as dt
from collections.abc import Awaitable, Callable

import msgspec

from contracts.canonical.customer import Customer
from contracts.process.customer_master import CustomerDecision, DuplicateCandidate
from kit import clock
from kit.workflows import Run
from process_apis.failures import FRESH_SECONDS
from process_apis.flows.customer_master import rules


class Decided(msgspec.Struct, frozen=True):
    """A person's decision with the person's name: what the waiting workflow is told."""

    decision: CustomerDecision
    by: str


class Proposed(msgspec.Struct, frozen=True):
    """The account as it was proposed, and which ERP customers may be the same firm.

    `looked_at` is when it was read; runs begun before that was kept do not say.
    """

    account: Customer
    candidates: tuple[DuplicateCandidate, ...]
    reasons: tuple[str, ...]
    looked_at: dt.datetime | None = None


class OtherFacts(Exception):  # noqa: N818 - an outcome, not an error
    """What finance decided on, or need not have been asked about, is another by now."""

    def __init__(self, found: Proposed) -> None:
        super().__init__(found.account.legal_name)
        self.found = found


class Case:
    """The facts of one run, what finance decided on them, and how they are looked at again."""

    def __init__(self, run: Run, proposed: Proposed, look: Callable[[], Awaitable[Proposed]]) -> None:
        self.proposed = proposed
        self.decided: Decided | None = None
        self.before: dict[str, str] = {}
        self.after: dict[str, str] = {}
        self.turn = 1
        self._run = run
        self._look = look

    @property
    def asked(self) -> str:
        """Which question to finance this is; a decision answers one of them."""
        return f"{self._run.attempt}.{self.turn}"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why finance must be asked, what changed since it last was before all else."""
        return (*rules.why_again(self.before, self.after), *self.proposed.reasons)

    def stale(self) -> bool:
        """Whether the account was looked at longer ago than a straight way takes."""
        looked_at = self.proposed.looked_at
        return looked_at is None or clock.now() - looked_at > dt.timedelta(seconds=FRESH_SECONDS)

    async def look_again(self) -> Proposed:
        """The account as it is now, as a step of the run."""
        return await self._look()

    async def read_again(self) -> None:
        """Go on with the same facts, read anew; raises OtherFacts where they are others by now."""
        found = await self._look()
        before, _ = self.changes(found)
        if before or (self.decided is None and found.reasons):
            raise OtherFacts(found)
        self.proposed = found

    def changes(self, found: Proposed) -> tuple[dict[str, str], dict[str, str]]:
        """What finance decides on and is another in `found`."""
        before, after = self.proposed, found
        return rules.changes(
            (before.account, before.candidates),
            (after.account, after.candidates),
            self._run.input.selling_entity,
        )

    def begin_again(self, found: Proposed) -> None:
        """Take other facts over; who decided on the old ones is asked once more, and told what changed."""
        decided = self.decided is not None
        self.before, self.after = self.changes(found) if decided else ({}, {})
        self.proposed, self.decided = found, None
        self.turn += 1
