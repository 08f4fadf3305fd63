"""deploy: the methods of an interface as source text, each still to be written, in the formatter's style."""

import ast
import inspect
import textwrap
from collections.abc import Iterator

_WIDTH = 110
_INDENT = "    "


def unwritten_methods(interface: type) -> str:
    """Every method of an interface, indented for a class body: it raises and says its name."""
    return "\n\n".join(_method(method) for method in _methods(interface))


def imports_of(interface: type | None, **more: str) -> str:
    """The import lines for the names in the methods' annotations, and for `more` names by their modules."""
    methods = _methods(interface) if interface else []
    names = dict(pair for method in methods for pair in _names(method, interface))
    by_source: dict[str, set[str]] = {}
    for name, source in {**names, **more}.items():
        by_source.setdefault(source, set()).add(name)
    lines = {source: f"from {source} import {', '.join(sorted(by_source[source]))}" for source in by_source}
    standard = [lines[source] for source in sorted(lines) if "." not in source]
    ours = [lines[source] for source in sorted(lines) if "." in source]
    return "\n\n".join("\n".join(section) for section in (standard, ours) if section)


def _methods(interface: type) -> list[ast.AsyncFunctionDef]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(interface))).body
    return [one for one in ast.iter_child_nodes(tree) if isinstance(one, ast.AsyncFunctionDef)]


def _names(method: ast.AsyncFunctionDef, interface: type | None) -> Iterator[tuple[str, str]]:
    """The names that a method's annotations use, each with the module from which it is imported."""
    module = inspect.getmodule(interface)
    if module is None:
        return
    tree = ast.parse(inspect.getsource(module))
    sources = {
        alias.name: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    sources |= {node.name: module.__name__ for node in tree.body if isinstance(node, ast.ClassDef)}
    annotations = [*(argument.annotation for argument in _arguments(method)), method.returns]
    for annotation in annotations:
        for node in ast.walk(annotation) if annotation else ():
            if isinstance(node, ast.Name) and node.id in sources:
                yield node.id, sources[node.id]


def _method(method: ast.AsyncFunctionDef) -> str:
    what = f'{_INDENT * 2}raise NotImplementedError("not written yet: {method.name}")'
    return f"{_signature(method)}\n{what}"


def _signature(method: ast.AsyncFunctionDef) -> str:
    """In one line, in three, or with a line for each parameter."""
    head = f"{_INDENT}async def {method.name}("
    tail = f") -> {ast.unparse(method.returns) if method.returns else 'None'}:"
    parameters = list(_parameters(method))
    joined = ", ".join(parameters)
    for text in (f"{head}{joined}{tail}", f"{head}\n{_INDENT * 2}{joined}\n{_INDENT}{tail}"):
        if all(len(line) <= _WIDTH for line in text.split("\n")):
            return text
    lines = "".join(f"{_INDENT * 2}{one},\n" for one in parameters)
    return f"{head}\n{lines}{_INDENT}{tail}"


def _arguments(method: ast.AsyncFunctionDef) -> list[ast.arg]:
    rest = [method.args.kwarg] if method.args.kwarg else []
    return [*method.args.args, *method.args.kwonlyargs, *rest]


def _parameters(method: ast.AsyncFunctionDef) -> Iterator[str]:
    """Each parameter with its annotation and its default."""
    given = method.args
    defaults = [None] * (len(given.args) - len(given.defaults)) + list(given.defaults)
    yield from map(_parameter, given.args, defaults)
    if given.kwonlyargs:
        yield "*"
    yield from map(_parameter, given.kwonlyargs, given.kw_defaults)
    if given.kwarg:
        yield f"**{_parameter(given.kwarg, None)}"


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    text = f"{argument.arg}: {ast.unparse(argument.annotation)}" if argument.annotation else argument.arg
    return text if default is None else f"{text} = {ast.unparse(default)}".replace("'", '"')
