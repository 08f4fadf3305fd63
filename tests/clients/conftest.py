"""tests/clients: how a third-party client's script is run against an account of the tests' own.

A script runs once for all the tests that look at it, since starting such a client takes a second. Python's
clients are in .venv-clients and .venv-tap, those of Node in node/node_modules; what is missing is skipped.
"""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT
from tests.support.sandboxes import Account, Sandbox, SandboxOf

PYTHON = ROOT / ".venv-clients" / "bin" / "python"
NODE = Path(__file__).parent / "node"
SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE_SECONDS = 300


class Told:
    """What each operation of a script returned."""

    def __init__(self, outcomes: dict[str, Any]) -> None:
        self._outcomes = outcomes

    def __getitem__(self, operation: str) -> Any:
        outcome = self._outcomes[operation]
        assert "failure" not in outcome, outcome["failure"]
        return outcome["returned"]


@pytest.fixture(scope="session")
async def salesforce_sandbox(sandbox_of: SandboxOf) -> Sandbox:
    return await sandbox_of("salesforce")


@pytest.fixture(scope="session")
async def netsuite_sandbox(sandbox_of: SandboxOf) -> Sandbox:
    return await sandbox_of("netsuite")


@pytest.fixture(scope="session")
async def salesforce(salesforce_sandbox: Sandbox) -> AsyncIterator[Account]:
    account = await salesforce_sandbox.create_account()
    yield account
    await account.remove()


@pytest.fixture(scope="session")
async def netsuite(netsuite_sandbox: Sandbox) -> AsyncIterator[Account]:
    account = await netsuite_sandbox.create_account()
    yield account
    await account.remove()


@pytest.fixture(scope="session")
async def simple_salesforce(salesforce: Account, salesforce_sandbox: Sandbox) -> Told:
    return await _run("salesforce.py", {**salesforce_sandbox.env, **salesforce.env})


@pytest.fixture(scope="session")
async def netsuite_package(netsuite: Account, netsuite_sandbox: Sandbox) -> Told:
    return await _run("netsuite_rest.py", {**netsuite_sandbox.env, **netsuite.env})


@pytest.fixture(scope="session")
async def jsforce(salesforce: Account, salesforce_sandbox: Sandbox) -> Told:
    return await run_node("jsforce.mjs", {**salesforce_sandbox.env, **salesforce.env})


@pytest.fixture(scope="session")
async def pubsub(salesforce: Account, salesforce_sandbox: Sandbox) -> Told:
    return await run_node("pubsub.mjs", {**salesforce_sandbox.env, **salesforce.env}, oldest=20)


@pytest.fixture(scope="session")
async def netsuite_of_node(netsuite: Account, netsuite_sandbox: Sandbox) -> Told:
    return await run_node("netsuite_rest.mjs", {**netsuite_sandbox.env, **netsuite.env})


async def _run(script: str, env: dict[str, str]) -> Told:
    """What a script of Python told."""
    if not PYTHON.exists():
        pytest.skip(f"{PYTHON} is missing: `make .venv-clients/.installed` installs the clients")
    # Isolated: only what the lock of this folder holds, and no PYTHON… variable.
    return await _told(env, PYTHON, "-I", SCRIPTS / script)


def node_version() -> int:
    """The major version of the Node that is installed."""
    printed = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(printed.removeprefix("v").partition(".")[0])


async def run_node(script: str, env: dict[str, str], *, oldest: int = 18) -> Told:
    """What a script of Node told, whose packages need this version of it."""
    if not (NODE / "node_modules" / ".installed").exists():
        pytest.skip("tests/clients/node/node_modules is missing: its make target needs Node and npm")
    if (version := node_version()) < oldest:
        pytest.skip(f"Node {oldest} is needed, and this is {version}")
    return await _told(env, "node", NODE / script)


async def _told(env: dict[str, str], *command: str | Path) -> Told:
    """The client knows nothing but what the stand-in prints: proxy, certificates, credentials."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**env, "PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 0, complaint.decode()
    return Told(json.loads(printed))
