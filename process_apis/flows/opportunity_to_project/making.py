"""How one object of a deal is made at a vendor: once by the ledger, and taken back when the run is undone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from contracts.canonical.contract import Contract
from contracts.canonical.project import Project
from kit import ledger
from kit.database import Database
from kit.workflows import Run
from process_apis.flows.opportunity_to_project.explaining import stopped
from process_apis.flows.opportunity_to_project.rereading import Deal
from process_apis.stops import WAIT_OUT_SECONDS

M = TypeVar("M", Contract, Project)


@dataclass(frozen=True, slots=True, kw_only=True)
class Making(Generic[M]):
    """How the object comes into being at its vendor, is found there, and is taken back.

    Where `believe_found` is not set, what is found may be half-made, and only making it again makes it whole.
    """

    name: str
    title: str
    undo_title: str
    target: str
    key: str
    returns: type[M]
    create: Callable[[], Awaitable[M]]
    find: Callable[[], Awaitable[M | None]]
    take_back: Callable[[], Awaitable[M]]
    detail: Callable[[M], str]
    believe_found: bool = True


async def make(run: Run, database: Database, deal: Deal, making: Making[M]) -> M:
    """The object, as a durable step of the run that rests on the deal's terms."""
    terms = deal.terms
    # The record from which everything of the deal is made, as the ledger names it.
    source = f"{terms.instance}:opportunity:{terms.opportunity_id}"

    async def create() -> M:
        return await ledger.once(
            database,
            source=source,
            revision=terms.revision,
            target=making.target,
            key=making.key,
            do=making.create,
            find=making.find if making.believe_found else _nothing,
            returns=making.returns,
            wait_out=WAIT_OUT_SECONDS,
        )

    async def undo(_: M) -> None:
        await making.take_back()
        await ledger.undone(database, source=source, revision=terms.revision, target=making.target)

    return await run.step(
        making.name,
        making.title,
        create,
        returns=making.returns,
        undo=undo,
        undo_title=making.undo_title,
        find=making.find,
        refs=lambda made: made.refs,
        detail=making.detail,
        explain=lambda problem: stopped(terms, problem),
        recheck=deal,
    )


async def _nothing() -> None:
    return None
