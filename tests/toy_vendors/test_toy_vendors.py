"""A vendor of each capability that brings its own stage: copied into a folder, and nothing else touched."""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from deploy.demo.cast import CRM, ERP, PSA, read_cast
from deploy.process import stack as running_stack
from deploy.settings import DEMO_CONFIG
from tests.support.forkserver import fork, piped
from tests.support.processes import ROOT
from tests.support.sandboxes import Account, Control
from tests.support.stack import Accounts, Stack

SUITES = ("content", "features", "lists", "changes", "webhooks", "check", "budgets")
TOYS = {CRM: "toycrm", ERP: "toyerp", PSA: "toypsa"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the copies, which a process knows by its PYTHONPATH."""
    folder = tmp_path_factory.mktemp("vendors")
    for name in ("system_apis", "sandbox"):
        shutil.copytree(Path(__file__).parent / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def config(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration that names the toys' instances, their profiles as their folders have them."""
    config = tmp_path_factory.mktemp("toys") / "config"
    shutil.copytree(DEMO_CONFIG, config, ignore=shutil.ignore_patterns("instances"))
    (config / "instances").mkdir()
    for capability, role in read_cast(DEMO_CONFIG).items():
        instance = f"{TOYS[capability]}-main"
        profile = folder / "sandbox" / TOYS[capability] / "profile.toml"
        shutil.copy(profile, config / "instances" / f"{instance}.toml")
        for path in config.glob("*.toml"):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(role.instance, instance), encoding="utf-8")
    return config


def conforms(folder: Path, choice: str) -> None:
    """The suites of all capabilities, in a process that finds the folder beside the product."""
    suites = [f"tests/conformance/test_{name}.py" for name in (*TOYS, *SUITES)]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        *suites,
        "-k",
        choice,
    ]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environ = {**inherited, "PYTHONPATH": str(folder)}
    outcome = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert re.search(r"[1-9]\d* passed", outcome.stdout), outcome.stdout


def test_toy_vendors_conform(folder: Path) -> None:
    """They read back what was written, list everything once, and make one object of a key."""
    suites = "as_it_is or reads_back or everything_once or makes_one or told_apart"
    conforms(folder, f"toy and local and ({suites})")


@pytest.mark.whole
def test_toy_vendors_conform_in_every_respect(folder: Path) -> None:
    """The whole suites pass, on both carriers."""
    conforms(folder, "toy")


@pytest.fixture
async def accounts(folder: Path) -> AsyncIterator[Accounts]:
    """The demo's accounts at the toys' stand-ins, each a process that finds the folder."""
    opened = []
    async with AsyncExitStack() as stack:
        for vendor in TOYS.values():
            options = ("--port", "0", "--env", "--data", str(folder / "data" / vendor))
            process = piped("sandbox", vendor, *options, environ={**os.environ, "PYTHONPATH": str(folder)})
            stack.callback(process.communicate)
            stack.callback(process.terminate)
            assert process.stdout is not None
            printed = dict(line.strip().partition("=")[::2] for line in iter(process.stdout.readline, "\n"))
            env = {name: "".join(shlex.split(value)) for name, value in printed.items()}
            client = httpx.AsyncClient(base_url=env[f"{vendor.upper()}_SANDBOX_URL"], trust_env=False)
            await stack.enter_async_context(client)
            opened.append(Account(Control(client), str(client.base_url), "story", {}, env, vendor))
        yield Accounts(*opened)


@pytest.fixture
async def deployment(
    folder: Path, config: Path, accounts: Accounts, fresh_database_url: str, cache_url: str, tmp_path: Path
) -> AsyncIterator[Stack]:
    """The product as it is, with the toys' configuration."""
    deployment = Stack(tmp_path, fresh_database_url, cache_url, accounts, model=config)
    deployment.settings["PYTHONPATH"] = str(folder)
    try:
        await deployment.start()
        yield deployment
    finally:
        deployment.stop()


def write_stack(deployment: Stack, data: Path) -> None:
    """Leave word of the deployment, as `enfilade up` does."""
    described = running_stack.Stack(
        pid=os.getpid(),
        gateway=deployment.url,
        internal=deployment.members[0].internal,
        database_url=deployment.database_url,
        cache_url=deployment.cache_url,
        config=str(deployment.config),
        sandboxes={account.vendor: account.base_url for account in deployment.accounts.all},
        environ=deployment.accounts.env,
    )
    running_stack.write_stack(data, described)


async def test_toy_vendors_play_the_story(deployment: Stack, folder: Path) -> None:
    """`enfilade demo` wins a deal in the toy CRM, and every check at the toy ERP and PSA passes."""
    data = deployment.folder / "data"
    with running_stack.lock_data(data), tempfile.TemporaryFile("w+") as printed:
        write_stack(deployment, data)
        process = fork(
            "deploy.cli.main",
            "demo",
            "--data",
            str(data),
            environ={**deployment.environment(), "COLUMNS": "200"},
            stdout=printed.fileno(),
        )
        status = await asyncio.to_thread(process.wait, 120)
        printed.seek(0)
        text = printed.read()
    assert status == 0, text + deployment.members[0].logged()[-3000:]
    assert {"Toy CRM", "Toy ERP", "Toy PSA"} <= set(re.findall(r"Toy (?:CRM|ERP|PSA)", text))
    assert "✗" not in text
