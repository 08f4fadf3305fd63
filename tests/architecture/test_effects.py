"""tests/architecture: a flow changes another system by an effect, and in no other way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import process_apis
from deploy.composition.interfaces import interfaces
from kit.operations import bind

WRITES = {
    bound.name for interface in interfaces() for bound in bind(interface) if bound.operation.access != "read"
}
ROOT = Path(process_apis.__file__).parent


def outside_effects(node: ast.AST) -> Iterator[ast.Attribute]:
    """Every mention of an operation that writes, but for those for `Effect`, `Undo` and `PostingFlow`."""
    match node:
        case ast.Call(func=ast.Name(id="Effect" | "Undo" | "PostingFlow")):
            return
        case ast.Attribute(attr=name) if name in WRITES:
            yield node
        case _:
            pass
    for child in ast.iter_child_nodes(node):
        yield from outside_effects(child)


def test_flows_name_operations_that_write_in_effects_only() -> None:
    """No module of the process tier calls one, or hands it on."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.attr}"
        for path in sorted(ROOT.rglob("*.py"))
        for node in outside_effects(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_the_search_would_find_a_write() -> None:
    """A call of a client is found, an effect's argument is not."""
    source = "async def f():\n    await erp.put_contract(key, Effect(operation=Erp.put_contract))"
    assert [node.lineno for node in outside_effects(ast.parse(source))] == [2]
