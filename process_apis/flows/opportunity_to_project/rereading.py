"""A deal under way: its terms as they were last read, read and judged again before anything rests on them."""

from collections.abc import Awaitable, Callable
from typing import NoReturn

import msgspec

from kit.workflows import Recheck, Run
from process_apis.failures import is_stale
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.failures import blocked, other_terms
from process_apis.flows.opportunity_to_project.rules import Terms


class Reading(msgspec.Struct, frozen=True):
    """The deal as it is now: its stage in the CRM's words, and its terms unless it is no longer won."""

    stage: str
    terms: Terms | None = None


class NewTerms(Exception):  # noqa: N818 - an outcome, not an error
    """The deal has other terms, with which the flow shall go on: effects of the old ones are undone first."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(terms.name)
        self.terms = terms


class Deal:
    """The terms of a run, and how they are read again; `number` says which activation of the deal it is.

    `read` reads and judges; `lost` ends the run of a deal that is no longer won.
    """

    corrects = None  # any term

    def __init__(
        self,
        run: Run,
        terms: Terms,
        *,
        read: Callable[[], Awaitable[Reading]],
        lost: Callable[[Terms, str], Awaitable[NoReturn]],
        number: int = 1,
    ) -> None:
        self.terms = terms
        self.number = number
        self._run = run
        self._read = read
        self._lost = lost

    @property
    def on_replay(self) -> Recheck:
        """For a step that is no effect: the terms are read again for a person only."""
        return OnReplay(self.read_again)

    def stale(self) -> bool:
        """Whether the terms were read longer ago than a straight way takes."""
        return is_stale(self.terms.read_at)

    async def read_again(self) -> None:
        """Go on with the same terms, read again; raises NewTerms when others were accepted, Undone else."""
        offered: Terms | None = None
        while True:
            terms = await self._now()
            if not rules.differences(self.terms, terms)[0]:
                self.terms = msgspec.structs.replace(terms, systems=self.terms.systems)
                return
            before, after = rules.differences(offered or self.terms, terms, self._run.corrections)
            if not before:
                raise NewTerms(terms)
            await self._run.hand_over(
                "other-terms", "Go on with the deal's new terms", other_terms(terms, before, after)
            )
            offered = terms

    async def _now(self) -> Terms:
        reading = await read_deal(self._run, self.terms, self._read)
        return reading.terms or await self._lost(self.terms, reading.stage)


async def read_deal(run: Run, terms: Terms, read: Callable[[], Awaitable[Reading]]) -> Reading:
    """The deal as it is now, in a step of the run."""
    return await run.step(
        "read-again",
        "Read the deal and its account again",
        read,
        returns=Reading,
        detail=lambda reading: reading.stage,
        explain=lambda problem: blocked(terms.opportunity_id, problem, terms.name),
        corrects=rules.Corrections.__struct_fields__,
    )


class OnReplay:
    """What is read again before a person's replay; without `stale` it never grows stale by itself."""

    corrects = None  # any term

    def __init__(
        self, read_again: Callable[[], Awaitable[None]], stale: Callable[[], bool] = lambda: False
    ) -> None:
        self.read_again = read_again
        self.stale = stale
