"""kit/workflows: the declaration of a durable flow, its exceptions, and the patience of its steps."""

import datetime as dt
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from contracts.canonical.exception import ExceptionKind, kind_of, team_of
from contracts.canonical.workflow import Mode, WorkflowStatus
from contracts.problems import Fault, Problem

if TYPE_CHECKING:
    from kit.workflows.run import Run


class Flow(Protocol):
    """One business process. `run` is written as if nothing ever failed; its steps are durable.

    `input` is what a run begins with, `state` what it shows of itself; both are the flow's own. So is
    `correctable`, if it has one: a Struct of the values that a person may correct before a replay.
    """

    @property
    def name(self) -> str: ...

    @property
    def input(self) -> type[msgspec.Struct]: ...

    @property
    def state(self) -> type[msgspec.Struct]: ...

    @property
    def on_failure(self) -> Literal["park", "undo"]: ...

    async def run(self, run: "Run") -> None:
        """Do the flow, step by step; the same input and history must lead to the same steps."""
        ...


class Recheck(Protocol):
    """The facts that a step depends on, which may have changed since they were read.

    `corrects` are the corrections by people that reading them again takes in; None: all of its flow.
    """

    @property
    def corrects(self) -> tuple[str, ...] | None: ...

    def stale(self) -> bool:
        """Whether the facts were read too long ago to act on; asked before each try."""
        ...

    def read_again(self) -> Awaitable[None]:
        """Read and judge the facts again, in steps of the run: once they are stale, and on a replay.

        Raises what ends the flow, or restarts it.
        """
        ...


class Owner(msgspec.Struct, frozen=True):
    """Who a run belongs to and where it works: what is known of it so far, the rest empty.

    `instances` are those in which it began or made something; `systems` its instance by capability.
    """

    entity: str = ""
    customer: str = ""
    instances: tuple[str, ...] = ()
    systems: dict[str, str] = {}


class NoState(msgspec.Struct, frozen=True):
    """The state of a flow that shows nothing of its own."""


class Undone(Exception):  # noqa: N818 - an outcome, not an error
    """The run's steps were taken back; raised through the flow, which must let it pass."""


class ExceptionDraft(msgspec.Struct, frozen=True):
    """The texts of an exception: what stopped, why, what would fix it, and who owns it.

    `reason` is what all cases of the same cause have in common, empty for one that is decided by itself;
    `login` the failed login that stopped it: then the instance's one case is what it waits for.
    """

    kind: ExceptionKind
    stopped: str
    why: str
    what_next: str
    owner: str
    errors: tuple[Fault, ...] = ()
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    within: float = 8 * 3600.0
    reason: str = ""
    login: Problem | None = None


class WorkflowSettings(msgspec.Struct, frozen=True):
    """Waits and limits of durable work, in seconds; tests make them small.

    `patience` is how long a step is tried again before it stops, `faults` how often at most by a fault of
    ours; `step` how long one try may take;
    `drain` how long a closing process waits for the steps in flight; `recoveries` how often a workflow may be
    taken over before it is an exception; `queue_poll` the time between looks for runs
    that were not announced.
    """

    patience: float = 1800
    faults: int = 5
    first_wait: float = 1
    longest_wait: float = 60
    step: float = 90
    queue_poll: float = 1
    liveness: float = 1
    sweep: float = 5
    drain: float = 10
    destroy: float = 15
    recoveries: int = 100
    connections: int = 8
    threads: int = 16


class RunRow(msgspec.Struct, frozen=True):
    """A run as it is stored. `input` and `data` are plain data; `attempt` counts restarts after an undo.

    `actor` began it; `requesters` asked for it when it had begun; `decisions` says who answered which of its
    questions; `waits_for` is the id of the run for which it waits, or waited.
    """

    id: str
    flow: str
    status: WorkflowStatus
    status_text: str
    version: str
    attempt: int
    input: dict[str, Any]
    data: dict[str, Any]
    corrections: dict[str, str]
    correlation_id: str
    subject: str
    actor: str
    requesters: list[str]
    mode: Mode
    entity: str
    instances: list[str]
    systems: dict[str, str]
    decisions: dict[str, str]
    waits_for: str
    exception_id: str
    due_at: dt.datetime | None
    started_at: dt.datetime
    updated_at: dt.datetime
    finished_at: dt.datetime | None


def explain(problem: Problem, title: str) -> ExceptionDraft:
    """The default text of a problem's exception."""
    again = "Replay when the other system answers again" if problem.retryable else "Correct it and replay"
    return ExceptionDraft(
        kind=kind_of(problem),
        stopped=f"The step “{title}” did not succeed.",
        why=problem.detail,
        what_next=again,
        owner=team_of(problem),
        errors=problem.errors,
    )
