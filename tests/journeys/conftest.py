"""What the journeys share: a deployment of the worker's own, and deployments made to measure."""

from collections.abc import AsyncIterator

import pytest

from tests.support.deployments import MakeDeployment, make_deployment
from tests.support.stack import Stack

__all__ = ["make_deployment"]


@pytest.fixture(scope="package")
async def deployment(make_deployment: MakeDeployment) -> AsyncIterator[Stack]:
    """One deployment per worker, as `make run` would start it; each test uses a deal of its own."""
    async with make_deployment("deployment") as stack:
        await stack.start()
        yield stack


@pytest.fixture
async def new_deployment(make_deployment: MakeDeployment, fresh_database_url: str) -> AsyncIterator[Stack]:
    """A deployment of the test's own, not started yet, so that it may be configured first."""
    async with make_deployment("new-house", fresh_database_url) as stack:
        yield stack
