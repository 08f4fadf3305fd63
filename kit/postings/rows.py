"""kit/postings: the rows of records: gathered by flows, released by people, moved from state to state."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, bindparam, func, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.workflow import Mode
from kit import context
from kit.postings.states import State, sources_of
from kit.postings.tables import postings

T = TypeVar("T")
_ROWS_PER_STATEMENT = 1000


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """One record to be posted: which revision of what, to which instance, and under which key there.

    `body` is what the batch operation takes as one of its items. `entity` and `customer` say whose it is,
    `actor` who caused it, as `privacy.actor` says it.
    """

    source: str
    revision: int
    instance: str
    key: str
    body: msgspec.Struct
    entity: str = ""
    customer: str = ""
    actor: str = ""
    correlation_id: str = ""


async def gather(
    connection: AsyncConnection, records: Iterable[Posting], *, flow: str, noun: str, mode: Mode
) -> int:
    """Have records posted with the next batches, in the caller's transaction; how many are new.

    A revision of a source goes to a target once: one that was gathered before is passed over, unless it was
    only observed and the flow is live now. A flow that is off gathers nothing.
    """
    count = 0
    if mode == "off":
        return 0
    for some in _portions(records, _ROWS_PER_STATEMENT):
        rows = [_values(record, flow, noun, mode) for record in some]
        once = {(row["source"], row["revision"], row["target"]): row for row in rows}
        row = insert(postings).values(list(once.values()))
        again = row.on_conflict_do_update(
            index_elements=["source", "revision", "target"],
            set_={"state": "gathered", "mode": row.excluded.mode, "body": row.excluded.body},
            where=(postings.c.state == "observed") & (row.excluded.mode == "live"),
        )
        made = await connection.execute(again.returning(postings.c.number))
        count += len(made.all())
    return count


def _values(record: Posting, flow: str, noun: str, mode: Mode) -> dict[str, Any]:
    values = msgspec.structs.asdict(record)
    values["correlation_id"] = record.correlation_id or context.current().correlation_id
    values["body"] = msgspec.to_builtins(record.body, str_keys=True)
    return {**values, "target": f"{record.instance}:{noun}", "flow": flow, "mode": mode}


def _portions(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


async def release(
    connection: AsyncConnection,
    source: str,
    revision: int,
    target: str,
    *,
    again: bool,
    corrections: dict[str, str],
) -> None:
    """Let a refused record go: into the next batch with what was corrected, or never."""
    this = (postings.c.source == source) & (postings.c.revision == revision) & (postings.c.target == target)
    values: dict[str, Any] = {"exception_id": ""}
    if again:
        values |= {
            "corrections": postings.c.corrections.op("||")(corrections),
            "gathered_at": func.clock_timestamp(),
        }
    await move(connection, this, "gathered" if again else "skipped", **values)


async def move(connection: AsyncConnection, which: ColumnElement[bool], to: State, **values: Any) -> int:
    """Move those of the records that may come into a state from theirs; how many those were."""
    allowed = which & postings.c.state.in_(sources_of(to))
    values |= {"state": to, "updated_at": func.clock_timestamp()}
    return (await connection.execute(update(postings).where(allowed).values(**values))).rowcount


async def move_each(
    connection: AsyncConnection, batch_id: str, to: State, rows: Sequence[dict[str, Any]]
) -> None:
    """Move records of a batch, each by its `key` and with values of its own."""
    if not rows:
        return
    names = [name for name in rows[0] if name != "key"]
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=postings.c[name].type) for name in names}
    these = (
        (postings.c.batch_id == batch_id)
        & (postings.c.key == bindparam("of_key"))
        & or_(*(postings.c.state == source for source in sources_of(to)))  # IN is not for many executions
    )
    statement = update(postings).where(these).values(**values, state=to, updated_at=func.clock_timestamp())
    await connection.execute(
        statement, [{"of_key": row["key"], **{f"new_{name}": row[name] for name in names}} for row in rows]
    )
