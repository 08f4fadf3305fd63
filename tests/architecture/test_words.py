"""Code uses the standard terms of the field: the words of the old metaphor do not come back."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "gateway",
    "experience_apis",
    "process_apis",
    "system_apis",
    "kit",
    "contracts",
    "deploy",
    "bench",
)
# What to write instead is in docs/reference/words.md.
BANNED = frozenset(
    {
        "askers",
        "cellar",
        "door",
        "doors",
        "ear",
        "engagement",
        "engagements",
        "fellow",
        "fellows",
        "floors",
        "hall",
        "halls",
        "house",
        "houses",
        "insist",
        "misfits",
        "obey",
        "office",
        "onward",
        "outdate",
        "pipes",
        "room",
        "rooms",
        "roster",
        "rulebook",
        "salon",
        "sift",
        "strangers",
        "surroundings",
        "tell",
        "telling",
        "tells",
        "told",
        "witness",
        "witnesses",
        "workshop",
    }
)
# Names that mean something else.
ALLOWED: frozenset[str] = frozenset()
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Write what is meant: store, cache, pin, lock; log, report, raise; a variable is named by what it holds.
DIALECT = re.compile(r"\b(told|tells?|kept|keeps?|found|nobody|whoever|he|his|him)\b", re.IGNORECASE)
PER_THOUSAND_LINES = 1
# Public classes whose names have several meanings by now; one of a pair may be renamed, none may be added.
DOUBLED = frozenset(
    {
        "Check",
        "Child",
        "CustomerFields",
        "Deal",
        "Events",
        "Held",
        "Hold",
        "IssuerClient",
        "Outcome",
        "Page",
        "Person",
        "Picklists",
        "Project",
        "Rate",
        "Reading",
        "Registration",
        "Reply",
        "Revocation",
        "Schedule",
        "Schedules",
        "SignIn",
        "Stages",
        "User",
    }
)


def names(tree: ast.AST) -> Iterator[str]:
    """What a module names: classes, functions, parameters, fields and constants."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        if isinstance(node, ast.Module | ast.ClassDef):
            for line in node.body:
                targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def banned(name: str) -> bool:
    """Whether a name is made with one of the words."""
    return name not in ALLOWED and not BANNED.isdisjoint(word.lower() for word in WORD.findall(name))


def test_no_name_is_made_with_a_banned_word() -> None:
    """Module, class, function, parameter and field names of the product are free of them."""
    found = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            where = path.relative_to(ROOT)
            if "migrations" in where.parts or "proto" in where.parts:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += [f"{where}: {name}" for name in names(tree) if banned(name)]
            found += [f"{where}: its own name" for part in where.with_suffix("").parts if banned(part)]
    assert sorted(set(found)) == []


@pytest.mark.parametrize("package", ["gateway", "process_apis", "system_apis", "kit", "contracts", "bench"])
def test_a_package_is_written_in_standard_words(package: str) -> None:
    """Code, comments and messages have at most one word of the old dialect in a thousand lines."""
    lines = [
        line
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    words = sum(len(DIALECT.findall(line)) for line in lines)
    assert words <= PER_THOUSAND_LINES * len(lines) / 1000


def test_a_public_class_name_has_one_meaning() -> None:
    """Two modules of the product do not define public classes of the same name, but for the known pairs."""
    modules = defaultdict[str, set[Path]](set)
    for package in PACKAGES:
        if package == "bench":  # its rivals implement the same interface in other frameworks
            continue
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    modules[node.name].add(path)
    assert {name for name, paths in modules.items() if len(paths) > 1} - DOUBLED == set()
