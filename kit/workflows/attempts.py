"""kit/workflows: one step of a run, tried until it succeeds, is refused, or its patience is out."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec
from dbos import DBOS

from contracts.canonical.values import Ref
from contracts.problems import Conflict, DeadlineExceeded, Problem, Unexpected
from kit import context, problems
from kit.database.refusals import is_refusal
from kit.workflows.flow import Recheck, WorkflowSettings
from kit.workflows.gate import Gate, retry_until_available
from kit.workflows.journal import Journal

T = TypeVar("T")
logger = logging.getLogger(__name__)

_OUTDATED = "outdated"


class Attempt(msgspec.Struct, omit_defaults=True):
    """The outcome of one try, as the engine stores it: result or problem, when, a draw for the next wait.

    `fault` says that it failed by an unknown fault of ours; rows of an earlier version do not have it.
    """

    at: float
    draw: float
    result: Any = None
    problem: dict[str, Any] | None = None
    fault: bool = False


class Work(Generic[T]):
    """A step as its flow wrote it."""

    def __init__(
        self,
        seq: int,
        name: str,
        title: str,
        do: Callable[[], Awaitable[T]],
        returns: type[T],
        *,
        refs: Callable[[T], tuple[Ref, ...]] | None = None,
        detail: Callable[[T], str] | None = None,
        patience: float | None = None,
        recheck: Recheck | None = None,
        corrects: tuple[str, ...] | None = (),
    ) -> None:
        self.seq = seq
        self.name = name
        self.title = title
        self.do = do
        self.returns = returns
        self.refs = refs
        self.detail = detail
        self.patience = patience
        self.recheck = recheck
        self.corrects = corrects  # None: all that the flow reads


class Attempts:
    """Tries the steps of one run, durably: the engine stores each try, and each wait between two."""

    def __init__(
        self, journal: Journal, settings: WorkflowSettings, gate: Gate, here: context.Context
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._gate = gate
        self._here = here

    async def make(self, work: Work[T]) -> T:
        """The step's result; raises the Problem for which it stopped for good."""
        began: float | None = None
        tries = faults = 0
        while True:
            attempt = await self._try(work)
            if attempt.problem is None:
                return msgspec.convert(attempt.result, work.returns, str_keys=True)
            problem = problems.from_document(attempt.problem)
            if work.recheck is not None and _OUTDATED in problem.extra:
                await work.recheck.read_again()
                continue
            tries += 1
            began = attempt.at if began is None else began
            wait = self._wait(problem, tries, attempt.draw)
            faults += attempt.fault
            again = problem.retryable or (attempt.fault and faults < self._settings.faults)
            patience = self._settings.patience if work.patience is None else work.patience
            # Whether a doubtful effect took place is known after a bounded time: that is always waited out.
            bounded = "wait_out" in problem.extra
            # A database that does nothing for us is no fault of the run, and nobody can correct it there.
            waits = bounded or is_refusal(problem)
            if not again or (attempt.at + wait - began > patience and not waits):
                raise problem
            await DBOS.sleep_async(wait)

    def _wait(self, problem: Problem, tries: int, draw: float) -> float:
        if problem.retry_after is not None and not is_refusal(problem):  # ours wait for callers' sake
            return max(problem.retry_after, 0.001)
        longest = min(self._settings.longest_wait, self._settings.first_wait * 2 ** min(tries - 1, 20))
        return max(longest * (0.5 + draw / 2), 0.001)

    async def _try(self, work: Work[T]) -> Attempt:
        async def body() -> Any:
            number = await retry_until_available(
                lambda: self._journal.begin_step(work.seq, work.name, work.title)
            )
            attempt, value = await self._once(work)
            await retry_until_available(lambda: self._write_end(work, number, attempt, value))
            return msgspec.to_builtins(attempt)

        async with self._gate.admit():
            stored = await DBOS.run_step_async({"name": work.name}, body)
        return msgspec.convert(stored, Attempt)

    async def _once(self, work: Work[T]) -> tuple[Attempt, T | None]:
        attempt = Attempt(at=0, draw=random.random())  # noqa: S311 - jitter
        value: T | None = None
        deadline = time.monotonic() + self._settings.step
        here = msgspec.structs.replace(self._here, step=work.name, deadline=deadline)
        try:
            # The deadline is for the calls within; this is for work that heeds none.
            async with asyncio.timeout(self._settings.step * 1.5):
                with context.use(here):
                    _demand_fresh(work.recheck)
                    value = await work.do()
            attempt.result = msgspec.to_builtins(value, str_keys=True)
        except Exception as error:  # noqa: BLE001 - whatever a step raises is its outcome
            problem = _problem_of(error, work.name)
            attempt.fault = isinstance(problem, Unexpected)
            with context.use(here):
                attempt.problem = problems.document(problem)
        attempt.at = time.time()
        return attempt, value

    async def _write_end(self, work: Work[T], number: int, attempt: Attempt, value: T | None) -> None:
        if attempt.problem is None:
            refs = work.refs(value) if work.refs else ()  # pyright: ignore[reportArgumentType] - it is a T
            detail = work.detail(value) if work.detail else ""  # pyright: ignore[reportArgumentType]
            await self._journal.end_step(work.seq, number, "done", detail, refs)
        else:
            problem = problems.from_document(attempt.problem)
            status = "running" if problem.retryable or attempt.fault else "failed"
            await self._journal.end_step(work.seq, number, status, problem.detail)


def _demand_fresh(recheck: Recheck | None) -> None:
    """That a step may begin; raises Conflict, marked as ours, where what it rests on is read again first."""
    if recheck is not None and recheck.stale():
        raise Conflict("What was read a while ago is read again first", extra={_OUTDATED: True})


def _problem_of(error: Exception, step: str) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded(f"The step {step} took too long")
    logger.error("The step %s failed", step, exc_info=error)
    return Unexpected(f"The step {step} failed by a fault of ours ({type(error).__name__})")
