"""tests/deploy: what is installed: the wheel, what it depends on, and a start from it."""

import ast
import asyncio
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from bench.ports import free_ports
from tests.support.stack import until

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = [
    pattern.removesuffix("*") for pattern in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
]
PINNED = re.compile(r"(?m)^([a-z0-9.\-]+)(?:\[[a-z,]+\])?==")
NAMED = re.compile(r"[A-Za-z0-9.\-]+")
LOCKS = ("requirements.lock", "requirements-server.lock")
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the locked setuptools from a copy: a build leaves files in its folder."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    command = [sys.executable, "-c", build, str(folder / "dist")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (folder / "dist").iterdir()
    return built


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_has_every_file_of_the_product_and_no_other(wheel: Path) -> None:
    """Modules and data (TOML, JSON, SQL, templates, migrations); neither tests nor the benchmark."""
    wanted = {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    described = {name for name in files_of(wheel) if name.split("/")[0].endswith(".dist-info")}
    assert files_of(wheel) - described == wanted
    assert not {"tests", "bench"} & {name.split("/")[0] for name in files_of(wheel)}


def test_the_locks_have_what_the_project_depends_on() -> None:
    """All of it for `make run`; for a server neither embedded binaries, nor what only builds."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]

    def names(*requirements: str) -> set[str]:
        named = (NAMED.match(requirement) for requirement in requirements)
        return {match[0].lower() for match in named if match} - {"enfilade"}

    every = names(*project["dependencies"], *(each for extra in extras.values() for each in extra))
    assert every <= pinned("requirements.lock")
    assert every <= pinned("requirements-dev.lock")
    assert names(*project["dependencies"], *extras["salesforce"]) <= pinned("requirements-server.lock")
    assert not names(*extras["embedded"], "setuptools") & pinned("requirements-server.lock")


def test_a_package_has_one_version_in_all_locks() -> None:
    """What is tested is what is served."""
    locks = [(ROOT / name).read_text(encoding="utf-8") for name in LOCKS]
    whole, server = ({line for line in lock.splitlines() if "==" in line} for lock in locks)
    assert server <= whole


def pinned(lock: str) -> set[str]:
    return set(PINNED.findall((ROOT / lock).read_text(encoding="utf-8")))


def test_nothing_imports_what_only_builds() -> None:
    """setuptools and pkg_resources are absent where no one builds."""
    imported = {
        name.split(".")[0]
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in names_of(node)
    }
    assert not imported & {"setuptools", "pkg_resources", "distutils", "bench", "tests"}


def names_of(node: ast.AST) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            return [node.module or ""]
        case _:
            return []


def test_a_vendor_whose_extra_is_absent_says_what_to_install() -> None:
    """The start names the extra, where an instance needs it."""
    blocked = "import sys; sys.modules['grpc'] = None"
    ask = f"{blocked}; from system_apis.app import connector_of; connector_of('salesforce')"
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr.splitlines()[-1].endswith(
        "salesforce needs the package grpc: install enfilade[salesforce]"
    )


@pytest.mark.whole
async def test_the_installed_wheel_serves(wheel: Path, fresh_database_url: str, tmp_path: Path) -> None:
    """In an environment of its own, from another folder: migrated, ready, with pages and documents."""
    install(wheel, tmp_path)
    port = free_ports(2)
    environ = {
        "PATH": os.environ["PATH"],
        # What it depends on; links to other folders, as `make` has made one to ours, are not read from here.
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "DATABASE_URL": fresh_database_url.replace("postgresql+psycopg", "postgres"),
        "PORT": str(port),
        "ENFILADE_DATA_DIR": str(tmp_path / "data"),
    }
    with serving(tmp_path, environ) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

            async def ready() -> bool:
                assert process.poll() is None, (tmp_path / "log").read_text(encoding="utf-8")
                try:
                    return (await http.get("/readyz")).is_success
                except httpx.TransportError:
                    return False

            await until("the installed wheel serves", ready, PATIENCE_SECONDS)
            answers = await asyncio.gather(
                *map(http.get, ("/apis", "/apis/experience/crm-ui/v1/openapi.json", "/nowhere"))
            )
        assert [answer.status_code for answer in answers] == [200, 200, 404]


def install(wheel: Path, folder: Path) -> None:
    """Make an environment that has the wheel and nothing else."""
    venv.create(folder / "venv", symlinks=True)
    python = str(folder / "venv" / "bin" / "python")
    uv = str(Path(sys.executable).parent / "uv")
    command = [uv, "pip", "install", "-q", "--offline", "--no-deps", "--python", python, str(wheel)]
    subprocess.run(command, check=True, timeout=60, cwd=folder)


@contextmanager
def serving(folder: Path, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("wb") as log:
        command = [folder / "venv" / "bin" / "enfilade", "serve"]
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)
