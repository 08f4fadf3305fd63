"""How one object of a deal is made at a vendor: once by the ledger, and taken back when the run is undone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from contracts.canonical.contract import Contract
from contracts.canonical.project import Project
from kit import ledger
from kit.database import Database
from kit.workflows import Run
from process_apis.failures import WAIT_OUT_SECONDS
from process_apis.flows.opportunity_to_project.failures import describe_failure
from process_apis.flows.opportunity_to_project.rereading import Deal

M = TypeVar("M", Contract, Project)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect(Generic[M]):
    """How the object comes into being at its vendor, is found there, and is taken back.

    Without `found_is_complete` what is found may be half-made, and only making it again completes it.
    """

    name: str
    title: str
    undo_title: str
    target: str
    key: str
    returns: type[M]
    create: Callable[[], Awaitable[M]]
    find: Callable[[], Awaitable[M | None]]
    undo: Callable[[], Awaitable[M]]
    detail: Callable[[M], str]
    found_is_complete: bool = True


async def apply(run: Run, database: Database, deal: Deal, effect: Effect[M]) -> M:
    """The object, as a durable step of the run that rests on the deal's terms."""
    terms = deal.terms
    # The record from which everything of the deal is made, as the ledger names it.
    source = f"{terms.instance}:opportunity:{terms.opportunity_id}"

    async def create() -> M:
        return await ledger.once(
            database,
            source=source,
            revision=terms.revision,
            target=effect.target,
            key=effect.key,
            do=effect.create,
            find=effect.find if effect.found_is_complete else _nothing,
            returns=effect.returns,
            wait_out=WAIT_OUT_SECONDS,
        )

    async def undo(_: M) -> None:
        await effect.undo()
        await ledger.undone(database, source=source, revision=terms.revision, target=effect.target)

    return await run.step(
        effect.name,
        effect.title,
        create,
        returns=effect.returns,
        undo=undo,
        undo_title=effect.undo_title,
        find=effect.find,
        refs=lambda made: made.refs,
        detail=effect.detail,
        explain=lambda problem: describe_failure(terms, problem),
        recheck=deal,
    )


async def _nothing() -> None:
    return None
