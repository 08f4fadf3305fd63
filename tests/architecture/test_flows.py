"""What flows share is written once, and no flow reads what is another's."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLOWS = ROOT / "process_apis/flows"
# What rows have as plain data: a flow makes it whole into its own Struct.
PLAIN = {"data", "input", "decisions"}
LONGEST_REPETITION = 3  # statements


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Every module of a flow."""
    for path in FLOWS.rglob("*.py"):
        yield path.relative_to(FLOWS), ast.parse(path.read_text(encoding="utf-8"))


def test_no_flow_reads_the_plain_state_of_a_run_by_key() -> None:
    """Neither `row.data["…"]` nor `row.input.get("…")`: such a key may be another flow's."""
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript | ast.Attribute)
        if isinstance(node, ast.Subscript) or node.attr in ("get", "items", "keys", "values")
        if isinstance(node.value, ast.Attribute) and node.value.attr in PLAIN
    ]
    assert found == []


def test_only_the_flow_itself_knows_its_state() -> None:
    """The Struct of a flow's input or state is named in its own folder only."""
    names = {
        node.name: path.parts[0]
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Input", "State"))
    }
    assert names
    elsewhere = [
        f"{path.relative_to(ROOT)} names {name}"
        for path in (ROOT / "process_apis").rglob("*.py")
        for name, flow in names.items()
        if FLOWS / flow not in path.parents and name in path.read_text(encoding="utf-8")
    ]
    assert elsewhere == []


def test_no_function_stands_in_two_flows() -> None:
    """What would be a copy is shared: `process_apis/*.py`, or beside the noun."""
    bodies = Counter(
        "\n".join(ast.dump(statement) for statement in node.body)
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if len(_statements(node)) >= LONGEST_REPETITION
    )
    assert [body for body, count in bodies.items() if count > 1] == []


def _statements(node: ast.AST) -> list[ast.stmt]:
    return [each for each in ast.walk(node) if isinstance(each, ast.stmt) and each is not node]
