"""tests/clients: how a third-party client's script is run against an account of the tests' own.

A script runs once for all the tests that look at it, since starting such a client takes a second.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT
from tests.support.sandboxes import Account, Sandbox, SandboxOf

PYTHON = ROOT / ".venv-clients" / "bin" / "python"
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


@pytest.fixture(scope="session", autouse=True)
def _clients_are_installed() -> None:
    if not PYTHON.exists():
        pytest.skip(
            ".venv-clients is missing: `make .venv-clients/.installed` installs the third-party clients"
        )


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


async def _run(script: str, env: dict[str, str]) -> Told:
    """The client knows nothing but what the stand-in prints: proxy, certificates, credentials."""
    process = await asyncio.create_subprocess_exec(
        # Isolated: only what the lock of this folder holds, and no PYTHON… variable.
        *(PYTHON, "-I", SCRIPTS / script),
        env={**env, "PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 0, complaint.decode()
    return Told(json.loads(printed))
