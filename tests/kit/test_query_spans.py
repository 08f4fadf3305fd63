"""tests/kit: spans of statements of the database."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kit.database.spans import without_literals

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def recorded(database_url: str) -> list[dict[str, Any]]:
    """The spans of a process that executes statements for a request, and one for none."""
    command = [sys.executable, "-m", "tests.kit.recording", database_url]
    done = subprocess.run(command, cwd=ROOT, check=True, timeout=120, capture_output=True, text=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_a_statement_of_a_request_is_a_span_below_the_requests(recorded: list[dict[str, Any]]) -> None:
    """The locked versions make it, with what was asked and of whom; nothing is logged as left out."""
    (request,) = [span for span in recorded if span["kind"] == "SpanKind.SERVER"]
    queries = [span for span in recorded if span["kind"] == "SpanKind.CLIENT"]
    (query,) = [span for span in queries if "WHERE" in span["attributes"]["db.query.text"]]
    assert query["name"] == "SELECT"
    assert query["parent_id"] == request["context"]["span_id"]
    assert query["context"]["trace_id"] == request["context"]["trace_id"]
    assert query["attributes"]["db.system.name"] == "postgresql"
    assert {span["parent_id"] for span in queries} == {request["context"]["span_id"]}


def test_a_span_has_no_value_of_a_statement(recorded: list[dict[str, Any]]) -> None:
    """Neither parameters nor literals: both may be about persons."""
    texts = [span["attributes"].get("db.query.text", "") for span in recorded]
    assert "SELECT ?, ? WHERE ? < %(least)s" in texts
    assert not any(value in json.dumps(recorded) for value in ("Ada", "4711"))


def test_a_refused_statement_is_a_span_with_its_state(recorded: list[dict[str, Any]]) -> None:
    """With PostgreSQL's code, without its sentence, which quotes the statement."""
    (failed,) = [span for span in recorded if span["status"]["status_code"] == "ERROR"]
    assert failed["attributes"]["error.type"] == "42703"
    assert failed["status"].get("description") is None


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        (
            "SELECT * FROM t1 WHERE name = 'O''Hara' AND n > -3.5",
            "SELECT * FROM t1 WHERE name = ? AND n > -?",
        ),
        ("INSERT INTO x VALUES ($1, %(p_2)s::VARCHAR)", "INSERT INTO x VALUES ($1, %(p_2)s::VARCHAR)"),
        ("SELECT col2, 'a''b', 12 LIMIT 10", "SELECT col2, ?, ? LIMIT ?"),
    ],
)
def test_literals_of_a_statement_are_question_marks(statement: str, shown: str) -> None:
    """Names and places of parameters stay."""
    assert without_literals(statement) == shown
