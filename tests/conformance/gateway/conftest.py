"""tests/conformance/gateway: one served gateway for all cases, and the suite's credentials for any."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from bench.ports import free_port
from bench.processes import python, running
from tests.conformance.gateway.deployment import configured, lifecycles, make, prepare, target_of, with_nonces
from tests.conformance.gateway.in_process import served
from tests.conformance.gateway.running import Target
from tests.conformance.gateway.tokens import Mint
from tests.support.databases import keyed
from tests.support.processes import GRANIAN
from tests.support.servers import create_database


@pytest.fixture(scope="session")
def mint() -> Mint:
    """The suite's own issuer."""
    return Mint()


@pytest.fixture(scope="session")
def credentials(mint: Mint) -> dict[str, str]:
    """The cases' tokens."""
    return mint.tokens()


@pytest.fixture(scope="session")
async def target(
    mint: Mint,
    credentials: dict[str, str],
    addresses: dict[str, str],
    worker_name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Target]:
    """Our gateway under the server of its production, configured as the suite says."""
    folder: Path = tmp_path_factory.mktemp("conformance")
    database_url = create_database(addresses["database_url"], f"conformance_{worker_name}")
    (folder / "jwks.json").write_bytes(msgspec.json.encode(mint.jwks()))
    port = free_port()
    command = python(*GRANIAN, "--port", str(port), "tests.conformance.gateway.served:app")
    environ = {"CONFORMANCE_FOLDER": str(folder), "CONFORMANCE_DATABASE_URL": database_url}
    async with running(command, environ, port=port, log=folder / "server.log", ready="/") as server:
        given = credentials | await prepare(database_url)
        yield target_of(server.url, mint, given, folder, lacks={"dpop-nonces"})


@pytest.fixture(scope="session")
async def asking_for_nonces(
    mint: Mint,
    credentials: dict[str, str],
    addresses: dict[str, str],
    worker_name: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Target]:
    """The same where proofs must carry a nonce, served by this process."""
    folder: Path = tmp_path_factory.mktemp("nonces")
    database = keyed(create_database(addresses["database_url"], f"conformance_nonces_{worker_name}"))
    app = make(folder, mint.jwks(), database, settings=with_nonces(configured()), lifecycles=lifecycles())
    async with served(app) as address:
        yield target_of(address, mint, credentials, folder, lacks={"dpop", "api-keys"})
    await database.close()
