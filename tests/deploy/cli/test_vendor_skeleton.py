"""`enfilade vendor new`: the skeleton is in order, says what is not written yet, and grows by the guide."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.folders import vendors
from tests.deploy.cli.commands.conftest import run
from tests.support.processes import ROOT

BIN = Path(sys.executable).parent
CAPABILITIES = ("crm", "erp", "psa")
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the product, with a skeleton for each capability."""
    tree = tmp_path_factory.mktemp("tree")
    # With what was compiled, so that it need not be again; others may be compiling into the same folders.
    unneeded = shutil.ignore_patterns("*.pyc.*")
    for name in PACKAGES["root_packages"]:
        shutil.copytree(ROOT / name, tree / name, ignore=unneeded)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tree / name)
    for capability in CAPABILITIES:
        made = run("vendor", "new", f"acme{capability}", "--capability", capability, "--into", str(tree))
        assert made.status == 0, made.err
    shutil.copytree(ROOT / "tests/architecture", tree / "tests/architecture", ignore=unneeded)
    yield tree
    shutil.rmtree(tree)


def checked(tree: Path, *command: str) -> None:
    """A checker of `make check` is content with the tree."""
    environ = {**os.environ, "PYTHONPATH": str(tree), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=tree,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def skeletons(tree: Path) -> list[str]:
    return [str(path) for path in tree.glob("*/**/acme*") if path.is_dir()]


def test_a_skeleton_passes_format_lint_and_import_laws(tree: Path) -> None:
    """As `make check` has them."""
    assert len(skeletons(tree)) == 2 * len(CAPABILITIES)
    checked(tree, "ruff", "format", "--check", *skeletons(tree))
    checked(tree, "ruff", "check", *skeletons(tree))
    checked(tree, "lint-imports", "--no-cache")


def test_a_skeleton_passes_the_architecture_tests(tree: Path) -> None:
    """It has every module that a vendor has, and no other; its profile is valid."""
    chosen = "tests/architecture/test_shapes.py", "-k", "acme or what_it_is_for"
    checked(tree, "pytest", "--noconftest", "-q", "-p", "no:cacheprovider", *chosen)


@pytest.mark.whole
def test_a_skeleton_passes_the_type_check(tree: Path) -> None:
    """Every method has the signature of its interface."""
    checked(tree, "pyright", "--pythonpath", sys.executable, *skeletons(tree))


def unwritten(folder: Path, capability: str, choice: str) -> set[str]:
    """What a suite says is not written yet of a skeleton in a folder of its own; nothing passes."""
    suite = f"tests/conformance/test_{capability}.py"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "--tb=short", suite]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environ = {**inherited, "PYTHONPATH": str(folder)}
    choice = f"acme{capability} and local and ({choice})"
    done = subprocess.run(
        [*command, "-k", choice], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert " passed" not in done.stdout.splitlines()[-1], done.stdout
    return set(re.findall(r"not written yet: (\w+)", done.stdout))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder into which the skeletons are written."""
    folder = tmp_path_factory.mktemp("empty")
    for capability in CAPABILITIES:
        made = run("vendor", "new", f"acme{capability}", "--capability", capability, "--into", str(folder))
        assert made.status == 0, made.err
    return folder


def test_a_skeleton_fails_conformance_with_what_is_not_written(folder: Path) -> None:
    """Each method that a test needs first is named."""
    assert unwritten(folder, "erp", "makes_one or everything_once") == {"put_customer"}


@pytest.mark.whole
@pytest.mark.parametrize(("capability", "first"), [("crm", "create_customer"), ("psa", "put_client")])
def test_every_skeleton_fails_conformance_with_what_is_not_written(
    folder: Path, capability: str, first: str
) -> None:
    """The suite of its capability names what it needs first."""
    assert first in unwritten(folder, capability, "makes_one or everything_once")


@pytest.mark.parametrize(
    ("name", "title", "said"),
    [
        ("Acme", "Acme", "no name of a vendor"),
        ("class", "Acme", "no keyword of Python"),
        ("acme", "Acme <3", "no title"),
        (vendors()[0], "Acme", "There is a vendor"),
    ],
)
def test_a_skeleton_is_refused_in_a_sentence(tmp_path: Path, name: str, title: str, said: str) -> None:
    """A name that is none, a title that is none, and a vendor that is there; nothing is written."""
    options = ("--capability", "crm", "--title", title, "--into", str(tmp_path))
    outcome = run("vendor", "new", name, *options)
    assert (outcome.status, said in outcome.err) == (1, True)
    assert list(tmp_path.iterdir()) == []


def files(folder: Path, name: str) -> set[str]:
    """The files of a vendor, by their paths in its two folders."""
    tops = folder / "system_apis/vendors" / name, folder / "sandbox" / name
    return {
        str(path.relative_to(folder)).replace(name, "acme")
        for top in tops
        for path in top.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_the_guide_names_every_file_of_the_skeleton_that_its_command_writes(tmp_path: Path) -> None:
    """The command in the guide is run as it stands there."""
    guide = (ROOT / "docs/guides/add-a-vendor.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^ *enfilade (vendor new acme .*)$", guide, re.MULTILINE)
    assert run(*command.split(), "--into", str(tmp_path)).status == 0
    wanted = {path.partition("acme/")[2] for path in files(tmp_path, "acme")}
    modules = {re.sub(r"(/__init__)?\.py$", "", name) for name in wanted} - {"adapter"}
    shown = guide.replace("adapter/<capability>", "adapter/psa")
    assert [name for name in modules if f"`{name}" not in shown and f"`{name}.py`" not in shown] == []


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_toy_vendor_is_a_skeleton_filled_in(tmp_path: Path, capability: str) -> None:
    """Its files are those of the skeleton, less the webhooks that it does not send."""
    name = f"toy{capability}"
    assert run("vendor", "new", name, "--capability", capability, "--into", str(tmp_path)).status == 0
    webhooks = {"system_apis/vendors/acme/webhooks.py"}
    assert files(ROOT / "tests/toy_vendors", name) == files(tmp_path, name) - webhooks
