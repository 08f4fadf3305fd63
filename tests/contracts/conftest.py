"""What the promises are tried on: one real house per worker, with deals in every state that one may meet."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.known import Known, furnish
from tests.support.instances import PSA_INSTANCE
from tests.support.sandboxes import SandboxOf
from tests.support.servers import create_database
from tests.support.stack import Stack, open_accounts


@pytest.fixture(scope="package")
async def deployment(
    tmp_path_factory: pytest.TempPathFactory,
    addresses: dict[str, str],
    worker_name: str,
    cache_url: str,
    sandbox_of: SandboxOf,
) -> AsyncIterator[Stack]:
    """The deployment as `make run` would start it, with accounts of its own at the vendors."""
    database_url = create_database(addresses["database_url"], f"promises_{worker_name}")
    async with open_accounts(sandbox_of) as accounts:
        stack = Stack(tmp_path_factory.mktemp("promises"), database_url, cache_url, accounts)
        # Our own limit towards this vendor is tried elsewhere; here it would only be waited for.
        stack.set_profile(PSA_INSTANCE, "limits", per_second=2000)
        try:
            await stack.start()
            yield stack
        finally:
            stack.stop()


@pytest.fixture(scope="package")
async def known(deployment: Stack) -> Known:
    """Ids that exist: a finished activation, one that is parked, a customer that waits for finance."""
    return await furnish(deployment)
