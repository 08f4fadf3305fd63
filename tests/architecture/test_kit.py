"""Kit is a closed list of infrastructure, and names nothing of the business."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
KIT = ROOT / "kit"
# What each is for; a new one is infrastructure that more than one tier needs, and says so here.
MODULES = {
    "audit": "the hash-chained trail of who did what",
    "background": "work beside requests that does not die unheard",
    "batches": "rows gathered in memory and written together",
    "cache": "what was read lately, in the process and in the shared store",
    "clients": "the client of an API of ours, made of its interface",
    "clock": "the deployment's clock, which tests move",
    "conditions": "entity tags, and the conditions of requests on them",
    "context": "who calls, for which transaction, until when",
    "crossrefs": "the ids of one object in all systems",
    "database": "connections, tables, migrations, locks, cursors, whose rows are whose",
    "delegation": "a tier's proof to the next of whom it works for",
    "effects": "the one way to change something at a vendor",
    "exceptions": "what waits for a person's decision",
    "http": "outbound calls: sign-in, rate, budget, breaker, retries",
    "idempotency": "answers kept for the repetition of a request",
    "inbox": "events taken in, delivered to subscribers, and given out",
    "ledger": "what was made at vendors, once for each key",
    "one_time": "values that one process may use once",
    "operations": "interfaces as HTTP operations, documents and schemas",
    "ownership": "which system may change which field",
    "postings": "many records to one target, in batches with a result for each",
    "privacy": "people under pseudonyms, and what they may ask",
    "problems": "problems as answers",
    "retention": "what has expired is deleted",
    "routes": "interfaces as routes of the web framework",
    "secret_store": "secrets that vendors hand out, sealed",
    "secrets": "references to secrets and their values",
    "settings": "configuration files, read strictly",
    "streaming": "bodies that are sent piece by piece",
    "telemetry": "logs, metrics and traces",
    "texts": "words for people: times, lists, amounts",
    "toml_lines": "the line at which a value of a file stands",
    "workflows": "durable runs of flows",
}
# In the singular; of several words as in code.
NOUNS = frozenset(
    {
        *("assignment", "billing", "change_order", "contract", "crm", "customer", "delivery", "engagement"),
        *("entity", "erp", "expense", "finance", "forecast", "hris", "invoice", "milestone", "opportunity"),
        *("partner", "payment", "practice", "project", "psa", "quota", "rate_card", "resource"),
        *("revenue", "sales", "staffing", "subscription", "time_entry", "timesheet", "utilization"),
    }
)
COLUMN = "a column of runs, whose name the database has, and the dimension of rows that it is"
EVENT = "of an event to a subscriber"
API = "the problem, and the kind of exception, of an answer that breaks an API's contract"
OPENTELEMETRY = "OpenTelemetry's word for the process that is measured"
ALLOWED = {
    ("database/tables.py", "customer"): COLUMN,
    ("database/tables.py", "delivery"): EVENT,
    ("database/tables.py", "entity"): COLUMN,
    ("database/tables.py", "partner"): "a dimension of rows that no run has",
    ("exceptions/__init__.py", "customer"): COLUMN,
    ("exceptions/__init__.py", "entity"): COLUMN,
    ("http/answer.py", "contract"): API,
    ("http/auth.py", "contract"): API,
    ("http/call.py", "contract"): API,
    ("http/incremental.py", "entity"): "XML's word for what a document may expand",
    ("inbox/deliveries.py", "delivery"): EVENT,
    ("inbox/worker.py", "contract"): API,
    ("inbox/worker.py", "delivery"): EVENT,
    ("operations/documents.py", "quota"): "the problem of a quota that is used up",
    ("postings/collector.py", "entity"): COLUMN,
    ("postings/rows.py", "customer"): COLUMN,
    ("postings/rows.py", "entity"): COLUMN,
    ("postings/tables.py", "customer"): COLUMN,
    ("postings/tables.py", "entity"): COLUMN,
    ("postings/tables.py", "partner"): "a dimension of rows that no record has",
    ("retention.py", "quota"): "a class of retention.toml, which deployments have",
    ("telemetry/exporting.py", "resource"): OPENTELEMETRY,
    ("telemetry/metrics.py", "resource"): OPENTELEMETRY,
    ("telemetry/tracing.py", "resource"): OPENTELEMETRY,
    ("workflows/flow.py", "customer"): COLUMN,
    ("workflows/flow.py", "entity"): COLUMN,
    ("workflows/journal.py", "customer"): COLUMN,
    ("workflows/journal.py", "entity"): COLUMN,
    ("workflows/reading.py", "entity"): COLUMN,
}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def test_kit_is_a_closed_list() -> None:
    """Its modules are those of the list, each with what it is for."""
    found = {path.stem for path in KIT.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert found - {"__init__"} == set(MODULES)
    assert all(MODULES.values())


def test_kit_names_nothing_of_the_business() -> None:
    """No noun of the domain is an identifier, a string or a column of kit, but for a reason."""
    found = {
        (str(path.relative_to(KIT)), noun)
        for path in KIT.rglob("*.py")
        if "migrations" not in path.parts  # what has run in databases stays as it was
        for text in texts(ast.parse(path.read_text(encoding="utf-8")))
        for noun in nouns(text)
    }
    assert found == set(ALLOWED)


def texts(tree: ast.Module) -> Iterator[str]:
    """The identifiers and the strings of a module, without its docstrings and what it imports from."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case (
                ast.arg(arg=name) | ast.keyword(arg=str(name)) | ast.Attribute(attr=name) | ast.Name(id=name)
            ):
                yield name
            case ast.alias(name=name, asname=other):
                yield f"{name} {other or ''}"
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                yield text


def nouns(text: str) -> set[str]:
    """The nouns of the business in a text, as one word or several, in the singular or the plural."""
    words = [word.lower() for word in WORD.findall(text)]
    pairs = [f"{one}_{next_}" for one, next_ in pairwise(words)]
    known = (*words, *pairs)
    return NOUNS & {
        *known,
        *(word.removesuffix("s") for word in known),
        *(re.sub("ies$", "y", word) for word in known),
    }
