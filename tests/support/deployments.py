"""tests/support: a fixture that opens whole deployments; a conftest that needs it imports it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.support.sandboxes import SandboxOf
from tests.support.servers import create_database
from tests.support.stack import Stack, open_accounts

MakeDeployment = Callable[..., AbstractAsyncContextManager[Stack]]


@pytest.fixture(scope="session")
def make_deployment(
    tmp_path_factory: pytest.TempPathFactory,
    addresses: dict[str, str],
    worker_name: str,
    cache_url: str,
    sandbox_of: SandboxOf,
) -> MakeDeployment:
    """Opens a deployment with its own accounts at the vendors, not started yet; stopped at the block's end.

    It has the database of its name, one per worker of the run, unless another is given.
    """

    @asynccontextmanager
    async def made(name: str, database_url: str = "") -> AsyncIterator[Stack]:
        url = database_url or create_database(addresses["database_url"], f"{name}_{worker_name}")
        async with open_accounts(sandbox_of) as accounts:
            stack = Stack(tmp_path_factory.mktemp(name), url, cache_url, accounts)
            try:
                yield stack
            finally:
                stack.stop()

    return made
