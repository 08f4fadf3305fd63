"""Each guide is true: whoever does what it says, with the example that it shows, has a part that works."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
GUIDES = {
    "flow": "add-a-flow.md",
    "view": "add-a-view.md",
    "audience": "add-an-audience.md",
    "policy": "add-a-policy.md",
    "admin_api": "add-an-admin-api.md",
}
PACKAGES = (
    "bench",
    "contracts",
    "deploy",
    "experience_apis",
    "gateway",
    "kit",
    "process_apis",
    "sandbox",
    "system_apis",
    "tests/__init__.py",
    "tests/architecture",
    "tests/conformance/gateway",
    "tests/gateway",
    "tests/guides",
    "tests/journeys/test_effects.py",
    "tests/support",
    "docs/reference",
    "pyproject.toml",
)
PLUGINS = ("-p", "tests.guides.following", "-p", "tests.guides.trying")
# Of every module, interface and table, whoever wrote it.
LAWS = (
    "tests/architecture/test_flows.py",
    "tests/architecture/test_owners.py",
    "tests/architecture/test_pipeline_order.py",
    "tests/architecture/test_rows.py",
    "tests/architecture/test_shapes.py",
    "tests/architecture/test_tables.py",
    "tests/architecture/test_words.py",
)
OF_THE_TEST = {"edits.toml", "calls.py"}
BLOCK = re.compile(r"^( *)```\w+ (\S+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^ *\.venv/bin/enfilade (.*)$", re.MULTILINE)

each_guide = pytest.mark.parametrize("example", GUIDES)


def files(example: str) -> Iterator[Path]:
    """The example's new files, relative to the project."""
    for path in sorted((HERE / example).rglob("*")):
        if path.is_file() and path.name not in OF_THE_TEST and "__pycache__" not in path.parts:
            yield path.relative_to(HERE / example)


def edits(example: str) -> list[dict[str, str]]:
    """The lines that the example adds to files of the project."""
    return tomllib.loads((HERE / example / "edits.toml").read_text(encoding="utf-8"))["edit"]


def blocks(example: str) -> list[tuple[str, str]]:
    """The guide's blocks of code that name a file, with it."""
    text = (ROOT / "docs/guides" / GUIDES[example]).read_text(encoding="utf-8")
    # A block in a list item is indented as that is.
    return [
        (name, re.sub(f"^{indent}", "", body, flags=re.MULTILINE))
        for indent, name, body in BLOCK.findall(text)
    ]


@each_guide
def test_the_code_that_a_guide_shows_is_the_examples(example: str) -> None:
    """Each block is part of the file that it names, or an edit of it; and the guide names every file."""
    texts = {str(path): (HERE / example / path).read_text(encoding="utf-8") for path in files(example)}
    shown = blocks(example)
    for name, body in shown:
        added = [edit["text"] for edit in edits(example) if edit["file"] == name]
        assert body in texts[name] if name in texts else body in added, (
            f"{name} in the guide is not the example's"
        )
    named = [str(path.name) for path in files(example)] + [edit["file"] for edit in edits(example)]
    assert [name for name in named if name not in guide_of(example)] == []


def guide_of(example: str) -> str:
    """The guide's text."""
    return (ROOT / "docs/guides" / GUIDES[example]).read_text(encoding="utf-8")


def test_whoever_follows_all_guides_has_parts_that_work(fresh_database_url: str, tmp_path: Path) -> None:
    """In one copy of the tree the commands succeed, and the calls of every example are answered."""
    follow(tuple(GUIDES), (), fresh_database_url, tmp_path)


@pytest.mark.whole
@each_guide
def test_whoever_follows_a_guide_has_a_part_that_works(
    example: str, fresh_database_url: str, tmp_path: Path
) -> None:
    """In a copy of the tree the commands succeed, the laws hold, and the calls are answered."""
    follow((example,), LAWS, fresh_database_url, tmp_path)


def follow(examples: tuple[str, ...], laws: tuple[str, ...], database_url: str, folder: Path) -> None:
    """Do what the examples' guides say, in a copy of the tree; fails with what does not hold there."""
    tree = folder / "tree"
    copy_into(tree)
    for example in examples:
        apply(example, tree)
    # The others need a running stack.
    commands = [each for one in examples for each in COMMAND.findall(guide_of(one)) if "contracts" in each]
    environ = {
        **os.environ,
        "GUIDE_COMMANDS": "\n".join(dict.fromkeys(commands)),
        "GUIDE_DATABASE_URL": database_url,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    tests = (*laws, *(f"tests/guides/{example}/calls.py" for example in examples))
    command = [sys.executable, "-m", "pytest", "--noconftest", *PLUGINS, *tests]
    done = subprocess.run(
        command, cwd=tree, env=environ, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]


def copy_into(tree: Path) -> None:
    """What is needed of the project; with what was compiled, so that it need not be compiled again."""
    tree.mkdir()
    for name in PACKAGES:
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            # Others may be compiling into the same folders.
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("*.pyc.*"))
        else:
            shutil.copy2(ROOT / name, target)


def apply(example: str, tree: Path) -> None:
    """Put the example's files into the tree, none of which is there, and make its edits."""
    for path in files(example):
        assert not (tree / path).exists(), f"{path} is there already"
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(HERE / example / path, tree / path)
    for edit in edits(example):
        path = tree / edit["file"]
        text, before = path.read_text(encoding="utf-8"), edit.get("before", "")
        assert text.count(before) == 1 or not before, f"{before!r} is not once in {path.name}"
        place = text.index(before) if before else len(text)
        added = edit["text"] if before else "\n" + edit["text"]
        path.write_text(text[:place] + added + text[place:], encoding="utf-8")
