"""Who is bound sees its own rows only: every read of a business table asks whose its rows are."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Table, and_, true
from sqlalchemy.dialects import postgresql

import deploy.composition.tables  # noqa: F401 - declares every table
from contracts.rows import DIMENSIONS
from kit import context
from kit.context import Caller, Context
from kit.database.declaring import declared
from kit.database.rows import own

ROOT = Path(__file__).parents[2]
TIERS = ("kit", "gateway", "experience_apis", "process_apis", "system_apis")
BUSINESS = [table for table in declared() if table.info["rows"] is not None]
# A table with one of these columns holds business rows.
OWNERS = {
    "account_id",
    "customer",
    "customer_id",
    "entity",
    "instance",
    "run_id",
    "selling_entity",
    "workflow_id",
}
NOT_FOR_CALLERS = {
    "crossrefs": "asked by flows for one id, and shown within what is the caller's",
    "approved_customers": "what accounts were, with which later deals are compared",
    "known_records": "fingerprints, with which a change is compared",
    "ledger": "asked by effects for one key",
    "vendor_calls": "read by an operator's commands",
}
# Reads that are the deployment's own work, whoever's request it is done for.
OWN_WORK = {
    "kit/exceptions/__init__.py:_causers:runs": "who may not decide, of one that was read as the caller's",
    "kit/exceptions/__init__.py:_publish:runs": "whose the work is that stopped, for the event",
    "kit/exceptions/__init__.py:owner_of:exceptions": "of a run that was read as the caller's",
    "kit/exceptions/__init__.py:run_of:exceptions": "before the run is read as the caller's",
    "kit/exceptions/__init__.py:open_about:exceptions": "whether a record has a case, for a change of it",
    "kit/exceptions/__init__.py:settle:exceptions": "ends what nothing waits for",
    "kit/exceptions/login.py:_open_case:exceptions": "the one case of an instance, for which runs wait",
    "kit/exceptions/__init__.py:is_open:exceptions": "of a run that was read as the caller's",
    "kit/exceptions/__init__.py:put_right:exceptions": "of a run that was read as the caller's",
    "kit/inbox/outbox.py:_place:events": "gives every event its place in the feed",
    "kit/inbox/outbox.py:latest:events": "a place in the feed, and no event",
    "kit/inbox/outbox.py:replay:events": "rebuilds a view from every event",
    "kit/inbox/outbox.py:publish:events": "whether the event was published before",
    "kit/postings/batch.py:_rows:postings": "the batch's own work",
    "kit/postings/batch.py:_unsettled:postings": "the batch's own work",
    "kit/postings/collector.py:_next_lane:postings": "claims whatever is gathered",
    "kit/postings/collector.py:_open:postings": "claims whatever is gathered",
    "kit/postings/collector.py:_running:postings": "how much is under way",
    "kit/postings/collector.py:_running:runs": "how much is under way",
    "kit/retention.py:_delete_runs:runs": "deletes what has expired",
    "kit/workflows/journal.py:belongs_to:runs": "the run's own work",
    "kit/workflows/journal.py:finish:runs": "the run's own work",
    "kit/workflows/journal.py:update_status_in:runs": "the run's own work",
    "kit/workflows/reading.py:find:exceptions": "those of runs that are asked for as the caller's",
    "kit/workflows/reading.py:requesters:runs": "the duties ask for all who wait, whosever they are",
    "kit/workflows/reading.py:waiting_for:runs": "wakes every run that waits",
    "kit/workflows/runtime.py:restart:runs": "of a run that was read as the caller's",
    "kit/workflows/runtime.py:successor:runs": "of a run that was read as the caller's",
    "kit/workflows/succession.py:is_succeeded:runs": "of a run that was read as the caller's",
    "kit/workflows/runtime.py:signal:runs": "of a run that was read as the caller's",
}


def test_every_table_with_an_owner_says_whose_its_rows_are() -> None:
    """A table that names a run, a customer, an entity or an instance declares it, or has a reason."""
    undeclared = {
        table.name
        for table in declared()
        if table.info["rows"] is None and not OWNERS.isdisjoint(table.c.keys())
    }
    assert undeclared == set(NOT_FOR_CALLERS)


def test_every_read_of_business_rows_asks_whose_they_are() -> None:
    """A function that selects from a business table applies `own` to it, or is the deployment's own work."""
    found = {
        f"{path.relative_to(ROOT)}:{function.name}:{table}"
        for path in modules()
        for function in functions(ast.parse(path.read_text(encoding="utf-8")))
        for table in selected(function) - asked(function)
    }
    assert found == set(OWN_WORK)


def test_a_business_table_goes_by_its_own_name() -> None:
    """None is imported under another name, by which its reads would not be recognised."""
    known = {table.name for table in BUSINESS}
    renamed = [
        f"{path.relative_to(ROOT)}: {alias.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(("tables", "table"))
        for alias in node.names
        if alias.asname and alias.name in known
    ]
    assert renamed == []


@pytest.mark.parametrize("table", BUSINESS, ids=lambda table: table.name)
def test_a_new_dimension_shows_nothing_until_a_table_declares_it(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that is bound by it sees no row of the tables that there were before."""
    monkeypatch.setitem(DIMENSIONS, "cost_centre", "cost_centre")
    assert shown(table, {}) == "true"
    assert shown(table, {"cost_centre": "CC-1"}).removesuffix(")").endswith("false")


@pytest.mark.parametrize("table", BUSINESS, ids=lambda table: table.name)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_dimension_that_binds_restricts(table: Table, dimension: str) -> None:
    """Whatever binds a caller is a condition of every read."""
    assert shown(table, {DIMENSIONS[dimension]: "NB-UK"}) != "true"


def modules() -> Iterator[Path]:
    """Every module of the tiers that a person wrote."""
    for tier in TIERS:
        for path in (ROOT / tier).rglob("*.py"):
            if "migrations" not in path.parts and "proto" not in path.parts:
                yield path


def shown(table: Table, claims: dict[str, str]) -> str:
    """The condition under which a caller with the claims sees rows of a table."""
    with context.use(Context("cor_1", caller=Caller("otto", "ci", claims=claims))):
        return str(and_(true(), *own(table)).compile(dialect=postgresql.dialect()))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module."""
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def selected(function: ast.AST) -> set[str]:
    """The business tables that a function's selects name."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    selects = [call for call in calls if called(call) in ("select", "select_from", "join", "outerjoin")]
    return names(selects) & {table.name for table in BUSINESS}


def asked(function: ast.AST) -> set[str]:
    """The tables to which a function applies `own`."""
    return names(
        [node for node in ast.walk(function) if isinstance(node, ast.Call) and called(node) == "own"]
    )


def called(call: ast.Call) -> str:
    """The name of the function that is called; none where a string joins."""
    match call.func:
        case ast.Attribute(value=ast.Constant()):
            return ""
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def names(calls: list[ast.Call]) -> set[str]:
    """The variables and attributes that the arguments of the calls name; a table's is its own name."""
    nodes = [node for call in calls for argument in call.args for node in ast.walk(argument)]
    return {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }
